"""`landfall status [CONTRACT...]`: how each partition stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.parameters import AsJson, ContractNames

if TYPE_CHECKING:
    from flows.plots.board import Board


def status(  # noqa: PLR0913 - each is an option
    contracts: ContractNames = None,
    first: Annotated[str | None, typer.Option("--from", metavar="PERIOD", help="From this year or month on.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="PERIOD", help="Up to this one, included.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page, in one file.")] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how each partition stands: landed, quarantined, stale, failed or missing.

    Ledger, log and tables are asked, the publisher is not. Without a name: all
    contracts that have ever landed something here. Exits with 0 if all is landed
    (rows may be put aside, as agreed), with 1 if not.

    Examples:
    \b
      landfall status
      landfall status flights weather --from 2013-01 --to 2013-06
      landfall status --html status.html --png status.png
      landfall status --json | jq 'select(.state == "failed")'
    """
    drawings = _drawings(html, png)  # before anything that takes a second
    import datetime as dt

    from flows.cli.lookout import look_at, travel_light

    travel_light()
    from flows import settings
    from flows.cli.shown import print_json
    from flows.etl import contract as agreements
    from flows.etl import landing_log
    from flows.etl import status as asked
    from flows.plots.board import Board

    values, span = settings.read(), asked.Span.read(first, last)
    known = agreements.names(settings.CONTRACTS)
    read = [agreements.read(settings.CONTRACTS, each) for each in dict.fromkeys(contracts or ())]
    destination = look_at(values)
    if not contracts:
        claimed = landing_log.contracts(destination.bucket)
        read = [agreements.read(settings.CONTRACTS, each) for each in known if each in claimed]
    now = dt.datetime.now(dt.UTC)
    found = asked.read(destination, read, now, span)
    board = Board.of(values.environment, now, {each.name: (each.partition, found[each.name]) for each in read})
    if as_json:
        print_json(each.flat() for each in board.standings)
    else:
        _print(board, [] if contracts else [each for each in known if each not in found])
    for path, draw in drawings.items():
        path.write_bytes(draw(board))
        if not as_json:
            print(f"wrote {path}")
    raise typer.Exit(0 if board.is_in_order else 1)


def _print(board: Board, never: list[str]) -> None:
    from flows.plots.text import draw
    from flows.terminal import console

    terminal = console()
    if board.strips:
        terminal.print(draw(board, ascii_only=terminal.options.ascii_only), soft_wrap=True)
    if never:
        print(f"nothing has ever landed here of {', '.join(never)}")
    print(board.line)


def _drawings(html: Path | None, png: Path | None) -> dict[Path, Callable[[Board], bytes]]:
    """Give what draws each file that is asked for; only this needs a plotting library.

    Raises:
        NotInstalled: it is not there.
        BadParameter: the file's folder is not there.
    """
    asked = {path for path in (html, png) if path}
    if not asked:
        return {}
    for path in asked:
        if not path.parent.is_dir():
            raise typer.BadParameter(
                f"{path}: found no folder {path.parent}, expected one; nothing was asked or written"
            )
    try:
        from flows.plots import page, picture
    except ModuleNotFoundError as error:
        from flows.plots import NotInstalled

        raise NotInstalled(
            f"status: found no {error.name}, expected it for --html and --png; pip install 'landfall[plots]',"
            " nothing was asked or written"
        ) from error
    return {path: draw for path, draw in ((html, page.html), (png, picture.png)) if path}
