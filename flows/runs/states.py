"""Prefect's word on the runs of one work pool, and how it is corrected."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkerFilter,
    WorkerFilterStatus,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.states import AwaitingRetry, Cancelled, Crashed

PAGE = 200  # the most that the server gives at once
OPEN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
WORKER = "prefect.worker.name"  # a run's label, given by the worker that took it
REPEATED = "Run again by recover"
GIVEN_UP = "recover-gave-up"


@dataclass(frozen=True, slots=True)
class Run:
    """A flow run as Prefect has it.

    `since` is when it came into this state and `message` why, `worker` who took it last, if that one said so.
    `repeats` counts how often recover ran it again.
    """

    id: UUID
    name: str
    state: StateType
    state_id: UUID
    since: dt.datetime
    message: str
    worker: str | None
    repeats: int
    given_up: bool
    repeatable: bool

    @property
    def final(self) -> bool:
        """Whether Prefect expects nothing more of it."""
        return self.state in {StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED}


def read(client: SyncPrefectClient, work_pool: str, crashed_after: dt.datetime, ids: Iterable[str] = ()) -> list[Run]:
    """Read the pool's runs that are pending, running or cancelling, or crashed of late, and those of these ids.

    An id that is none of a run's is left out, and so are runs with a region of their own: their jobs are not looked at.
    """
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[work_pool]))
    crashed = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED])),
        end_time=FlowRunFilterEndTime(after_=crashed_after),
    )
    still = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN)))
    found = {run.id: run for runs in (still, crashed) for run in _pages(client, runs, pool)}
    others = [known for each in ids if (known := _uuid(each)) and known not in found]
    for start in range(0, len(others), PAGE):
        named = FlowRunFilter(id=FlowRunFilterId(any_=others[start : start + PAGE]))
        found |= {run.id: run for run in _pages(client, named, None)}
    elsewhere = _elsewhere(client, found.values())
    return [_run(client, run, run.state) for run in found.values() if run.state and run.id not in elsewhere]


def at_work(client: SyncPrefectClient, work_pool: str) -> set[str]:
    """Name the pool's workers that Prefect hears from."""
    online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
    return {worker.name for worker in client.read_workers_for_work_pool(work_pool, online)}


def crash(client: SyncPrefectClient, run_id: UUID, why: str) -> bool:
    """Set a run to Crashed; tells whether Prefect agreed, which it does not if the run has ended meanwhile."""
    return _set(client, run_id, Crashed(message=why))


def cancel(client: SyncPrefectClient, run_id: UUID, why: str) -> bool:
    """Set a run that is being cancelled to Cancelled; tells whether Prefect agreed."""
    return _set(client, run_id, Cancelled(message=why))


def repeat(client: SyncPrefectClient, run_id: UUID, why: str) -> bool:
    """Schedule a crashed run once more, with its parameters; tells whether Prefect agreed.

    It does not if the run has no deployment (any more).
    """
    return _set(client, run_id, AwaitingRetry(message=f"{REPEATED}: {why}"))


def give_up(client: SyncPrefectClient, run_id: UUID, _why: str) -> bool:
    """Tag a run, so that it is spoken of once."""
    client.update_flow_run(run_id, tags=[*client.read_flow_run(run_id).tags, GIVEN_UP])
    return True


def _set(client: SyncPrefectClient, run_id: UUID, state: State) -> bool:
    return client.set_flow_run_state(run_id, state).status == SetStateStatus.ACCEPT


def _pages(client: SyncPrefectClient, runs: FlowRunFilter, pool: WorkPoolFilter | None) -> Iterator[FlowRun]:
    offset = 0
    while page := client.read_flow_runs(flow_run_filter=runs, work_pool_filter=pool, limit=PAGE, offset=offset):
        yield from page
        offset += len(page)


def _elsewhere(client: SyncPrefectClient, runs: Iterable[FlowRun]) -> set[UUID]:
    """Name the runs whose job variables, or whose deployment's, send them to another region than the pool's."""
    deployments = DeploymentFilter(id=DeploymentFilterId(any_=list({run.deployment_id for run in runs} - {None})))
    away = {
        each.id for each in client.read_deployments(deployment_filter=deployments) if "region" in each.job_variables
    }
    return {run.id for run in runs if run.deployment_id in away or "region" in (run.job_variables or {})}


def _run(client: SyncPrefectClient, run: FlowRun, state: State) -> Run:
    history = client.read_flow_run_states(run.id) if state.type in {*OPEN, StateType.CRASHED} else []
    return Run(
        run.id,
        run.name,
        state.type,
        state.id,
        state.timestamp,
        state.message or "",
        str(run.labels[WORKER]) if WORKER in run.labels else None,
        sum((each.message or "").startswith(REPEATED) for each in history),
        GIVEN_UP in run.tags,
        run.deployment_id is not None,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
