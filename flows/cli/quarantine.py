"""`landfall quarantine CONTRACT [FIRST [LAST]]`: the rows of a contract's files that were put aside, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows.etl.address import printable
from flows.terminal import console

if TYPE_CHECKING:
    from flows.etl.quarantine_listing import PutAside


def quarantine(
    contract: Annotated[str, typer.Argument(help="The data set: a file in flows/contracts/.")],
    first: Annotated[str | None, typer.Argument(help="The first period, or the only one; all if left out.")] = None,
    last: Annotated[str | None, typer.Argument(help="The last period, included.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
) -> None:
    """List the rows of each partition's newest content that did not fit its contract and were put aside.

    To land them, correct the contract, raise its revision, and run the flow: the whole file lands anew.
    """
    import dataclasses
    import datetime as dt
    import json

    from flows import settings
    from flows.connection import connect
    from flows.etl import contract as contracts
    from flows.etl import quarantine_listing
    from flows.logs import quiet_terminal

    quiet_terminal()
    values = settings.read()
    agreed = contracts.read(settings.CONTRACTS, contract)
    periods = agreed.periods(first, last, dt.datetime.now(dt.UTC))
    rows = quarantine_listing.read(connect(values).bucket, contract, periods[0], periods[-1])
    if not as_json:
        _print(contract, list(rows))
        return
    for row in rows:
        print(json.dumps(dataclasses.asdict(row)))  # one line each, for programs: no markup, no wrapping


def _print(contract: str, rows: list[PutAside]) -> None:
    if rows:
        console().print(table(contract, rows))
    print(f"{len(rows)} row{'' if len(rows) == 1 else 's'} in quarantine")  # the last line, also for scripts


def table(contract: str, rows: Iterable[PutAside]) -> Table:
    """Draw one line for each row."""
    drawn = Table(title=f"{contract}: quarantine")
    for name in ("partition", "file", "line", "column", "reason", "raw"):
        drawn.add_column(name, justify="right" if name == "line" else "left", overflow="fold")
    for row in rows:
        where = f"row {row.record}" if row.line is None else str(row.line)
        cells = (row.partition, row.file, where, row.column or "", row.reason, row.raw)
        drawn.add_row(*(escape(printable(cell)) for cell in cells))
    return drawn
