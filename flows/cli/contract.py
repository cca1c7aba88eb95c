"""`landfall contract`: contracts beside the files that they are about."""

from collections.abc import Mapping
from typing import Annotated

import typer

from flows.cli.parameters import AsJson, ContractName

app = typer.Typer(help="Contracts, and the files that they are about.", no_args_is_help=True)


@app.command()
def diff(
    contract: ContractName,
    period: Annotated[str | None, typer.Argument(help="The file's period; the last one if it is left out.")] = None,
    source: Annotated[str | None, typer.Option(metavar="URL", help="An address in place of the contract's.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare a contract with a real file's columns, and print the lines that would make it fit.

    Exits with 0 if nothing differs, with 1 if something does. Nothing is written.

    Examples:
    \b
      landfall contract diff zones 2024-02
      landfall contract diff zones 2024-02 --source https://mirror.example.org/zones.csv.gz
    """
    import datetime as dt

    from flows import settings
    from flows.cli.shown import print_comparison, print_json
    from flows.etl import contract as contracts
    from flows.etl import diff as diffs
    from flows.etl.reach import Reach
    from flows.etl.source import Source

    agreed = contracts.read(settings.CONTRACTS, contract)
    *_, last = agreed.periods(period, None, dt.datetime.now(dt.UTC))
    publisher = settings.Reading().publisher
    address = source or agreed.address(last, publisher)
    headers: Mapping[str, str] = {}
    if agreed.headers and not source:
        from flows.etl.plan import Order
        from flows.order import with_secrets  # Prefect's blocks hold them

        headers = with_secrets(Order(agreed, [last], publisher, None, None)).headers
    reach = Reach.of(address, agreed.allowed_networks, [each for each in (publisher, source) if each])
    file = Source(agreed, last, address, headers, reach=reach)
    found = diffs.compare(file)
    if as_json:
        print_json(found.columns)
    else:
        print_comparison(found, f"{contract} {last}: {file.where}", f"{contract}.toml")
    raise typer.Exit(0 if found.is_equal else 1)
