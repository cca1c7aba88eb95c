"""The whole of it with Prefect's server, on a machine that is not connected."""

import sys
from dataclasses import replace

import urllib3

from tests.localcloud.supervisor.laptop import Laptop
from tests.localcloud.supervisor.offline import Offline
from tests.localcloud.supervisor.test_loopback import listening, named

FLOW = """
from prefect import flow

@flow
def answer() -> int:
    return 42

print(answer())
"""


def test_prefect_serves_its_ui_runs_a_flow_and_reaches_no_other_host(laptop: Laptop, offline: Offline) -> None:
    laptop = replace(laptop, environment=offline.added_to(laptop.environment))
    up = laptop.run("up")
    assert (up.returncode, up.stderr) == (0, "")

    *_others, last = up.stdout.splitlines()
    name, ui, healthy = last.split()
    assert (name, healthy) == ("prefect", "healthy")
    assert b"<title>Prefect" in urllib3.request("GET", ui).data
    assert urllib3.request("GET", f"{ui}/ui-settings").json()["api_url"] == f"{ui}/api"
    settings = urllib3.request("GET", f"{ui}/api/admin/settings").json()["server"]
    assert (settings["analytics_enabled"], settings["ui"]["show_promotional_content"]) == (False, False)
    # the server would fetch this list from GitHub; it falls back to its own
    workers = urllib3.request("GET", f"{ui}/api/collections/views/aggregate-worker-metadata")
    assert "prefect-gcp" in workers.json()

    assert listening(laptop.records()) == named(laptop.records())

    finished = laptop.run("exec", "--", sys.executable, "-c", FLOW)

    assert (finished.returncode, finished.stdout) == (0, "42\n")
    runs = urllib3.request("POST", f"{ui}/api/flow_runs/filter", json={}).json()
    assert [run["state_type"] for run in runs] == ["COMPLETED"]
    assert laptop.run("down").stdout == "stopped cloud, prefect\n"
    assert offline.refused() == []
