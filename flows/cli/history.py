"""`landfall history CONTRACT [PARTITION]`: what a partition has held, and what can be brought back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.parameters import AsJson, ContractName

if TYPE_CHECKING:
    from rich.table import Table

    from flows.etl.history import Past


def history(
    contract: ContractName,
    partition: Annotated[str | None, typer.Argument(help="The period; all if it is left out.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the claims of a partition: what it held when, and whether `--as-of` can bring it back.

    Examples:
    \b
      landfall history flights 2013-01
      landfall history flights --json | jq 'select(.where == "gone")'
    """
    from flows.cli.lookout import look_at, travel_light

    travel_light()
    from flows import settings
    from flows.cli.shown import counted, print_json, print_table
    from flows.etl import contract as contracts
    from flows.etl import history as past

    values = settings.read()
    agreed = contracts.read(settings.CONTRACTS, contract)
    period = str(agreed.period(partition)) if partition else None
    found = past.read(look_at(values), contract, period)
    if as_json:
        print_json(_flat(each) for each in found)
    else:
        print_table(table(contract, found))
        print(counted(found, "claim"))


def _flat(each: Past) -> dict[str, Any]:
    """Give a claim as the log has it, with what became of it."""
    return {**asdict(each.claim), "status": each.status, "where": each.where}


def table(contract: str, found: Iterable[Past]) -> Table:
    """Draw one line for each claim."""
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title=f"{contract}: history")
    for name in ("partition", "n", "kind", "claimed", "source rows", "status", "object", "where"):
        drawn.add_column(name, justify="right" if name in ("n", "source rows") else "left", overflow="fold")
    for each in found:
        claim = each.claim
        kind = claim.kind if claim.as_of is None else f"{claim.kind} {claim.as_of}"
        when = str(claim.claimed_at)[:19].replace("T", " ")
        cells = (claim.partition, str(claim.n), kind, when, str(claim.source_rows), each.status, claim.lake_uri)
        drawn.add_row(*(escape(cell) for cell in cells), each.where)
    return drawn
