"""`landfall serve [NAME...]`: deployments served from this process, without a work pool and a worker."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.parameters import AsJson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    *,
    as_json: AsJson = False,
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
    import os
    import signal
    import sys
    from pathlib import Path

    from blocks.server import ServerError, connect
    from deployments import runner, serving
    from deployments.errors import DeclarationError
    from flows import settings
    from flows.cli.shown import print_json, print_table
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

    def say(line: str) -> None:
        print(line, file=sys.stderr if as_json else sys.stdout, flush=True)

    if as_json:
        print_json(rows(served, now))
        sys.stdout.flush()  # a program at the other end of a pipe would wait for it as long as this serves
    else:
        print_table(table(served, now))
    if missed:
        say(f"{missed} runs that nobody served when they were due are cancelled; the last of each is made up for")
    for name in twice:
        say(f"{name} has active schedules too, on its work pool: both will run. One is enough:")
        say(f"  prefect deployment schedule ls {name}    # then: prefect deployment schedule pause {name} <id>")
    ready = f"serving {len(served)}, at most {limit} runs at once; Ctrl-C stops"
    said = runner.serve(served, limit, lambda: say(ready))
    say("stopped; runs that were at work are cancelled, and go on with the next")
    raise typer.Exit(130 if said is signal.SIGINT else 0)


def rows(served: Iterable[Served], now: dt.datetime) -> Iterator[dict[str, Any]]:
    """Give a row for each schedule, and for each deployment without one; what is paused has no next run."""
    from deployments.next_run import next_run, shown

    for each in served:
        if not each.schedules:
            yield {
                "deployment": each.full_name,
                "slug": None,
                "schedule": None,
                "paused": each.paused,
                "next_run": None,
            }
        for schedule in sorted(each.schedules, key=lambda one: str(one["slug"])):
            paused = each.paused or not schedule["active"]
            yield {
                "deployment": each.full_name,
                "slug": schedule["slug"],
                "schedule": shown(schedule["schedule"]),
                "paused": paused,
                "next_run": None if paused else next_run(schedule["schedule"], now),
            }


def table(served: Iterable[Served], now: dt.datetime) -> Table:
    """Draw the rows."""
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title="served")
    for name in ("deployment", "schedule", "next run"):
        drawn.add_column(name, overflow="fold")
    for row in rows(served, now):
        at = row["next_run"]
        if row["schedule"] is None:
            when = "when somebody asks"
        elif row["paused"]:
            when = "paused"
        else:
            when = "never" if at is None else at.strftime("%Y-%m-%d %H:%M:%S %Z")
        drawn.add_row(escape(row["deployment"]), escape(row["schedule"] or ""), when)
    return drawn
