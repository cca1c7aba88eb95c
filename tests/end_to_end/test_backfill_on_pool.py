"""A backfill whose partitions are runs of a work pool, at a real Prefect server; the test plays the worker."""

import datetime as dt
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import LogCreate, WorkPoolCreate
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.states import Completed, Failed, Pending, Running
from prefect.utilities.urls import url_for

from flows.web_to_bigquery import web_to_bigquery
from tests.end_to_end.place import Place
from tests.end_to_end.runner import Run
from tests.prefect_api import prefect_api


@dataclass
class Worker:
    """Takes runs of the place's pool, and does what a Cloud Run job would."""

    place: Place
    api: SyncPrefectClient

    @property
    def pool(self) -> str:
        return f"landfall-{self.place.name}"

    def make(self) -> None:
        """Make the pool and the deployment, and let Prefect hear of the worker."""
        self.api.create_work_pool(WorkPoolCreate(name=self.pool, type="process"))
        self.api.send_worker_heartbeat(self.pool, "test", heartbeat_interval_seconds=600)
        self.api.create_deployment(
            self.api.create_flow(web_to_bigquery),
            f"any-{self.place.name}",
            work_pool_name=self.pool,
            entrypoint="flows/web_to_bigquery.py:web_to_bigquery",
            parameter_openapi_schema={"type": "object", "properties": {}},
        )

    def take(self, number: int) -> list[FlowRun]:
        """Wait until so many runs are given out at once, and take them."""
        deadline = time.monotonic() + 60
        while len(given := self.api.get_scheduled_flow_runs_for_work_pool(self.pool)) < number:
            assert time.monotonic() < deadline, given
            time.sleep(0.1)
        runs = [each.flow_run for each in given]
        for run in runs:
            self.api.set_flow_run_state(run.id, Pending())
            self.api.set_flow_run_state(run.id, Running())
        return runs

    def runs(self) -> list[FlowRun]:
        """Read all runs that the pool ever got."""
        pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[self.pool]))
        return self.api.read_flow_runs(work_pool_filter=pool)

    def land(self, run: FlowRun) -> None:
        """Land what a run asks for, and complete it."""
        done = self.place.run(run.parameters["contract"], run.parameters["first"])
        assert done.code == 0, done.text
        self.api.set_flow_run_state(run.id, Completed())

    def fail(self, run: FlowRun, why: str) -> None:
        self.api.set_flow_run_state(run.id, Failed(message=f"Flow run encountered an exception: {why}"))


@pytest.fixture
def worker(place: Place, cloud: dict[str, str]) -> Iterator[Worker]:
    with prefect_api(cloud) as api:
        made = Worker(place, api)
        made.make()
        yield made


def until_said(run: Run, text: str, times: int = 1) -> None:
    deadline = time.monotonic() + 60
    while run.text.count(text) < times:
        assert time.monotonic() < deadline, run.text
        time.sleep(0.05)


def start(place: Place, command: str, *arguments: str) -> Run:
    return place.start(command, *arguments, flow="landfall")


def test_each_partition_is_a_run_and_after_ctrl_c_the_same_command_watches_the_same_runs(
    worker: Worker, place: Place, january: list[str]
) -> None:
    months = [f"2013-0{month}" for month in range(1, 5)]
    for n, month in enumerate(months):
        place.publish(month, january[10 * n : 10 * n + 10])
    asked = ("flights", "--from", "2013-01", "--to", "2013-04", "--on", worker.pool, "--at-once", "2")
    watched = start(place, "backfill", *asked)
    first, second = worker.take(2)
    worker.land(first)
    worker.fail(second, "PartitionsFailed: 1 partition failed; it has no luck")
    taken = {each.id: each for each in worker.take(2)}
    watched.kill(signal.SIGINT)
    assert watched.wait() == 130
    assert watched.text.splitlines()[-2:] == [
        "1 partition landed, 1 failed, 2 at work: 10 source rows = 10 loaded + 0 quarantined",
        f"to go on: landfall backfill {' '.join(asked)}",
    ], watched.text

    again = start(place, "backfill", *asked)
    until_said(again, ": run backfill-flights-2013-0", 3)
    for each in taken.values():
        worker.land(each)
    (anew,) = worker.take(1)
    assert anew.parameters == second.parameters
    worker.land(anew)
    assert again.wait() == 0, again.text
    assert again.last_line == "3 partitions landed, 1 up to date: 30 source rows = 30 loaded + 0 quarantined"
    assert {each.id for each in worker.runs()} == {first.id, second.id, anew.id, *taken}
    assert sum(place.landed(month).total() for month in months) == 40


def test_a_run_elsewhere_is_watched_to_its_end_with_its_log_and_its_link(
    worker: Worker, place: Place, january: list[str]
) -> None:
    place.publish("2013-01", january[:10])
    watched = start(place, "run", "flights", "2013-01", "--on", worker.pool)
    (run,) = worker.take(1)
    assert (run.parameters, worker.api.read_flow_run(run.id).work_queue_name) == (
        {"contract": "flights", "first": "2013-01"},
        "default",
    )
    line = LogCreate(name="l", level=20, message="half of it", timestamp=dt.datetime.now(dt.UTC), flow_run_id=run.id)
    worker.api.request("POST", "/logs/", json=[line.model_dump(mode="json")])
    until_said(watched, " | half of it\n")
    worker.land(run)
    assert watched.wait() == 0
    lines = watched.text.splitlines()
    assert lines[0] == f"run {run.name} is scheduled, {url_for(run)}"
    assert (lines[-1], place.landed().total()) == (f"run {run.name} is completed", 10)
    assert "/runs/flow-run/" in lines[0]

    watched = start(place, "run", "flights", "2013-01", "--on", worker.pool)
    (run,) = worker.take(1)
    worker.fail(run, "PartitionsFailed: it has no luck")
    assert (watched.wait(), watched.last_line) == (
        *(1, f"its run {run.name} is failed: PartitionsFailed: it has no luck"),
    )

    watched = start(place, "run", "flights", "2013-01", "--on", worker.pool)
    until_said(watched, " is scheduled, ")
    watched.kill(signal.SIGINT)
    assert watched.wait() == 130
    (run,) = worker.take(1)
    assert watched.last_line == f"run {run.name} goes on without this; to end it: prefect flow-run cancel {run.id}"
