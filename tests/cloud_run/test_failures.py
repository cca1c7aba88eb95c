"""Runs as Cloud Run jobs, by Prefect's own worker, and everything that ends them: Prefect knows, and rows land once.

All of it happens in one story, for a job takes seconds to start; the tests are what is to be seen in it.
"""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags, WorkPoolFilter, WorkPoolFilterName

from benchmarks import yellow
from flows.backfill import backfill
from flows.web_to_bigquery import web_to_bigquery
from localcloud.publisher import package_data
from tests.cloud_run.fleet import Fleet, wait_for
from tests.end_to_end.place import Place, clients, content
from tests.end_to_end.runner import Run, Runner
from tests.prefect_api import prefect_api
from tests.publisher import Publisher

pytestmark = pytest.mark.timeout(900)  # of all, the story is told before the first

YELLOW = "yellow_tripdata_2021-01.csv.gz"
HELD_S = 50  # less than the minute after which the worker's HTTP client gives up
MONTHS = {
    "503": "2013-01",
    "create lost": "2013-02",
    "run lost": "2013-03",
    "memory": "2013-04",
    "timeout": "2013-05",
    "cancelled": "2013-06",
    "cancelled early": "2013-07",
    "watched": "2013-08",
    "not created": "2013-09",
    "not run": "2013-10",
}
SNAPSHOTS = {"airlines": 16, "airports": 1458}  # with their rows
TAKEN = ["Scheduled", "Pending", "Submitting"]


@dataclass
class Story:
    """What was seen: states and jobs of each run before and after the recovery, and what that said."""

    fleet: Fleet
    rows: dict[str, list[str]]
    runs: dict[str, UUID] = field(default_factory=dict)
    specs: dict[str, str] = field(default_factory=dict)
    before: dict[str, tuple[list[str], list[int]]] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    recovered: Run | None = None
    given_up: Run | None = None
    as_a_job: UUID | None = None
    backfill: UUID | None = None
    taxis: UUID | None = None
    later: Run | None = None

    def steps(self, what: str) -> list[str]:
        """Give what the recovery did about one of the runs."""
        assert self.recovered
        run, job = self.fleet.api.read_flow_run(self.runs[what]).name, self.fleet.scheduled[self.runs[what]]
        lines = (line.partition("flows.etl.recover - ")[2] for line in self.recovered.text.splitlines())
        of_run = (f"{run}:", f"{job}:")  # named before it began, or since
        return [line.partition(": ")[2] for line in lines if f"/{job}-" in line or line.startswith(of_run)]


