"""`landfall run CONTRACT [FIRST [LAST]]`: land what is not up to date, here or in a work pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.parameters import AsJson, ContractName, Pool

if TYPE_CHECKING:
    from flows.report import Report


def run(  # noqa: PLR0913 - each is an option
    contract: ContractName,
    first: Annotated[str | None, typer.Argument(help="The first period, or the only one; all if left out.")] = None,
    last: Annotated[str | None, typer.Argument(help="The last period, included.")] = None,
    *,
    source: Annotated[
        str | None, typer.Option(metavar="URL", help="An address in place of the contract's, for one period.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="N|TIME", help="Bring back an older claim's content, by number or time.")
    ] = None,
    on: Pool = None,
    as_json: AsJson = False,
) -> None:
    """Land what is not up to date of a contract's periods, as one run.

    Exits with 0 if every partition came through and every row with it, with
    1 if not. For more than one contract: landfall backfill.

    Examples:
    \b
      landfall run flights 2013-01
      landfall run flights 2013-01 2013-12 --on landfall-local
      landfall run flights 2013-01 --source https://mirror.example.org/flights_2013-01.csv.gz
      landfall run flights 2013-01 --as-of 0
      landfall run flights 2013-01 --json | jq .warehouse_rows
    """
    if on and as_json:
        raise typer.BadParameter(
            "found --json and --on, expected one of them, as such a run tells its log alone;"
            " landfall backfill has both, nothing was started"
        )
    given = {"contract": contract, "first": first, "last": last, "source": source, "as_of": as_of}
    parameters = {name: value for name, value in given.items() if value is not None}
    if on is None:
        from flows import settings
        from flows.by_hand import carry_out, for_people
        from flows.web_to_bigquery import web_to_bigquery

        settings.read()  # before the run: in a shell without `make env` Prefect would start a server of its own first
        carry_out(web_to_bigquery, parameters, for_programs if as_json else for_people)
    from flows.cli.watching import start_and_watch

    raise typer.Exit(start_and_watch(parameters, on))


def for_programs(report: Report) -> None:
    """Print a report's rows as JSON."""
    from flows.cli.shown import print_json

    print_json(report.rows())
