"""A contract's secret headers reach its publisher and nothing else."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.end_to_end.place import Place
from tests.prefect_api import prefect_api
from tests.publisher import File, Publisher

SECRET = "s3cr3t-0f-the-publisher-7391"  # noqa: S105 - that is what it is for
CONTRACT = """
revision = 1
description = "Trips"
owner = "data-team"
source = "{publisher}/trips/{yyyy}-{mm}-{dd}.csv"
format = "csv"
partition = "day"
first_partition = "2021-01-01"
columns = [{ name = "id", type = "INT64" }]
headers = { X-Key = "BLOCK" }
"""
PLANT = "tests.end_to_end.plants:secret"


def settings(place: Place, folder: Path, value: str = SECRET) -> dict[str, str]:
    block = f"key-of-{place.name}"
    (folder / "trips.toml").write_text(CONTRACT.replace("BLOCK", block))
    return {"OTHER_CONTRACTS": str(folder), "SECRET_BLOCK": block, "SECRET_VALUE": value}


def prefect_says(api: SyncPrefectClient, filtered: Any, **query: Any) -> str:
    return api.request("POST", filtered, json=query).text


def all_that_prefect_knows(api: SyncPrefectClient, run_id: str) -> str:
    """Read the run's logs, once they have come, and what the server keeps of the run and its tasks."""
    of_run = {"flow_runs": {"id": {"any_": [run_id]}}}
    deadline = time.monotonic() + 10  # the client sends logs in batches
    while "failed" not in (
        logs := prefect_says(api, "/logs/filter", logs={"flow_run_id": {"any_": [run_id]}}, limit=200)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    runs, tasks = prefect_says(api, "/flow_runs/filter", **of_run), prefect_says(api, "/task_runs/filter", **of_run)
    assert run_id in runs
    assert "bring trips" in tasks
    return logs + runs + tasks


def test_a_secret_header_reaches_the_publisher_and_nothing_else(
    place: Place, tmp_path: Path, cloud: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Publisher() as elsewhere:
        elsewhere.serve("/moved.csv", b"id\n3\n")
        place.publisher.files |= {
            "/trips/2021-01-01.csv": File(b"id\n1\n2\n"),
            "/trips/2021-01-02.csv": File(b"", status=401),
            "/trips/2021-01-03.csv": File(b"", status=302, headers={"Location": f"{elsewhere.url}/moved.csv"}),
            "/trips/2021-01-04.csv": File(b"id\nnone\n"),
        }
        run = place.run("trips", "2021-01-01", "2021-01-04", plant=PLANT, **settings(place, tmp_path))
        assert run.last_line == "2 partitions landed, 2 failed: 3 source rows = 3 loaded + 0 quarantined", run.text
        assert {headers.get("X-Key") for headers in place.publisher.headers} == {SECRET}
        assert {headers.get("X-Key") for headers in elsewhere.headers} == {None}
        # another address is not the contract's
        given = place.run(
            *("trips", "2021-01-02", "--source", f"{elsewhere.url}/moved.csv"), plant=PLANT, **settings(place, tmp_path)
        )
        assert given.code == 0, given.text
        assert {headers.get("X-Key") for headers in elsewhere.headers} == {None}
    run_id = run.text.partition("/runs/flow-run/")[2][:36]
    with prefect_api(cloud) as api:
        told = [run.text, given.text, all_that_prefect_knows(api, run_id)]
    told += [str(place.ask("SELECT * FROM {landings}")), str(place.ask("SELECT * FROM {trips}"))]
    for blob in place.storage.list_blobs(place.bucket):
        told += [blob.name, str(blob.metadata), blob.download_as_bytes().decode("latin-1")]
    assert len(told) > 8
    assert [text for text in told if SECRET in text] == []
    # and the files of the local cloud, Prefect's database among them
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "cloud"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.startswith("prefect.db") for path in files)
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("plant", "value", "why"),
    [
        (
            "tests.end_to_end.plants:other_contracts",
            SECRET,
            "trips: header X-Key: found no Prefect Secret block 'key-of-",
        ),
        (PLANT, f"{SECRET}\r\nX-Other: 1", "trips: found a value for the header X-Key with a line break"),
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
    assert SECRET not in run.text
    assert place.publisher.requests == []
    assert place.snapshot() == {}
