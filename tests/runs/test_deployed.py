"""Runs of a backfill at a real Prefect server: one at a time for each partition, and no more at work than asked for."""

import dataclasses
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, cast

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import AwaitingRetry, Cancelled, Completed, Crashed, Failed, Pending, Running

from flows.etl.contract import Column
from flows.etl.landing import Landing
from flows.etl.partition import Partition
from flows.runs import deployed
from flows.runs.states import GIVEN_UP
from flows.settings import SettingsError
from flows.web_to_bigquery import web_to_bigquery
from tests.etl.agreed import contract_of
from tests.prefect_api import prefect_api


@pytest.fixture(scope="module")
def api(cloud: dict[str, str]) -> Iterator[SyncPrefectClient]:
    with prefect_api(cloud) as client:
        yield client


@pytest.fixture
def environment(api: SyncPrefectClient) -> str:
    """An environment with a work pool and the deployment that lands anything."""
    name = f"b{uuid.uuid4().hex[:8]}"
    api.create_work_pool(WorkPoolCreate(name=f"landfall-{name}", type="process", concurrency_limit=20))
    deploy(api, name)
    return name


def deploy(api: SyncPrefectClient, environment: str) -> None:
    api.create_deployment(
        api.create_flow(web_to_bigquery),
        f"any-{environment}",
        work_pool_name=f"landfall-{environment}",
        entrypoint="flows/web_to_bigquery.py:web_to_bigquery",
        parameter_openapi_schema={"type": "object", "properties": {}},
    )


def find(api: SyncPrefectClient, environment: str) -> DeploymentResponse:
    return deployed.find(api, deployed.LANDING, environment, f"landfall-{environment}")


def landing(month: str = "2020-01", settled: int = -1) -> Landing:
    agreed = contract_of(Column(name="id", type="INT64"))
    return Landing(
        cast(Any, None), agreed, Partition.parse("month", month), "https://example.org/", None, settled, None
    )


def start(api: SyncPrefectClient, environment: str, what: Landing) -> FlowRun:
    return deployed.start(api, find(api, environment), environment, what)


def end(api: SyncPrefectClient, run: FlowRun, state: State[Any]) -> None:
    api.set_flow_run_state(run.id, state, force=True)


def test_a_run_gets_the_partition_and_waits_in_the_queue(api: SyncPrefectClient, environment: str) -> None:
    run = start(api, environment, landing())
    name = landing().contract.name
    assert (run.name, run.parameters, run.work_queue_name, run.state_name) == (
        *(f"backfill-{name}-2020-01", {"contract": name, "first": "2020-01"}, "backfill", "Scheduled"),
    )
    snapshot = dataclasses.replace(landing(), partition=Partition.parse("none", "all"))
    assert start(api, environment, snapshot).parameters == {"contract": name}


@pytest.mark.parametrize("state", [None, Pending(), Running(), AwaitingRetry()])
def test_while_a_partitions_run_is_scheduled_or_at_work_no_second_one_starts(
    api: SyncPrefectClient, environment: str, state: State[Any] | None
) -> None:
    first = start(api, environment, landing())
    if state:
        end(api, first, state)
    assert start(api, environment, landing()).id == first.id
    assert start(api, environment, landing("2020-02")).id != first.id


@pytest.mark.parametrize("state", [Failed(), Crashed(), Cancelled(), Completed()])
def test_after_a_run_that_ended_one_starts_anew_whoever_asks(
    api: SyncPrefectClient, environment: str, state: State[Any]
) -> None:
    first = start(api, environment, landing())
    end(api, first, state)
    second = start(api, environment, landing())
    assert (second.id != first.id, second.state_name) == (True, "Scheduled")
    assert start(api, environment, landing()).id == second.id
    end(api, second, state)
    assert start(api, environment, landing()).id not in {first.id, second.id}


def test_machines_that_ask_at_once_after_a_failure_get_one_run(api: SyncPrefectClient, environment: str) -> None:
    end(api, start(api, environment, landing()), Failed())
    found = find(api, environment)

    def ask() -> uuid.UUID:
        with get_client(sync_client=True) as own:
            return deployed.start(own, found, environment, landing()).id

    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(copy_context().run, ask) for _ in range(6)]  # with the server's address
        assert len({each.result() for each in asked}) == 1


def test_a_crashed_run_that_is_followed_by_another_is_not_run_again_by_recover(
    api: SyncPrefectClient, environment: str
) -> None:
    first = start(api, environment, landing())
    end(api, first, Crashed())
    start(api, environment, landing())
    start(api, environment, landing())
    assert api.read_flow_run(first.id).tags.count(GIVEN_UP) == 1


def test_what_has_landed_since_has_runs_of_its_own(api: SyncPrefectClient, environment: str) -> None:
    assert start(api, environment, landing()).id != start(api, environment, landing(settled=0)).id


def test_environments_that_share_a_server_share_no_run(api: SyncPrefectClient, environment: str) -> None:
    other = f"{environment}-2"
    api.create_work_pool(WorkPoolCreate(name=f"landfall-{other}", type="process"))
    deploy(api, other)
    assert start(api, environment, landing()).id != start(api, other, landing()).id


def test_a_worker_gets_as_many_runs_as_may_be_at_work(api: SyncPrefectClient, environment: str) -> None:
    pool = f"landfall-{environment}"
    deployed.limit(api, pool, 2)
    runs = [start(api, environment, landing(f"2020-{month:02}")) for month in range(1, 5)]

    def given() -> set[uuid.UUID]:
        return {each.flow_run.id for each in api.get_scheduled_flow_runs_for_work_pool(pool)}

    taken = given()
    assert (len(taken), taken <= {run.id for run in runs}) == (2, True)
    for run in runs:
        if run.id in taken:
            end(api, run, Running())
    assert given() == set()
    deployed.limit(api, pool, 3)
    assert len(given()) == 1


def test_what_keeps_runs_from_beginning_is_said_and_a_persons_pause_stays(
    api: SyncPrefectClient, environment: str
) -> None:
    pool = f"landfall-{environment}"
    deployed.limit(api, pool, 2)
    alone = f"the work pool {pool} has no worker that Prefect hears from: runs wait for one"
    assert deployed.hindrances(api, pool, "backfill") == [alone]
    api.send_worker_heartbeat(pool, "w", heartbeat_interval_seconds=30)
    assert deployed.hindrances(api, pool, "backfill") == []
    api.update_work_queue(api.read_work_queue_by_name("backfill", pool).id, is_paused=True)
    deployed.limit(api, pool, 4)
    assert deployed.hindrances(api, pool, "backfill") == [
        f"the queue backfill is paused: prefect work-queue resume backfill --pool {pool}"
    ]


def test_a_deployment_that_is_missing_or_elsewhere_is_refused_with_what_to_do(
    api: SyncPrefectClient, environment: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        deployed.find(api, deployed.LANDING, "nowhere", "p")
    assert str(refused.value) == (
        "web-to-bigquery/any-nowhere: found no such deployment, expected one: register it with"
        " `make deploy ENV=nowhere`, nothing was started"
    )
    with pytest.raises(SettingsError) as refused:
        deployed.find(api, deployed.LANDING, environment, "p")
    assert str(refused.value) == (
        f"web-to-bigquery/any-{environment}: found it in the work pool 'landfall-{environment}', expected 'p'; ask for"
        " that one, or change the deployment in prefect.yaml, nothing was started"
    )
