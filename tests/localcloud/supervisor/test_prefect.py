"""The whole of it with Prefect's server, on a machine that is not connected."""

import sys
from base64 import b64encode
from dataclasses import replace

import psutil
import urllib3
from prefect.client.schemas.objects import StateType

from tests.localcloud.supervisor.laptop import Laptop
from tests.localcloud.supervisor.offline import Offline
from tests.localcloud.supervisor.test_loopback import listening, named
from tests.prefect_api import prefect_api

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

    _time, password, *_others, last = up.stdout.splitlines()
    assert password.strip() == (f"Prefect's UI asks for a password: it is in {laptop.data / 'prefect' / 'auth-string'}")
    name, ui, healthy = last.split()
    assert (name, healthy) == ("prefect", "healthy")
    assert b"<title>Prefect" in urllib3.request("GET", ui).data
    assert urllib3.request("GET", f"{ui}/ui-settings").json()["api_url"] == f"{ui}/api"
    login = {"Authorization": f"Basic {b64encode(laptop.variables()['PREFECT_API_AUTH_STRING'].encode()).decode()}"}
    settings = urllib3.request("GET", f"{ui}/api/admin/settings", headers=login).json()["server"]
    assert (settings["analytics_enabled"], settings["ui"]["show_promotional_content"]) == (False, False)
    # the server would fetch this list from GitHub; it falls back to its own
    workers = urllib3.request("GET", f"{ui}/api/collections/views/aggregate-worker-metadata", headers=login)
    assert "prefect-gcp" in workers.json()

    refuses_strangers(laptop, ui, login)
    assert listening(laptop.records()) == named(laptop.records())

    finished = laptop.run("exec", "--", sys.executable, "-c", FLOW)

    assert (finished.returncode, finished.stdout) == (0, "42\n")
    with prefect_api(laptop.variables()) as api:
        runs = api.read_flow_runs()
    assert [run.state_type for run in runs] == [StateType.COMPLETED]
    assert laptop.run("down").stdout == "stopped cloud, prefect\n"
    assert offline.refused() == []


def refuses_strangers(laptop: Laptop, ui: str, login: dict[str, str]) -> None:
    """No answer without the auth string, no change by another site's script, and no way to read it for others."""
    blocks = f"{ui}/api/block_documents/filter"
    assert urllib3.request("POST", blocks, json={}).status == 403
    assert urllib3.request("GET", f"{ui}/api/admin/settings").status == 401
    assert urllib3.request("POST", blocks, json={}, headers=login).json() == {"detail": "Missing CSRF token."}
    origins = {}
    for origin in (ui, ui.replace("127.0.0.1", "localhost"), "http://elsewhere.example"):
        answer = urllib3.request("GET", f"{ui}/api/admin/version", headers={**login, "Origin": origin})
        origins[origin] = answer.headers.get("Access-Control-Allow-Origin")
    assert list(origins.values()) == [*list(origins)[:2], None]
    file = laptop.data / "prefect" / "auth-string"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    secret = laptop.variables()["PREFECT_API_AUTH_STRING"].partition(":")[2]
    assert file.read_text() == f"local:{secret}\n"
    assert len(secret) == 32
    groups = {record.identity.pid for record in laptop.records()}
    argv = [
        process.cmdline()
        for group in groups
        for process in [psutil.Process(group), *psutil.Process(group).children(recursive=True)]
    ]
    assert len(argv) >= 2
    assert secret not in str(argv)
    others = [path for path in laptop.data.rglob("*") if path.is_file() and path != file]
    assert [path for path in others if secret.encode() in path.read_bytes()] == []
