"""`landfall serve` as a process in a group of its own, as in a terminal."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.end_to_end.place import Place, content
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[2]


def wait(until: Callable[[], object], what: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, what
        time.sleep(0.2)


@contextmanager
def serving(variables: dict[str, str], said: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start it, and wait until it asks for runs; what it says on standard output alone is in `<said>.out`."""
    with said.open("wb") as log, said.with_suffix(".out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "serve", *options],
            env={**variables, "PYTHONPATH": str(ROOT), "PREFECT_RUNNER_POLL_FREQUENCY": "1"},
            cwd=said.parent,
            stdout=out if "--json" in options else log,
            stderr=log,
            start_new_session=True,
        )
        try:
            wait(lambda: "Ctrl-C stops" in said.read_text() or process.poll() is not None, "it did not begin to serve")
            assert process.poll() is None, said.read_text()
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ask(client: SyncPrefectClient, method: Any, path: Any, body: Any = None) -> Any:
    answer = client.request(method, path, json=body)
    return answer.json() if answer.content else None


@pytest.mark.timeout(300)
def test_runs_land_ctrl_c_cancels_what_is_at_work_and_a_pause_outlives_it(
    cloud: dict[str, str], place: Place, january: list[str], tmp_path: Path
) -> None:
    variables = {**os.environ, **cloud, **place.settings}
    place.publish("2013-01", january[:40])
    place.publish("2013-02", january[:20])
    february = place.publisher.files["/flights/flights_2013-02.csv.gz"]
    name = f"web-to-bigquery/flights-{place.name}-served"
    said = tmp_path / "first"
    with prefect_api(cloud) as client:
        with serving(variables, said, "flights", "--cron", "0 6 * * *", "--timezone", "America/New_York") as process:
            deployment = ask(client, "GET", f"/deployments/name/{name}")
            path = f"/deployments/{deployment['id']}"

            def start(month: str) -> str:
                asked = {"parameters": {"contract": "flights", "first": month, "last": month}}
                return str(ask(client, "POST", f"{path}/create_flow_run", asked)["id"])

            def state(run: str) -> str:
                return str(ask(client, "GET", f"/flow_runs/{run}")["state_type"])

            landing = start("2013-01")
            wait(lambda: state(landing) == "COMPLETED", "the run did not end")
            assert place.landed() == content(january[:40])

            february.held = threading.Event()
            at_work = start("2013-02")
            wait(lambda: "/flights/flights_2013-02.csv.gz" in place.publisher.asked("GET"), "it did not begin to read")
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the group
            assert process.wait(60) == 130
            assert state(at_work) == "CANCELLED"
            february.held.set()
        assert "stopped; runs that were at work are cancelled" in said.read_text()
        assert not ask(client, "GET", path)["paused"]

        (schedule,) = ask(client, "GET", path)["schedules"]
        ask(client, "PATCH", f"{path}/schedules/{schedule['id']}", {"active": False})
        said = tmp_path / "second"
        options = ("flights", "--cron", "0 6 * * *", "--timezone", "America/New_York", "--json")
        with serving(variables, said, *options) as process:
            (line,) = said.with_suffix(".out").read_text().splitlines()  # and nothing else, for programs
            assert json.loads(line) == {
                "deployment": name,
                "slug": "cron",
                "schedule": "cron 0 6 * * * America/New_York",
                "paused": True,
                "next_run": None,
            }
            (schedule,) = ask(client, "GET", path)["schedules"]
            assert schedule["active"] is False
            process.terminate()
            assert process.wait(60) == 0
        ask(client, "DELETE", path)


def test_what_cannot_be_served_exits_with_2_and_says_why(cloud: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "flows.cli", "serve", "fligths"],
        env={**os.environ, **cloud, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("fligths: found no such deployment, expected one of ")