@pytest.fixture(scope="module")
def story(
    cloud: dict[str, str], runner: Runner, january: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    with prefect_api(cloud) as api, Publisher() as publisher:
        place = Place(f"c{uuid.uuid4().hex[:8]}", runner, publisher, *clients(cloud))
        place.make()
        fleet = Fleet(place, api, cloud, tmp_path_factory.mktemp("workers"))
        fleet.make()
        try:
            month_of_taxis = tmp_path_factory.mktemp("taxis") / YELLOW
            yellow.make(month_of_taxis, 1)
            publisher.serve(f"/{YELLOW}", month_of_taxis.read_bytes())
            rows = {month: january[20 * n : 20 * n + 20] for n, month in enumerate(MONTHS.values())}
            told = Story(fleet, rows)
            _until_the_worker_dies(told)
            _recover(told)
            yield told
        finally:
            fleet.close()


def _until_the_worker_dies(story: Story) -> None:
    fleet, runs = story.fleet, story.runs
    for month, lines in story.rows.items():
        fleet.place.publish(month, lines)
    fleet.work("first")

    def land(
        what: str, *, held: bool = False, deployment: str = "web_to_bigquery", **job_variables: str
    ) -> threading.Event:
        gate = threading.Event()
        if held:
            fleet.place.publisher.files[f"/flights/flights_{MONTHS[what]}.csv.gz"].held = gate
        runs[what] = fleet.land(MONTHS[what], deployment, **job_variables)
        return gate

    with fleet.fault("create", "UNAVAILABLE", 2), fleet.fault("executions.get", "UNAVAILABLE", 2):
        land("503")
    with fleet.fault("create", "LOST"):
        land("create lost")
    with fleet.fault("run", "LOST"):
        land("run lost")
    land("memory", memory="160Mi")
    fleet.deploy("hurried", web_to_bigquery, timeout=15)
    timeout = land("timeout", held=True, deployment="hurried")
    cancelled = land("cancelled", held=True)
    watched = land("watched", held=True)
    land("cancelled early")
    fleet.until(runs["cancelled early"], "Pending", "Submitting")
    fleet.cancel(runs["cancelled early"])
    fleet.until(runs["cancelled"], "Running")
    fleet.cancel(runs["cancelled"])
    fleet.until(runs["watched"], "Running")
    story.specs = fleet.specs()
    for what in ("503", "run lost", "memory", "timeout", "cancelled", "cancelled early"):
        fleet.until(runs[what], "Completed", "Crashed", "Cancelled")
        fleet.until_jobless(runs[what])
    with fleet.fault("run", "UNAVAILABLE", delay_s=HELD_S):
        land("not run")
    with fleet.fault("create", "UNAVAILABLE", delay_s=HELD_S):
        land("not created")
    fleet.kill("first")
    for gate in (timeout, cancelled, watched):
        gate.set()


def _recover(story: Story) -> None:
    fleet, runs = story.fleet, story.runs
    fleet.work("second")
    fleet.until(runs["watched"], "Completed")
    wait_for(lambda: not fleet.hears("first"), lambda: "Prefect still hears the worker")
    story.before = {what: (fleet.history(run), list(fleet.jobs(run).values())) for what, run in runs.items()}
    fleet.deploy("hurried", web_to_bigquery, timeout=600)  # a person gives it more time
    quickly = ("--repeats", "1", "--pause-s", "1.5")
    story.recovered = fleet.place.run(*quickly, flow="recover")
    source = f"{fleet.place.publisher.url}/{YELLOW}"
    story.taxis = fleet.start("web_to_bigquery", {"contract": "yellow_trips", "first": "2021-01", "source": source})
    for what in ("create lost", "timeout", "not created", "not run"):
        fleet.until(runs[what], "Completed")
    wait_for(lambda: fleet.history(runs["memory"]).count("Crashed") == 2, lambda: "it did not crash again")
    story.given_up = fleet.place.run(*quickly, flow="recover")
    story.backfill = _backfill(fleet)
    story.as_a_job = fleet.start("recover", {"repeats": 1, "pause_s": 1.5})
    story.later = fleet.place.run("flights", "2013-01", "2013-10")
    for run in (story.as_a_job, story.taxis, story.backfill):
        fleet.until(run, "Completed", "Failed", "Crashed")
    for run in (*runs.values(), story.as_a_job, story.taxis):
        fleet.until_jobless(run)
    story.after = {what: fleet.history(run) for what, run in runs.items()}


def _backfill(fleet: Fleet) -> UUID:
    """Ask for a backfill as a job, which asks for a job for each data set."""
    for name in SNAPSHOTS:
        fleet.place.publisher.serve(f"/{name}.csv", (package_data() / f"{name}.csv").read_bytes())
    fleet.deploy("any", web_to_bigquery)
    fleet.deploy("backfill", backfill)
    return fleet.start("backfill", {"contracts": [*SNAPSHOTS], "at_once": 2, "on": fleet.pool})


def test_a_503_on_create_and_on_poll_is_the_workers_to_wait_out(story: Story) -> None:
    assert story.before["503"] == ([*TAKEN, "Running", "Completed"], [])
    assert story.steps("503") == []


def test_a_job_that_was_created_though_the_reply_was_lost_is_removed_and_its_run_repeated(story: Story) -> None:
    assert story.before["create lost"] == ([*TAKEN, "Crashed"], [0])
    deleted, repeated = story.steps("create lost")
    assert deleted.startswith("delete, its run ")
    assert repeated.startswith("repeat, 1 of 1: Failed to submit flow run to infrastructure: HttpError: <HttpError 409")
    again = [*story.before["create lost"][0], "AwaitingRetry", "Pending", "Submitting", "Running", "Completed"]
    assert story.after["create lost"] == again


def test_a_run_whose_start_was_not_answered_ends_as_its_executions_do(story: Story) -> None:
    # httplib2 asks once more when an answer is lost, so that two executions of one run are at work
    states, jobs = story.before["run lost"]
    assert (states[:3], set(states[3:]), states[-1], jobs) == (TAKEN, {"Running", "Completed"}, "Completed", [])
    assert len(story.fleet.place.claims(MONTHS["run lost"])) == 1
    assert story.steps("run lost") == []


def test_a_run_that_always_exceeds_its_memory_is_repeated_in_vain_and_left_to_people(story: Story) -> None:
    assert (story.before["memory"][0][-1], story.before["memory"][1]) == ("Crashed", [])
    (repeated,) = story.steps("memory")
    assert repeated.startswith("repeat, 1 of 1: Flow run infrastructure exited with non-zero status code 1.")
    assert story.after["memory"].count("AwaitingRetry") == 1
    assert story.after["memory"][-1] == "Crashed"
    assert story.given_up
    assert story.given_up.code == 1
    name = story.fleet.api.read_flow_run(story.runs["memory"]).name
    assert f"{name}: it crashed again after 1 repeats" in story.given_up.text
    # tagged with its contract if it came so far
    assert {*story.fleet.api.read_flow_run(story.runs["memory"]).tags} - {"contract:flights"} == {"recover-gave-up"}


def test_a_run_that_exceeds_its_time_crashes_and_lands_when_repeated(story: Story) -> None:
    assert (story.before["timeout"][0][-1], story.before["timeout"][1]) == ("Crashed", [])
    assert [step.partition(",")[0] for step in story.steps("timeout")] == ["repeat"]
    assert story.after["timeout"][-1] == "Completed"


@pytest.mark.parametrize("what", ["cancelled", "cancelled early"])
def test_a_cancelled_run_stays_cancelled_and_leaves_no_job(story: Story, what: str) -> None:
    states, jobs = story.before[what]
    assert (states[-2:], jobs) == (["Cancelling", "Cancelled"], [])
    assert story.steps(what) == []
    assert story.after[what] == states


def test_a_run_goes_on_without_its_worker_and_its_job_is_removed(story: Story) -> None:
    assert story.before["watched"] == ([*TAKEN, "Running", "Completed"], [1])
    assert [step.partition(",")[0] for step in story.steps("watched")] == ["delete"]
    assert story.after["watched"] == story.before["watched"][0]


@pytest.mark.parametrize(
    ("what", "jobs", "done", "why"),
    [
        ("not created", [], ["crash", "repeat"], "it has no Cloud Run job"),
        ("not run", [0], ["delete", "crash", "repeat"], "its Cloud Run job was never started"),
    ],
)
def test_a_run_whose_worker_died_before_starting_it_is_found_and_repeated(
    story: Story, what: str, jobs: list[int], done: list[str], why: str
) -> None:
    assert story.before[what] == (TAKEN, jobs)
    steps = story.steps(what)
    assert [step.partition(",")[0] for step in steps] == done
    assert steps[-1] == f"repeat, 1 of 1: its worker first is gone, {why}"
    assert story.after[what] == [*TAKEN, "Crashed", "AwaitingRetry", "Pending", "Submitting", "Running", "Completed"]


def test_jobs_name_the_secret_with_prefects_auth_string_and_do_not_hold_it(story: Story) -> None:
    variables = [
        variable
        for job in json.loads(story.specs["jobs"])["jobs"]
        for variable in job["template"]["template"]["containers"][0]["env"]
        if variable["name"] == "PREFECT_API_AUTH_STRING"
    ]
    assert variables
    secret = f"landfall-{story.fleet.place.name}-prefect-api"
    assert {each["valueSource"]["secretKeyRef"]["secret"].rpartition("/")[2] for each in variables} == {secret}
    auth = story.fleet.variables["PREFECT_API_AUTH_STRING"]
    assert [where for where, text in story.specs.items() if auth in text] == []
    assert any(secret in text for where, text in story.specs.items() if where.startswith("/"))  # the files, too


def test_recover_runs_as_a_job_too_and_finds_nothing_more_to_do(story: Story) -> None:
    assert story.as_a_job
    assert story.fleet.history(story.as_a_job) == [*TAKEN, "Running", "Completed"]


def test_a_backfill_as_a_job_starts_a_job_for_each_data_set_and_watches_them(story: Story) -> None:
    assert story.backfill
    fleet = story.fleet
    assert fleet.history(story.backfill) == [*TAKEN, "Running", "Completed"]
    tagged = FlowRunFilter(tags=FlowRunFilterTags(all_=["backfill"]))
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[fleet.pool]))
    started = fleet.api.read_flow_runs(flow_run_filter=tagged, work_pool_filter=pool)
    assert {run.name: fleet.history(run.id) for run in started} == {
        f"backfill-{name}-all": [*TAKEN, "Running", "Completed"] for name in SNAPSHOTS
    }
    assert {name: fleet.place.ask(f"SELECT COUNT(*) FROM {{{name}}}") for name in SNAPSHOTS} == {
        name: [(rows,)] for name, rows in SNAPSHOTS.items()
    }


