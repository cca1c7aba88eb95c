"""One backfill of many partitions as Cloud Run jobs, on a local cloud and a database of its own; what came of it."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from benchmarks.measure import served
from benchmarks.own_cloud import ROOT, image, own_cloud, python
from benchmarks.scale import warm, world
from benchmarks.scale.judge import Verdict, judge
from benchmarks.scale.postgres import Postgres, postgres
from benchmarks.scale.watch import Watch, trouble
from flows.runs.states import PAGE
from flows.web_to_bigquery import web_to_bigquery
from localcloud import environment as local
from localcloud.state import State
from localcloud.supervisor import addresses_of

IMAGE, POOL = "local/landfall:scale", "landfall-local"
SETTLE_S, IDLE_S = 20, 20  # the worker imports for some seconds, which is not what it takes without work
QUERY_S = "2"  # how often the worker asks for runs; 10 if nobody says otherwise


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the verdict, the runs' last states, how many were at work at once, and what it cost.

    `idle` is each process's CPU time a second while there was nothing to do.
    """

    database: str
    number: int
    verdict: Verdict
    states: Counter[str]
    containers: int
    at_work: int
    watch: Watch
    idle: dict[str, float]
    backfill_cpu_s: float
    last_line: str
    trouble: dict[str, dict[str, int]]

    @property
    def holds(self) -> bool:
        """Whether every row is there once, and Prefect says so too."""
        return not self.verdict.wrong and self.states == {"COMPLETED": self.number} and self.containers == self.number


def simulate(scratch: Path, database: str, number: int, at_once: int) -> Outcome:
    """Land *number* partitions, *at_once* of them at a time; Prefect's database is `SQLite` or `Postgres`."""
    data = scratch / "cloud"
    with ExitStack() as stack:
        found: Postgres | None = None
        settings: dict[str, str] = {}
        if database == "Postgres":
            found = stack.enter_context(postgres(scratch / "postgres"))
            settings[local.DATABASE] = found.url
            database = f"Postgres {found.version}"
        variables = stack.enter_context(own_cloud(data, **settings))
        world.publish(scratch / "files", number)
        publisher = stack.enter_context(served("http.server", "0", "-b", "127.0.0.1", "-d", str(scratch / "files")))
        variables["LANDFALL_PUBLISHER"] = publisher
        prefect_settings = {
            PREFECT_API_URL: variables["PREFECT_API_URL"],
            PREFECT_API_AUTH_STRING: variables["PREFECT_API_AUTH_STRING"],
            PREFECT_CLIENT_MAX_RETRIES: 0,  # no answer is one
        }
        stack.enter_context(temporary_settings(prefect_settings))
        client = stack.enter_context(get_client(sync_client=True))
        folder = _image(scratch, data)
        _register(variables, client, data, at_once)
        containers = stack.enter_context(_containers(scratch, folder, data, variables))
        worker = stack.enter_context(_worker(data, variables, scratch / "worker.log"))
        records = {record.name: record.identity.process() for record in State(data).records()}
        processes = {"server": records["prefect"], "cloud": records["cloud"], "worker": worker, "runs": containers}
        if found:
            processes["database"] = found.process
        watch = Watch(
            client,
            {name: process for name, process in processes.items() if process},
        )
        time.sleep(SETTLE_S)
        with Watch(client, watch.processes) as idle:
            time.sleep(IDLE_S)
        with watch:
            last_line, cpu_s = _backfill(folder, variables, number, at_once)
        runs = _runs(client)
        lake, warehouse = _clients(variables)
        logs = {"server": data / "logs" / "prefect.log", "worker": scratch / "worker.log", "runs": scratch / "all.log"}
        container_logs = list((data / "logs" / "run").glob("*.log"))
        logs["runs"].write_text("".join(log.read_text() for log in container_logs))
        return Outcome(
            database,
            number,
            judge(lake, warehouse, "landfall_local", number),
            Counter(run.state_type.value for run in runs if run.state_type),
            len(container_logs),
            _at_work(runs),
            watch,
            {name: spent / idle.wall_s for name, spent in idle.spent_s.items()},
            cpu_s,
            last_line,
            {name: trouble(log) for name, log in logs.items()},
        )


