"""Runs of deployments: found, started at most once at a time, and looked after."""

from collections.abc import Iterable
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, WorkerFilter, WorkerFilterStatus
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from flows.etl.landing import Landing
from flows.etl.partition import SNAPSHOT
from flows.runs import states
from flows.settings import SettingsError

LANDING = "web-to-bigquery"  # the flow whose deployment `any-<environment>` lands what it is asked for
QUEUE = "backfill"  # of a work pool: its limit is how many partitions are at work at once
PRIORITY = 100  # behind what is scheduled; 1 goes first


def find(client: SyncPrefectClient, flow: str, environment: str, pool: str) -> DeploymentResponse:
    """Find the deployment that runs whatever it is asked for, in a work pool.

    Raises:
        SettingsError: there is none, or it runs in another work pool.
    """
    name = f"{flow}/any-{environment}"
    try:
        found = client.read_deployment_by_name(name)
    except ObjectNotFound as error:
        raise SettingsError(
            f"{name}: found no such deployment, expected one: register it with `make deploy ENV={environment}`,"
            " nothing was started"
        ) from error
    if found.work_pool_name != pool:
        raise SettingsError(
            f"{name}: found it in the work pool {found.work_pool_name!r}, expected {pool!r}; ask for that one, or"
            " change the deployment in prefect.yaml, nothing was started"
        )
    return found


def limit(client: SyncPrefectClient, pool: str, at_once: int) -> None:
    """Let *at_once* runs of the backfill queue be at work; the last word holds, for all backfills of the pool.

    The queue is made if it is absent, and stays paused if a person paused it.
    """
    try:
        queue = client.read_work_queue_by_name(QUEUE, work_pool_name=pool)
        client.update_work_queue(queue.id, concurrency_limit=at_once)
    except ObjectNotFound:
        client.create_work_queue(
            QUEUE,
            description="Backfills: one run a partition, as many at once as the last of them asked for.",
            concurrency_limit=at_once,
            priority=PRIORITY,
            work_pool_name=pool,
        )


def hindrances(client: SyncPrefectClient, pool: str, queue: str) -> list[str]:
    """Say what keeps a queue's runs from beginning, and what to do about it."""
    found = client.read_work_pool(pool)
    said = []
    if found.is_paused:
        said.append(f"the work pool {pool} is paused: prefect work-pool resume {pool}")
    if client.read_work_queue_by_name(queue, work_pool_name=pool).is_paused:
        said.append(f"the queue {queue} is paused: prefect work-queue resume {queue} --pool {pool}")
    online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
    if not (found.is_push_pool or found.is_managed_pool or client.read_workers_for_work_pool(pool, online)):
        said.append(f"the work pool {pool} has no worker that Prefect hears from: runs wait for one")
    return said


def start(client: SyncPrefectClient, deployment: DeploymentResponse, environment: str, landing: Landing) -> FlowRun:
    """Start a run that lands a partition, or give the one that is scheduled or at work for it.

    Prefect makes one run for one key. The key names the partition, what it is known to hold and the attempt: who comes
    after a run that has ended goes on to the next attempt, and all who come meanwhile get the same one.
    """
    name, partition = landing.contract.name, str(landing.partition)
    parameters = {"contract": name} | ({} if partition == SNAPSHOT else {"first": partition})
    attempt = 0
    while True:
        run = client.create_flow_run_from_deployment(
            deployment.id,
            name=f"backfill-{name}-{partition}",  # with a hyphen: infra/alerts.tf
            parameters=parameters,
            tags=[QUEUE],
            work_queue_name=QUEUE,
            idempotency_key=key(environment, landing, attempt),
        )
        if not (run.state and run.state.is_final()):
            return run
        if (
            run.state_type == StateType.CRASHED and states.GIVEN_UP not in run.tags
        ):  # recover would run it again beside the next one
            states.give_up(client, run.id, "")
        attempt += 1


def key(environment: str, landing: Landing, attempt: int) -> str:
    """Name a run for Prefect, which knows keys by flow: environments that share a server share the flow."""
    name, partition = landing.contract.name, landing.partition
    return f"landfall-{QUEUE}/{environment}/{name}/{partition}/after-{landing.settled}/{attempt}"


def read(client: SyncPrefectClient, ids: Iterable[UUID]) -> list[FlowRun]:
    """Read runs as they are now; one that somebody deleted is left out."""
    wanted = list(ids)
    pages = [wanted[start : start + states.PAGE] for start in range(0, len(wanted), states.PAGE)]
    return [
        run
        for page in pages
        for run in client.read_flow_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=page)), limit=states.PAGE
        )
    ]


def said(run: FlowRun) -> str:
    """Say where a run is seen and how it stands."""
    return f"run {run.name} is {str(run.state_name).lower()}, {url_for(run)}"


def why(run: FlowRun) -> str:
    """Say in Prefect's words why a run did not complete."""
    message = (run.state.message if run.state else None) or "Prefect does not say why"
    message = message.removeprefix("Flow run encountered an exception: ")
    return f"its run {run.name} is {str(run.state_name).lower()}: {message}"
