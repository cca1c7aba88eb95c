"""The stages of a landing as Prefect tasks, and the one place that says how each is retried."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from flows.etl import claims, lake, ledger, load, plan
from flows.etl.errors import ComeBackLater, StartOver, is_transient
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim
from flows.etl.load import Loaded
from flows.etl.postgres.landed import Landed
from flows.etl.postgres.landed import Landing as ToPostgres
from flows.etl.recheck import Rechecked
from flows.etl.recheck import recheck as recheck_
from flows.etl.reconcile import mend as mending
from flows.etl.reconcile import twice
from flows.etl.restore import restore as restore_
from flows.etl.sweep import sweep as sweep_
from flows.runs import place

if TYPE_CHECKING:
    from flows.etl.postgres.database import Database


def worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Retry what may go away by itself, and nothing else; nor a publisher that asked to be left alone."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, BaseException) and is_transient(error) and not isinstance(error, ComeBackLater)


def starts_over(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Bring a partition again from its source when the world moved on under it."""
    return isinstance(state.result(raise_on_failure=False), StartOver)


def may_go_on(task_: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Retry passing trouble, and what the world moved on under."""
    return worth_retrying(task_, run, state) or starts_over(task_, run, state)


# clients cannot be hashed, and what a stage does depends on the world: no result is ever reused
STAGE: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=1),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": worth_retrying,
    "cache_policy": NO_CACHE,
}
PARTITION: dict[str, Any] = {
    "retries": 5,
    "retry_delay_seconds": 1,
    "retry_condition_fn": starts_over,
    "cache_policy": NO_CACHE,
    "task_run_name": "{landing}",
}

FOUR_AT_ONCE: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=4)  # partitions, in one process

plan_from_web = task(name="plan", task_run_name="plan {order.contract.name}", **STAGE)(plan.from_web)
survey = task(name="plan", task_run_name="plan all", **STAGE)(plan.survey)
plan_from_lake = task(name="plan", task_run_name="plan {order.contract.name}", **STAGE)(plan.from_lake)
bring = task(name="bring", task_run_name="bring {source}", **STAGE)(lake.bring)
claim = task(name="claim", task_run_name="claim {landing}", **STAGE)(claims.claim)
restore = task(name="restore", task_run_name="restore {landing}", **STAGE)(restore_)
load_ = task(name="load", task_run_name="load {landing}", **STAGE)(load.finish)
record = task(name="record", task_run_name="record {loaded.claim.partition}", **STAGE)(ledger.record)
recheck = task(name="recheck", task_run_name="recheck {landing}", **STAGE)(recheck_)
sweep = task(name="sweep", **STAGE)(sweep_)
look = task(name="look", **STAGE)(place.look)
act = task(name="act", **STAGE)(place.act)
compare = task(name="compare", **STAGE)(twice.look)
mend = task(name="mend", task_run_name="mend {landing}", **{**STAGE, "retry_condition_fn": may_go_on})(mending.mend)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one partition, how long it took, and which checks warn of it."""

    claim: Claim | Landed
    loaded: Loaded | Landed | None
    seconds: float
    warnings: tuple[str, ...] = ()


@task(name="to-lake", **PARTITION)
def to_lake(landing: Landing) -> Done:
    """Bring one partition's file to the lake and claim it."""
    started = time.monotonic()
    upload = bring(landing.bucket, landing.source)
    return Done(claim(landing, upload), None, time.monotonic() - started, upload.warnings)


@task(name="to-warehouse", **PARTITION)
def to_warehouse(landing: Landing) -> Done:
    """Load one partition's newest claim and write it into the ledger."""
    started = time.monotonic()
    loaded = record(landing.destination, load_(landing))
    return Done(loaded.claim, loaded, time.monotonic() - started)


@task(name="land", **PARTITION)
def land(landing: Landing) -> Done:
    """Bring one partition all the way: what the publisher serves, or the older claim that is asked for."""
    started = time.monotonic()
    warnings: tuple[str, ...] = ()
    if landing.as_of is None:
        upload = bring(landing.bucket, landing.source)
        warnings = upload.warnings
        claim(landing, upload)
    else:
        restore(landing)
    loaded = record(landing.destination, load_(landing))
    return Done(loaded.claim, loaded, time.monotonic() - started, warnings)


# psycopg is an extra: what speaks to Postgres is imported when it is asked to


@task(name="plan", **STAGE)
def plan_to_postgres(database: "Database", order: plan.Order) -> plan.Plan[ToPostgres]:
    """Find which partitions are due in Postgres."""
    from flows.etl.postgres.plan import plan as planned  # noqa: PLC0415

    return planned(database, order)


@task(name="land", task_run_name="land {landing}", **{**STAGE, "retries": 5, "retry_condition_fn": may_go_on})
def land_in_postgres(landing: ToPostgres) -> Done:
    """Bring one partition to Postgres, in one transaction; a try whose reply was lost is found in the ledger."""
    from flows.etl.postgres.landing import land as landed_  # noqa: PLC0415

    started = time.monotonic()
    row, warnings = landed_(landing)
    return Done(row, row, time.monotonic() - started, warnings)


@task(name="recheck", task_run_name="recheck {landing}", **STAGE)
def recheck_in_postgres(landing: ToPostgres) -> Rechecked:
    """Hold rows that are in Postgres against changed checks."""
    from flows.etl.postgres.recheck import recheck as rechecked  # noqa: PLC0415

    return rechecked(landing)