def _image(scratch: Path, data: Path) -> Path:
    """Make an image: the flows with the benchmark's contract, and the program that hands a container over."""
    made = image(scratch / "image", {world.CONTRACT: world.TOML})
    warm.command(scratch / "bin", scratch / "warm.socket")
    path = f"PATH={scratch / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    python(os.environ, "-m", "localcloud", "image", IMAGE, f"--folder={made}", f"--data={data}", f"--env={path}")
    return made


def _register(variables: Mapping[str, str], client: SyncPrefectClient, data: Path, at_once: int) -> None:
    """Make bucket, dataset, blocks and work pool, and the deployment that a backfill starts."""
    outputs = json.loads(python(variables, "-m", "localcloud", "provision", "--cloud-run", f"--data={data}"))
    outputs["work_pool_concurrency"]["value"] = at_once
    python(variables, "-m", "blocks", "--environment", "local", given=json.dumps(outputs))
    declared = {name: variables[name] for name in ("LANDFALL_ENVIRONMENT", "LANDFALL_PUBLISHER")}
    client.create_deployment(
        client.create_flow(web_to_bigquery),
        "any-local",
        work_pool_name=POOL,
        entrypoint="flows/web_to_bigquery.py:web_to_bigquery",
        pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": "."}}],
        job_variables={"image": IMAGE, "env": declared},
    )


@contextmanager
def _containers(scratch: Path, folder: Path, data: Path, variables: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Serve what containers run, from an environment such as theirs."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{folder}:{ROOT}",
        "HOME": str(scratch),
        "OPENBLAS_NUM_THREADS": "1",  # a fork takes other threads' locks along and not the threads
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "PREFECT_API_URL": variables["PREFECT_API_URL"],
        "PREFECT_API_AUTH_STRING": variables["PREFECT_API_AUTH_STRING"],
        **local.for_container(addresses_of(data)),
    }
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scale.warm", str(scratch / "warm.socket")]
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 - it was started with a pipe
            if process.stdout.readline() != "serving\n":
                raise RuntimeError("benchmarks.scale.warm: it did not start; its own words are on standard error")
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


@contextmanager
def _worker(data: Path, variables: Mapping[str, str], log: Path) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "localcloud", "worker", f"--data={data}", f"--pool={POOL}", "--wait-s=2"]
    environment = {**variables, "PREFECT_WORKER_QUERY_SECONDS": QUERY_S}
    with log.open("wb") as said, subprocess.Popen(command, env=environment, stdout=said, stderr=said) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def _backfill(folder: Path, variables: Mapping[str, str], number: int, at_once: int) -> tuple[str, float]:
    """Run the command that people type, and give its last line and its CPU time."""
    days = world.days(number)
    command = [sys.executable, "-W", "ignore", "-m", "flows.cli", "backfill", world.CONTRACT, "--from", days[0]]
    command += ["--to", days[-1], "--on", POOL, "--at-once", str(at_once), "--yes"]
    before = os.times()
    done = subprocess.run(
        command,
        env={**variables, "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines()
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-3000:], sep="\n", file=sys.stderr)
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return lines[-1], spent


def _runs(client: SyncPrefectClient) -> list[FlowRun]:
    """Read all runs but the backfill's own."""
    found: list[FlowRun] = []
    while page := client.read_flow_runs(limit=PAGE, offset=len(found)):
        found += page
    return [run for run in found if run.deployment_id]


def _at_work(runs: list[FlowRun]) -> int:
    """Count how many ran at the same time, at most."""
    starts = [(run.start_time.timestamp(), 1) for run in runs if run.start_time]
    ends = [((run.end_time or run.start_time).timestamp(), -1) for run in runs if run.start_time and run.end_time]
    most = now = 0
    for _, step in sorted(starts + ends):
        now += step
        most = max(most, now)
    return most


def _clients(variables: Mapping[str, str]) -> tuple[storage.Bucket, bigquery.Client]:
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    at = [{"api_endpoint": variables[name]} for name in ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")]
    lake = storage.Client("local", nobody, client_options=at[0]).bucket("landfall-local-lake")
    return lake, bigquery.Client("local", nobody, client_options=at[1])
