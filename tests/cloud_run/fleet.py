"""An environment whose runs are Cloud Run jobs: a work pool, Prefect's own worker, faults, and questions about them."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.states import Cancelling

from flows.recover import recover
from flows.web_to_bigquery import web_to_bigquery
from localcloud.supervisor import addresses_of
from tests.end_to_end.place import Place

ROOT = Path(__file__).parents[2]
IMAGE = "local/landfall:tests"
REGION = "us-central1"
JOBS = "run.projects.locations.jobs"
SLOW_S = 180  # until something that must come has come, on a machine that is busy


@dataclass
class Fleet:
    """A place with its Cloud Run side. `variables` are those of a process that uses the local cloud."""

    place: Place
    api: SyncPrefectClient
    variables: Mapping[str, str]
    logs: Path
    deployments: dict[str, UUID] = field(default_factory=dict)
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    scheduled: dict[UUID, str] = field(default_factory=dict)  # runs' names before they began, which their jobs bear

    @property
    def pool(self) -> str:
        return f"landfall-{self.place.name}"

    @property
    def _data(self) -> Path:
        return Path(self.variables["CLOUDSDK_CONFIG"]).parent

    def make(self) -> None:
        """Make what Terraform, `make blocks`, a build and `make deploy` make."""
        secret = f"landfall-{self.place.name}-prefect-api"
        secrets = f"{addresses_of(self._data)['secretmanager']}/v1/projects/local/secrets"
        ask("POST", f"{secrets}?secretId={secret}", {"replication": {"automatic": {}}})
        data = base64.b64encode(self.variables["PREFECT_API_AUTH_STRING"].encode()).decode()
        ask("POST", f"{secrets}/{secret}:addVersion", {"payload": {"data": data}})
        outputs = {
            "environment": self.place.name,
            "project_id": "local",
            "lake_bucket": self.place.bucket,
            "region": REGION,
            "run_service_account": "run@local.iam.gserviceaccount.com",
            "prefect_api_secret": secret,
            "prefect_auth": "auth_string",
            "log_level": "INFO",
            "work_pool": self.pool,
            "work_pool_concurrency": 20,
        }
        text = json.dumps({name: {"value": value} for name, value in outputs.items()})
        self._python("-m", "blocks", text=text)
        self._python("-m", "localcloud", "image", IMAGE, f"--folder={ROOT}", f"--data={self._data}")
        self.deploy("web_to_bigquery", web_to_bigquery)
        self.deploy("recover", recover)

    def deploy(self, name: str, flow: Flow[..., Any], **job_variables: str | int) -> None:
        """Register a deployment, or change what its jobs get."""
        function = flow.fn.__name__
        self.deployments[name] = self.api.create_deployment(
            self.api.create_flow(flow),
            f"{name}-{self.place.name}",
            work_pool_name=self.pool,
            entrypoint=f"flows/{function}.py:{function}",
            # without one Prefect copies the image's folder for each run, and what is in memory there counts
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": "."}}],
            job_variables={"image": IMAGE, "env": self.place.settings, **job_variables},
        )

    def _python(self, *arguments: str, text: str = "") -> None:
        command = [sys.executable, *arguments]
        environment = {**os.environ, **self.variables}
        subprocess.run(command, input=text, text=True, check=True, env=environment, capture_output=True)

    def work(self, name: str) -> None:
        """Start a worker, whose heart Prefect hears often."""
        quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_HEARTBEAT_SECONDS": "1"}
        with (self.logs / f"{name}.log").open("wb") as log:
            self.workers[name] = subprocess.Popen(
                [sys.executable, "-m", "localcloud", "worker", f"--data={self._data}", f"--pool={self.pool}",
                 "--wait-s=0.5", "--", f"--name={name}"],
                env={**os.environ, **self.variables, **quick}, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """End a worker without a word."""
        worker = self.workers.pop(name)
        worker.kill()
        worker.wait()

    def close(self) -> None:
        for worker in self.workers.values():
            worker.kill()
            worker.wait()

    def start(self, deployment: str, parameters: dict[str, Any], **job_variables: str | int) -> UUID:
        """Ask Prefect for a run."""
        run = self.api.create_flow_run_from_deployment(
            self.deployments[deployment], parameters=parameters, job_variables=job_variables
        )
        self.scheduled[run.id] = run.name
        return run.id

    def land(self, month: str, deployment: str = "web_to_bigquery", **job_variables: str | int) -> UUID:
        """Ask for a month of flights."""
        return self.start(deployment, {"contract": "flights", "first": month}, **job_variables)

    def state(self, run_id: UUID) -> State:
        state = self.api.read_flow_run(run_id).state
        assert state
        return state

    def history(self, run_id: UUID) -> list[str]:
        states = sorted(self.api.read_flow_run_states(run_id), key=lambda state: state.timestamp)
        return [state.name or "" for state in states if state.name != "Late"]  # a busy machine is

    def until(self, run_id: UUID, *names: str) -> str:
        """Wait for a run's state, and give its message."""
        wait_for(lambda: self.state(run_id).name in names, lambda: f"{names}: {self.history(run_id)}")
        return self.state(run_id).message or ""

    def until_jobless(self, run_id: UUID) -> None:
        """Wait until a run's Cloud Run job is removed."""
        wait_for(lambda: not self.jobs(run_id), lambda: f"a job is left: {self.jobs(run_id)}")

    def cancel(self, run_id: UUID) -> None:
        """Cancel a run as Prefect's UI does."""
        self.api.set_flow_run_state(run_id, Cancelling())

    def hears(self, worker: str) -> bool:
        workers = self.api.read_workers_for_work_pool(self.pool)
        return any((each.name, each.status) == (worker, "ONLINE") for each in workers)

    def said(self, run_id: UUID) -> str:
        """Read what the containers of a run's job said, and what the local Cloud Run said of them."""
        logs = (self._data / "logs" / "run").glob(f"{self.scheduled[run_id]}-*.log")
        return "".join(log.read_text() for log in logs)

    def jobs(self, run_id: UUID) -> dict[str, int]:
        """Name a run's Cloud Run jobs, with the number of their executions."""
        found = ask("GET", f"{self._run}/v2/projects/local/locations/{REGION}/jobs").get("jobs", [])
        return {
            job["name"].rpartition("/")[2]: job.get("executionCount", 0)
            for job in found
            if job["labels"].get("prefect-io-flow-run-id") == str(run_id)
        }

    def specs(self) -> dict[str, str]:
        """Read all that Cloud Run shows and keeps of jobs and executions: the API's answers, and its files."""
        found = ask("GET", f"{self._run}/v2/projects/local/locations/{REGION}/jobs")
        shown = {"jobs": json.dumps(found)}
        for job in found["jobs"]:
            shown[job["name"]] = json.dumps(ask("GET", f"{self._run}/v2/{job['name']}/executions"))
        # but what a container wrote into its own file system, which ends with it: there Prefect keeps its settings
        files = [path for path in (self._data / "cloudrun").rglob("*.json") if "files" not in path.parts]
        return shown | {str(path): path.read_text(errors="replace") for path in files}

    @contextlib.contextmanager
    def fault(self, method: str, status: str, times: int = 1, delay_s: float = 0) -> Iterator[None]:
        """Let the next calls of a method go wrong, and wait until all of them have begun to."""
        faults = f"{self._run}/localcloud/faults"
        before = len(ask("GET", faults)["faults"])
        ask("POST", faults, {"method": f"{JOBS}.{method}", "status": status, "times": times, "delay_s": delay_s})
        yield
        wait_for(lambda: ask("GET", faults)["faults"][before]["times"] == 0, lambda: f"{method} {status} never met")

    @property
    def _run(self) -> str:
        return self.variables["LANDFALL_CLOUD_RUN_ENDPOINT"]


def ask(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def wait_for(holds: Callable[[], bool], why: Callable[[], str]) -> None:
    deadline = time.monotonic() + SLOW_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {SLOW_S} s: {why()}"
        time.sleep(0.2)