def test_a_later_run_lands_what_is_missing_and_every_row_is_there_once(story: Story) -> None:
    assert story.later
    # three never came to their end: memory, and the two that were cancelled
    assert story.later.last_line == ("3 partitions landed, 7 up to date: 60 source rows = 60 loaded + 0 quarantined"), (
        story.later.text
    )
    place = story.fleet.place
    for month, lines in story.rows.items():
        assert place.landed(month) == content(lines), month
    ledger = place.ask("SELECT partition, n FROM {landings_current} WHERE contract = 'flights' ORDER BY 1")
    assert ledger == [(month, 0) for month in sorted(story.rows)]
    assert len(place.objects("lake/flights/")) == len(story.rows)


def test_a_month_of_yellow_taxis_fits_the_512_mib_of_a_job(story: Story) -> None:
    assert story.taxis
    fleet = story.fleet
    run = fleet.api.read_flow_run(story.taxis)
    assert fleet.history(run.id) == [*TAKEN, "Running", "Completed"]
    assert fleet.place.ask("SELECT warehouse_rows FROM {landings} WHERE contract = 'yellow_trips'") == [(yellow.ROWS,)]
    # of all processes of the container, shared pages counted once, with its temporary files
    peak = re.search(r"peak memory ([0-9.]+) of 512\.0 MiB", fleet.said(run.id))
    assert peak
    assert 150 < float(peak[1]) < 400
