"""Secrets reach who is meant to have them, and nothing that is written, kept or shown."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.end_to_end.place import Place
from tests.prefect_api import prefect_api
from tests.publisher import File, Publisher

HEADER = "s3cr3t-0f-the-publisher-7391"
TOKEN = "t0ken-0f-the-contract-1846"  # noqa: S105 - in an address, where none should be
SIGNATURE = "s1gnature-0f-an-address-5508"
PASSWORD = "passw0rd-0f-a-database-2216"  # noqa: S105 - that is what it is for
SECRETS = {"header": HEADER, "token": TOKEN, "signature": SIGNATURE, "password": PASSWORD}
CONTRACT = """
revision = 1
description = "Trips"
owner = "data-team"
source = "{publisher}/trips/{yyyy}-{mm}-{dd}.csv?token=TOKEN"
format = "csv"
partition = "day"
first_partition = "2021-01-01"
columns = [{ name = "id", type = "INT64" }]
quarantine = { max_rows = 1 }
headers = { X-Key = "BLOCK" }
"""
PLANT = "tests.end_to_end.plants:secret"


def settings(place: Place, folder: Path, value: str = HEADER) -> dict[str, str]:
    block = f"key-of-{place.name}"
    (folder / "trips.toml").write_text(CONTRACT.replace("BLOCK", block).replace("TOKEN", TOKEN))
    return {"OTHER_CONTRACTS": str(folder), "SECRET_BLOCK": block, "SECRET_VALUE": value}


def run_id(text: str) -> str:
    return text.partition("/runs/flow-run/")[2][:36]


def all_that_prefect_shows(api: SyncPrefectClient, ran: str, environment: str) -> dict[str, str]:
    """Read all that the server shows of a run and of an environment, once the run's logs have come."""

    def ask(what: str, **query: Any) -> str:
        said = api.request("POST", cast(Any, f"/{what}/filter"), json={"limit": 200, **query}).text
        assert "exception" not in said[:20], said
        return said

    of_run = {"flow_runs": {"id": {"any_": [ran]}}}
    deadline = time.monotonic() + 30  # the client sends logs in batches
    while "failed" not in (logs := ask("logs", logs={"flow_run_id": {"any_": [ran]}})):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    named = {"name": {"like_": environment}}
    return {
        "logs": logs,
        "flow runs": ask("flow_runs", **of_run),
        "task runs": ask("task_runs", **of_run),
        "artifacts": ask("artifacts", artifacts={"flow_run_id": {"any_": [ran]}}),
        "events": ask("events", limit=50, filter={"any_resource": {"id": [f"prefect.flow-run.{ran}"]}}),
        "blocks": ask("block_documents", block_documents=named),
        "pools": ask("work_pools", limit=200),
        "deployments": ask("deployments"),
    }


def register(place: Place, cloud: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Register the place's blocks and work pool as `make blocks` does, with a database whose password is given."""
    values = {
        "environment": place.name,
        "project_id": "local",
        "lake_bucket": place.bucket,
        "region": "us-central1",
        "run_service_account": "run@local.iam.gserviceaccount.com",
        "log_level": "INFO",
        "prefect_api_secret": f"landfall-{place.name}-prefect-api",
        "prefect_auth": "auth_string",
        "work_pool": f"landfall-{place.name}",
        "work_pool_concurrency": 4,
        "database_url": "postgresql+psycopg2://etl@db.example.org:5432/trips",
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "blocks", "--environment", place.name],
        input=json.dumps({name: {"value": value} for name, value in values.items()}),
        env={**os.environ, **cloud, "LANDFALL_DATABASE_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )


def all_that_landed(place: Place) -> dict[str, str]:
    """Read the place's ledger, its table and all of its lake."""
    told = {name: str(place.ask(f"SELECT * FROM {{{name}}}")) for name in place.tables()}
    for blob in place.storage.list_blobs(place.bucket):
        told[blob.name] = f"{blob.name} {blob.metadata} {blob.download_as_bytes().decode('latin-1')}"
    return told


def files_with(folder: Path, secret: str) -> list[Path]:
    """List the files below a folder that hold a secret; services go on writing there, and some may be gone by now."""

    def holds(path: Path) -> bool:
        try:
            return secret.encode() in path.read_bytes()
        except FileNotFoundError:
            return False

    return [path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and holds(path)]


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Path]]:
    """Where the local cloud and its Prefect server keep a text, of all that they keep."""
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "cloud"
    return lambda text: files_with(folder, text)


