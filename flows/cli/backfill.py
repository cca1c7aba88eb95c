"""`landfall backfill CONTRACT...`: many periods of many data sets, planned first, then landed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.parameters import AsJson, Pool, SomeContracts

if TYPE_CHECKING:
    from rich.table import Table

    from flows.backfilled import Backfilled
    from flows.etl.plan import Found

ASKS_FROM = 10  # partitions that are due; or
ASKS_FROM_BYTES = 1_000_000_000


def backfill(  # noqa: PLR0913 - each is an option
    contracts: SomeContracts,
    *,
    first: Annotated[
        str | None, typer.Option("--from", metavar="PERIOD", help="The first period; each contract's own if left out.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="PERIOD", help="The last one, included; the last that is over.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and land nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before much work.")] = False,
    at_once: Annotated[int, typer.Option(min=1, metavar="N", help="How many partitions at once.")] = 4,
    on: Pool = None,
    as_json: AsJson = False,
) -> None:
    """Plan, then land what is not up to date of many periods of several data sets.

    The plan costs a request a file and writes nothing. A partition that
    fails does not stop the others, and is listed at the end. After Ctrl-C, a
    kill or a failure the same command goes on: what has landed is known.

    With --on each partition is a run of its own, --at-once of them at work
    in the work pool; after Ctrl-C they go on, and the same command watches
    them again. On a terminal it asks before more than 10 partitions or 1 GB.
    Exits with 0 if all is in the tables, with 1 if not.

    Examples:
    \b
      landfall backfill flights weather --from 2013-01 --to 2013-06 --dry-run
      landfall backfill flights weather planes
      landfall backfill flights --from 2013-07 --json | jq .status
      landfall backfill flights weather --on landfall-local
    """
    from flows import settings
    from flows.backfilled import Backfilled, Ended
    from flows.cli.shown import print_json, print_table
    from flows.connection import connect
    from flows.etl import plan
    from flows.logs import quiet_terminal
    from flows.order import take_orders

    quiet_terminal()
    values = settings.read()
    orders = take_orders(values, contracts, first, last)
    destination = connect(values)
    if on:
        _find(values.environment, on)
    found = plan.survey(destination, orders)
    if dry_run and as_json:
        print_json(_flat(each) for each in found)
    due = [each for each in found if each.why or each.unchecked]
    if not as_json:
        print_table(table(found))
        if due or dry_run:
            print(planned(found))
    if dry_run:
        return
    if not due:
        report = Backfilled([Ended(*each.key, "up to date") for each in found])
    elif yes or as_json or not _is_much(due) or _agrees():
        report = _carry_out(found, {"contracts": contracts, "first": first, "last": last, "at_once": at_once, "on": on})
    else:
        print("nothing was landed")
        raise typer.Exit(1)
    _show(report, as_json=as_json)
    raise typer.Exit(130 if report.stopped else 0 if report.holds else 1)


def _show(report: Backfilled, *, as_json: bool) -> None:
    """Print what became of all, what failed one by one, and how to go on."""
    import shlex
    import sys

    from flows.cli.shown import print_json, print_table

    if as_json:
        print_json(report.ended)
    else:
        if any(each.status != "up to date" for each in report.ended):
            print_table(report.table())
        for each in report.failed:
            print(f"{each.contract} {each.partition} failed: {each.why}")
        print(report.line, flush=True)
    if not report.holds:
        sys.stderr.write(f"to go on: landfall {shlex.join(sys.argv[1:])}\n")


def _carry_out(found: list[Found], parameters: dict[str, Any]) -> Backfilled:
    """Run the flow; the first Ctrl-C lets it come to an end, the second does not."""
    import os
    import signal

    from flows.backfill import backfill as flow
    from flows.backfill import prepared
    from flows.backfilled import BackfillIncomplete
    from flows.cli.bars import Bars
    from flows.terminal import console

    def at_once(*_: object) -> None:
        os._exit(130)  # threads at work are not waited for: the next run takes up what they leave

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, at_once)
        raise KeyboardInterrupt

    terminal = console(stderr=True)
    bars = Bars(terminal) if terminal.is_terminal else None
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with prepared(found, bars):
            report: Backfilled = flow(**parameters)
    except BackfillIncomplete as incomplete:
        report = incomplete.report
    finally:
        signal.signal(signal.SIGINT, before)
        if bars:
            bars.close()
    return report


def _find(environment: str, pool: str) -> None:
    """Refuse a work pool that the deployment does not run in, before there is a plan."""
    from prefect.client.orchestration import get_client

    from flows.runs import deployed

    with get_client(sync_client=True) as client:
        deployed.find(client, deployed.LANDING, environment, pool)


def _is_much(due: Sequence[Found]) -> bool:
    return len(due) > ASKS_FROM or sum(each.announced_bytes or 0 for each in due) > ASKS_FROM_BYTES


def _agrees() -> bool:
    """Ask a person, if there is one."""
    import sys

    return not (sys.stdin.isatty() and sys.stdout.isatty()) or typer.confirm("Land them?", default=True)


def _flat(found: Found) -> dict[str, Any]:
    contract, partition = found.key
    status = "to re-check" if found.unchecked else "due" if found.why else "up to date"
    return {
        "contract": contract,
        "partition": partition,
        "status": status,
        "why": found.why,
        "announced_bytes": found.announced_bytes,
        "source": found.landing.where,
    }


def table(found: Iterable[Found]) -> Table:
    """Draw the plan: a line for each contract and what is to be done about its partitions."""
    from rich.table import Table

    from flows.backfilled import periods

    drawn = Table(title="plan")
    drawn.add_column("contract", no_wrap=True)
    drawn.add_column("partitions", justify="right")
    drawn.add_column("to do", no_wrap=True)
    drawn.add_column("which", overflow="fold")
    drawn.add_column("to read", justify="right")
    groups: dict[tuple[str, str], list[Found]] = {}
    for each in found:
        what = f"land, {each.why}" if each.why else "re-check" if each.unchecked else "up to date"
        groups.setdefault((each.key[0], what), []).append(each)
    for contract in dict.fromkeys(name for name, _ in groups):
        for (name, what), its in groups.items():
            if name == contract:
                cells = str(len(its)), what, periods(each.landing.partition for each in its)
                drawn.add_row(contract, *cells, size(its) if its[0].why else "")
    return drawn


def size(found: Sequence[Found]) -> str:
    """Say how much there is to read, as far as publishers tell."""
    from rich.filesize import decimal

    known = [each.announced_bytes for each in found if each.announced_bytes is not None]
    if not known:
        return "size not told"
    return f"{'' if len(known) == len(found) else 'more than '}{decimal(sum(known))}"


def planned(found: Sequence[Found]) -> str:
    """Say the plan in one line."""
    due = [each for each in found if each.why]
    rechecks = sum(each.unchecked for each in found)
    up_to_date = len(found) - len(due) - rechecks
    line = f"{len(due)} partition{'' if len(due) == 1 else 's'} to land"
    line += f" ({size(due)})" if due else ""
    line += f", {rechecks} to re-check" if rechecks else ""
    return line + (f", {up_to_date} up to date" if up_to_date else "")
