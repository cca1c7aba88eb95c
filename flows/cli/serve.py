"""`landfall serve [NAME...]`: deployments served from this process, without a work pool and a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from rich.table import Table

    from deployments.serving import Served


def serve(  # noqa: PLR0913, PLR0917 - each is an option
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Deployments of prefect.yaml, or contracts; all if left out."),
    ] = None,
    cron: Annotated[str | None, typer.Option(help="Run at these times, in place of prefect.yaml's.")] = None,
    interval: Annotated[int | None, typer.Option(min=1, help="Run every so many seconds.")] = None,
    rrule: Annotated[str | None, typer.Option(help="Run as this rule (RFC 5545) says.")] = None,
    timezone: Annotated[str, typer.Option(help="Whose clock --cron and --rrule go by.")] = "UTC",
    limit: Annotated[int, typer.Option(min=1, help="How many runs may be at work at once.")] = 2,
) -> None:
    """Run deployments from this process, as their schedules say and as people ask in Prefect's UI.

    For those without a worker. Each is registered as NAME-served, beside the work pool's. What people pause stays
    paused, and what they add stays. Ctrl-C cancels the runs at work: what they have landed stays, and the next run goes
    on. Of runs that were due while nobody served, the last one is made up for.

    Examples:
    \b
      landfall serve
      landfall serve flights --cron "0 6 * * *" --timezone America/New_York
      landfall serve flights weather --interval 3600 --limit 1
      landfall serve airlines --rrule "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1;BYHOUR=7;BYMINUTE=0;BYSECOND=0"
    """
    import datetime as dt
    import os
    import signal
    import sys
    from pathlib import Path

    from blocks.server import ServerError, connect
    from deployments import runner, serving
    from deployments.errors import DeclarationError
    from flows import settings
    from flows.cli.shown import print_table
    from flows.etl import contract as contracts

    environment = settings.read().environment
    root = Path(settings.__file__).resolve().parents[1]
    os.chdir(root)  # prefect.yaml's entrypoints are relative to it
    now = dt.datetime.now(dt.UTC)
    try:
        planned = serving.by_hand(cron, interval, rrule, timezone)
        known = contracts.names(settings.CONTRACTS)
        chosen = serving.choose(Path("prefect.yaml"), environment, os.environ, names or [], known)
        with connect() as server:
            served = serving.register(server, [serving.served(each, environment, root, planned) for each in chosen])
            missed = serving.drop_missed(server, served, now)
            twice = serving.also_active(server, served)
    except (DeclarationError, ServerError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    print_table(table(served, now))
    if missed:
        print(f"{missed} runs that nobody served when they were due are cancelled; the last of each is made up for")
    for name in twice:
        print(f"{name} has active schedules too, on its work pool: both will run. One is enough:")
        print(f"  prefect deployment schedule ls {name}    # then: prefect deployment schedule pause {name} <id>")
    ready = f"serving {len(served)}, at most {limit} runs at once; Ctrl-C stops"
    said = runner.serve(served, limit, lambda: print(ready, flush=True))
    print("stopped; runs that were at work are cancelled, and go on with the next")
    raise typer.Exit(130 if said is signal.SIGINT else 0)


def table(served: Iterable[Served], now: dt.datetime) -> Table:
    """Draw a line for each schedule, and for each deployment without one."""
    from rich.markup import escape
    from rich.table import Table

    from deployments.next_run import next_run, shown

    drawn = Table(title="served")
    for name in ("deployment", "schedule", "next run"):
        drawn.add_column(name, overflow="fold")
    for each in served:
        if not each.schedules:
            drawn.add_row(escape(each.full_name), "", "when somebody asks")
        for schedule in sorted(each.schedules, key=lambda one: str(one["slug"])):
            if each.paused or not schedule["active"]:
                when = "paused"
            else:
                at = next_run(schedule["schedule"], now)
                when = "never" if at is None else at.strftime("%Y-%m-%d %H:%M:%S %Z")
            drawn.add_row(escape(each.full_name), escape(shown(schedule["schedule"])), when)
    return drawn