@pytest.mark.timeout(240)
def test_secrets_reach_whom_they_are_for_and_nothing_else(
    place: Place, tmp_path: Path, cloud: dict[str, str], kept: Callable[[str], list[Path]]
) -> None:
    given = {"plant": PLANT, **settings(place, tmp_path)}
    with Publisher() as elsewhere:
        elsewhere.serve("/moved.csv", b"id\n3\n")
        place.publisher.files |= {
            "/trips/2021-01-01.csv": File(b"id\n1\n2\nnone\n"),  # one of them into quarantine
            "/trips/2021-01-02.csv": File(b"", status=401),
            "/trips/2021-01-03.csv": File(
                b"", status=302, headers={"Location": f"{elsewhere.url}/moved.csv?X-Goog-Signature={SIGNATURE}"}
            ),
            "/trips/2021-01-04.csv": File(b"id\nnone\nnone\n"),
        }
        run = place.run("trips", "2021-01-01", "2021-01-04", **given)
        assert run.last_line == "2 partitions landed, 2 failed: 4 source rows = 3 loaded + 1 quarantined", run.text
        assert {headers.get("X-Key") for headers in place.publisher.headers} == {HEADER}
        assert set(place.publisher.queries) == {f"token={TOKEN}"}
        # another address is not the contract's: its query goes with it, the contract's header does not
        signed = f"{elsewhere.url}/moved.csv?X-Goog-Signature={SIGNATURE}"
        by_hand = place.run("trips", "2021-01-02", "--source", signed, **given)
        assert by_hand.code == 0, by_hand.text
        assert set(elsewhere.queries) == {f"X-Goog-Signature={SIGNATURE}"}
        assert {headers.get("X-Key") for headers in elsewhere.headers} == {None}
        refused = place.run("trips", "2021-01-02", "--source", f"https://me:{PASSWORD}@example.org/f", **given)
        assert refused.text.strip().splitlines()[-1].startswith("--source: found a name or password in the address")
        assert run_id(refused.text) == ""  # before Prefect was told of a run
        again = place.run("trips", "2021-01-01", **given)
        assert again.last_line == "1 partition up to date"  # its address is known by a hash
    registered = register(place, cloud)
    with prefect_api(cloud) as api:
        told = all_that_prefect_shows(api, run_id(run.text), place.name)
        assert place.name in told["blocks"]
        assert "bring trips" in told["task runs"]
        assert {"image", "markdown", "table"} <= {each["type"] for each in json.loads(told["artifacts"])}
        told["by hand"] = api.request("GET", "/flow_runs/{id}", path_params={"id": run_id(by_hand.text)}).text
        assert f'"source":"{elsewhere.url}/moved.csv?..."' in told["by hand"]
    told |= all_that_landed(place)
    told |= {f"run {each.pid}": each.text for each in (run, by_hand, refused, again)}
    told["make blocks"] = registered.stdout + registered.stderr
    assert {"landings", "trips"} < told.keys()
    assert any(name.startswith("quarantine/") for name in told)
    auth = cloud["PREFECT_API_AUTH_STRING"]
    everything = {**SECRETS, "auth": auth, "auth's password": auth.partition(":")[2]}
    assert [(what, where) for what, each in everything.items() for where, text in told.items() if each in text] == []
    # and the files of the local cloud, Prefect's database and the specs of Cloud Run's jobs among them
    assert any(path.name.startswith("prefect.db") for path in kept(place.name))
    assert {what: kept(each) for what, each in SECRETS.items()} == {key: [] for key in SECRETS}
    homes = {path.parts[:2] for path in kept(auth)}
    assert homes <= {("prefect", "auth-string"), ("secrets", "local")}


@pytest.mark.parametrize(
    ("plant", "value", "why"),
    [
        (
            "tests.end_to_end.plants:other_contracts",
            HEADER,
            "trips: header X-Key: found no Prefect Secret block 'key-of-",
        ),
        (PLANT, f"{HEADER}\r\nX-Other: 1", "trips: found a value for the header X-Key with a line break"),
    ],
)
def test_a_secret_that_cannot_be_sent_is_refused_in_one_line_before_any_request(
    place: Place, tmp_path: Path, plant: str, value: str, why: str
) -> None:
    run = place.run("trips", "2021-01-01", plant=plant, **settings(place, tmp_path, value))
    assert run.code == 1
    assert run.last_line.startswith(why)
    assert run.last_line.endswith("nothing was written")
    assert "Traceback" not in run.text
    assert HEADER not in run.text
    assert place.publisher.requests == []
    assert place.snapshot() == {}
