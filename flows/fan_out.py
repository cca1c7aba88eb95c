"""Many landings at once: in this process, or each as a run of its own in a work pool."""

import dataclasses
import logging
import time
from asyncio import CancelledError  # what Prefect raises in a thread that was about to begin
from collections.abc import Sequence
from concurrent.futures import CancelledError as NotBegun
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.futures import PrefectConcurrentFuture, as_completed
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows import tasks
from flows.backfilled import Ended, Status, Told
from flows.etl import ledger
from flows.etl.destination import Destination
from flows.etl.plan import Found
from flows.etl.recheck import Rechecked
from flows.runs import deployed
from flows.settings import Settings

POLL_S = 2.0
Runs = dict[UUID, tuple[Found, FlowRun]]

log = logging.getLogger("flows.etl.backfill")  # below flows.etl, which goes to the run's log in Prefect


@dataclass(frozen=True, slots=True)
class Here:
    """Landings as tasks of this run, some at once."""

    at_once: int

    def __call__(self, due: Sequence[Found], told: Told) -> list[Ended]:
        """Land all; after Ctrl-C those that are at work, and no other.

        Gives an end for each that came to one; the others were not begun.
        """
        ended: list[Ended] = []
        runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=self.at_once)
        with runner:
            futures = [_submit(runner, each) for each in due]
            open_ = {future.task_run_id: (found, future) for found, future in zip(due, futures, strict=True)}
            try:
                for ready in as_completed([*futures]):
                    end(*open_.pop(ready.task_run_id), ended, told)
            except KeyboardInterrupt:
                told.stop("what is at work comes to its end first; Ctrl-C again does not wait for it")
                runner.cancel_all()
                for found, future in open_.values():
                    end(found, future, ended, told)
        return ended


def _submit(runner: ThreadPoolTaskRunner[Any], found: Found) -> PrefectConcurrentFuture[Any]:
    landing = dataclasses.replace(found.landing, flow_run_id=flow_run.id)
    return runner.submit(tasks.recheck if found.unchecked else tasks.land, {"landing": landing})


def end(found: Found, future: PrefectConcurrentFuture[Any], ended: list[Ended], told: Told) -> None:
    """Add what became of a landing to the others' ends; one that was stopped before it began came to none."""
    try:
        outcome: object = future.result(raise_on_failure=False)
    except (NotBegun, CancelledError):
        return
    if isinstance(outcome, (NotBegun, CancelledError)):
        return
    ended.append(_outcome(found, outcome))
    told.end(found, ended[-1])


def _outcome(found: Found, outcome: object) -> Ended:
    if isinstance(outcome, tasks.Done) and outcome.loaded:
        claim = outcome.claim
        counts = (claim.source_bytes, claim.source_rows, claim.quarantined_rows, outcome.loaded.warehouse_rows)
        return Ended(*found.key, "landed", None, *counts, flow_run.id)
    if isinstance(outcome, Rechecked):
        return Ended(*found.key, "re-checked", flow_run_id=flow_run.id)
    return Ended(*found.key, "failed", str(outcome) or type(outcome).__name__, flow_run_id=flow_run.id)


@dataclass(frozen=True, slots=True)
class OnPool:
    """Landings as runs of a work pool, one a partition; its queue lets some at once."""

    settings: Settings
    destination: Destination
    pool: str
    at_once: int

    def __call__(self, due: Sequence[Found], told: Told) -> list[Ended]:
        """Start a run for each that has none yet, and watch them all; after Ctrl-C they go on without.

        Gives an end for each that has a run.

        Raises:
            SettingsError: the deployment is missing, or it is another pool's.
        """
        if not due:
            return []
        with get_client(sync_client=True) as client:
            deployment = deployed.find(client, deployed.LANDING, self.settings.environment, self.pool)
            deployed.limit(client, self.pool, self.at_once)
            for warning in deployed.hindrances(client, self.pool, deployed.QUEUE):
                log.warning("%s", warning)
            runs: Runs = {}
            try:
                for each in due:
                    run = deployed.start(client, deployment, self.settings.environment, each.landing)
                    runs[run.id] = each, run
                    log.info("%s: %s", each.landing, deployed.said(run))
                ended = self._watch(client, runs, told)
            except KeyboardInterrupt:
                told.stop(
                    "the runs that were started go on without this; to hold back those that wait:"
                    f" prefect work-queue pause {deployed.QUEUE} --pool {self.pool}"
                )
                ended = [_so_far(found, run) for found, run in _read_again(client, runs).values()]
        return self._with_counts(ended)

    def _watch(self, client: SyncPrefectClient, runs: Runs, told: Told) -> list[Ended]:
        """Wait until all have ended; *runs* are kept as they are."""
        ended: list[Ended] = []
        open_ = {*runs}
        while open_:
            try:
                now = {run.id: run for run in deployed.read(client, open_)}
            except httpx.TransportError as error:  # they go on meanwhile
                log.warning("Prefect does not answer (%s), asking again", error)
                now = {each: runs[each][1] for each in open_}
            for each in [*open_]:
                found, run = runs[each][0], now.get(each)
                if run and not (run.state and run.state.is_final()):
                    runs[each] = found, run
                    continue
                open_.discard(each)
                ended.append(_so_far(found, run) if run else Ended(*found.key, "failed", "somebody deleted its run"))
                told.end(found, ended[-1])
            if open_:
                waiting = sum(runs[each][1].state_type == StateType.SCHEDULED for each in open_)
                told.wait(len(open_) - waiting, waiting)
                time.sleep(POLL_S)
        return ended

    def _with_counts(self, ended: Sequence[Ended]) -> list[Ended]:
        """Add what the ledger says of those that landed: one query a contract."""
        rows = {
            (name, row.partition): row
            for name in dict.fromkeys(each.contract for each in ended if each.status == "landed")
            for row in ledger.rows(self.destination, name)
            if row.status == "loaded"
        }
        counted = []
        for each in ended:
            row = rows.get((each.contract, each.partition)) if each.status == "landed" else None
            counted.append(
                dataclasses.replace(
                    each,
                    source_bytes=row.source_bytes,
                    source_rows=row.source_rows,
                    quarantined_rows=row.quarantined_rows,
                    warehouse_rows=row.warehouse_rows,
                )
                if row
                else each
            )
        return counted


def _read_again(client: SyncPrefectClient, runs: Runs) -> Runs:
    """Look once more what became of runs, if Prefect answers."""
    try:
        return {run.id: (runs[run.id][0], run) for run in deployed.read(client, runs)}
    except httpx.TransportError:
        return runs


def _so_far(found: Found, run: FlowRun) -> Ended:
    """Say what became of a run until now."""
    why = None
    match run.state_type:
        case StateType.COMPLETED:
            status: Status = "re-checked" if found.unchecked else "landed"
        case StateType.FAILED | StateType.CRASHED | StateType.CANCELLED:
            status, why = "failed", deployed.why(run)
        case StateType.SCHEDULED:
            status = "scheduled"
        case _:
            status = "at work"
    return Ended(*found.key, status, why, flow_run_id=str(run.id))
