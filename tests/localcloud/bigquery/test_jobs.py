"""A job's life: its id, its states, its end."""

import time
from pathlib import Path

import pyarrow as pa
from google.cloud import bigquery

from tests.localcloud.bigquery.served import FolderLake, client_of, running

ONE = pa.table({"x": [1]})


def test_a_delayed_job_is_seen_pending_then_running_then_done(tmp_path: Path, lake: FolderLake) -> None:
    with running(tmp_path / "warehouse", lake, 0.4) as address, client_of(address) as client:
        job = client.query("SELECT 1")
        seen = [job.state]
        while job.state != "DONE":
            time.sleep(0.02)
            job.reload()
            seen.append(job.state)
    assert list(dict.fromkeys(seen)) == ["PENDING", "RUNNING", "DONE"]


def test_a_cancelled_job_stops_and_changes_nothing(tmp_path: Path, lake: FolderLake) -> None:
    uri = lake.write("a.parquet", ONE)
    with running(tmp_path / "warehouse", lake, 5) as address, client_of(address) as client:
        client.create_dataset("trips")
        config = bigquery.LoadJobConfig(source_format="PARQUET")
        job = client.load_table_from_uri(uri, "trips.t", job_config=config)
        job.cancel()
        while not job.done():
            time.sleep(0.02)
        assert job.error_result is not None
        assert job.error_result["reason"] == "stopped"
        assert list(client.list_tables("trips")) == []


def test_what_is_done_and_what_was_selected_outlives_a_restart(tmp_path: Path, lake: FolderLake) -> None:
    with running(tmp_path / "warehouse", lake) as address, client_of(address) as client:
        client.create_dataset("trips")
        client.query("CREATE TABLE trips.t AS SELECT 1 AS x").result()
        client.query("SELECT x FROM trips.t", job_id="asked", job_retry=None).result()
    with running(tmp_path / "warehouse", lake) as address, client_of(address) as client:
        assert [tuple(row) for row in client.get_job("asked").result()] == [(1,)]
        assert client.get_table("trips.t").num_rows == 1


def test_a_job_accepted_but_not_run_before_a_stop_runs_at_the_next_start(tmp_path: Path, lake: FolderLake) -> None:
    with running(tmp_path / "warehouse", lake, 30) as address, client_of(address) as client:
        client.create_dataset("trips")
        job = client.query("CREATE TABLE trips.t AS SELECT 1 AS x", job_id="later", job_retry=None)
        assert job.state == "PENDING"
    with running(tmp_path / "warehouse", lake) as address, client_of(address) as client:
        client.get_job("later").result()
        assert client.get_table("trips.t").num_rows == 1
