"""`landfall quarantine CONTRACT [FIRST [LAST]]`: the rows of a contract's files that were put aside, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.parameters import AsJson, ContractName

if TYPE_CHECKING:
    from rich.table import Table

    from flows.etl.quarantine_listing import PutAside


def quarantine(
    contract: ContractName,
    first: Annotated[str | None, typer.Argument(help="The first period, or the only one; all if left out.")] = None,
    last: Annotated[str | None, typer.Argument(help="The last period, included.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the rows of each partition's newest content that did not fit its contract and were put aside.

    To land them, correct the contract, raise its revision, and run the flow: the whole file lands anew.

    Examples:
    \b
      landfall quarantine zones
      landfall quarantine zones 2024-01 2024-03 --json | jq .reason
    """
    import datetime as dt

    from flows import settings
    from flows.cli.shown import counted, print_json, print_table
    from flows.connection import connect
    from flows.etl import contract as contracts
    from flows.etl import quarantine_listing
    from flows.logs import quiet_terminal

    quiet_terminal()
    values = settings.read()
    agreed = contracts.read(settings.CONTRACTS, contract)
    periods = agreed.periods(first, last, dt.datetime.now(dt.UTC))
    rows = quarantine_listing.read(connect(values).bucket, contract, periods[0], periods[-1])
    if as_json:
        print_json(rows)
    else:
        print_table(table(contract, put_aside := list(rows)))
        print(f"{counted(put_aside, 'row')} in quarantine")


def table(contract: str, rows: Iterable[PutAside]) -> Table:
    """Draw one line for each row."""
    from rich.markup import escape
    from rich.table import Table

    from flows.etl.address import printable

    drawn = Table(title=f"{contract}: quarantine")
    for name in ("partition", "file", "line", "column", "reason", "raw"):
        drawn.add_column(name, justify="right" if name == "line" else "left", overflow="fold")
    for row in rows:
        where = f"row {row.record}" if row.line is None else str(row.line)
        cells = (row.partition, row.file, where, row.column or "", row.reason, row.raw)
        drawn.add_row(*(escape(printable(cell)) for cell in cells))
    return drawn
