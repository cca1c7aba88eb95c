"""Many periods of many data sets: a plan first, then what is due, here or as runs of a work pool.

landfall backfill flights weather --from 2013-01 --to 2013-06
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from prefect import flow

from flows import settings, tasks
from flows.artifacts import upkeep
from flows.backfilled import Backfilled, Watch, gather
from flows.connection import connect
from flows.etl.plan import Found
from flows.fan_out import Here, OnPool
from flows.logs import join_run_log
from flows.order import take_orders
from flows.report import told

AT_ONCE = 4  # partitions; a publisher is asked by few


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the caller of the flow has found out already, and who is told how it goes on."""

    found: list[Found]
    watch: Watch | None


_prepared: ContextVar[Prepared | None] = ContextVar("_prepared", default=None)


@contextlib.contextmanager
def prepared(found: list[Found], watch: Watch | None) -> Iterator[None]:
    """Let a backfill within take this plan for its own: somebody has seen it, and each HEAD request is sent once."""
    token = _prepared.set(Prepared(found, watch))
    try:
        yield
    finally:
        _prepared.reset(token)


@flow(name="backfill", flow_run_name="backfill")  # a name without a hyphen: infra/alerts.tf
def backfill(
    contracts: list[str],
    first: str | None = None,
    last: str | None = None,
    at_once: int = AT_ONCE,
    on: str | None = None,
) -> Backfilled:
    """Land what is not up to date of many periods of many data sets; one that fails does not stop the others.

    Args:
        contracts: The data sets: files in flows/contracts/.
        first: The first period; each contract's own if it is left out. Snapshots land as they are.
        last: The last period, included; the last one that is over if it is left out.
        at_once: How many partitions at once.
        on: The work pool, where each partition is a run of its own; all land in this run if it is left out.
    """
    join_run_log(*contracts)
    values = settings.read()
    orders = take_orders(values, contracts, first, last)
    destination = connect(values)
    given = _prepared.get()
    found = given.found if given else tasks.survey(destination, orders)
    land = OnPool(values, destination, on, at_once) if on else Here(at_once)
    report = gather(found, land, given.watch if given else None)
    return told(report, values.environment, "backfill", upkeep.of_backfill(report))


if __name__ == "__main__":
    import sys

    from flows.cli.main import main

    sys.argv[1:1] = ["backfill"]
    main()
