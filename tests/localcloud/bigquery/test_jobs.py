"""A job's life: its id, its states, its end."""

import time
from pathlib import Path

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.localcloud.bigquery.conftest import Load, Select
from tests.localcloud.bigquery.served import FolderLake, client_of, running

ONE = pa.table({"x": [1]})


def test_a_job_id_that_was_used_is_a_duplicate_and_runs_nothing(
    client: bigquery.Client, load: Load, lake: FolderLake
) -> None:
    uri = lake.write("a.parquet", ONE)
    load(uri, "trips.t", job_id="the-claim")
    with pytest.raises(exceptions.Conflict, match=r"Already Exists: Job local:US\.the-claim"):
        load(uri, "trips.t", job_id="the-claim")
    assert client.get_table("trips.t").num_rows == 1


def test_a_failed_job_keeps_its_id(client: bigquery.Client, load: Load, lake: FolderLake) -> None:
    with pytest.raises(exceptions.NotFound):
        load("gs://lake/absent.parquet", "trips.t", job_id="the-failed-claim")
    with pytest.raises(exceptions.Conflict):
        load(lake.write("a.parquet", ONE), "trips.t", job_id="the-failed-claim")
    job = client.get_job("the-failed-claim")
    assert (job.state, job.error_result) == (
        "DONE",
        {"reason": "notFound", "message": "Not found: URI gs://lake/absent.parquet", "location": ""},
    )


def test_one_insert_of_an_id_wins_among_many(client: bigquery.Client, lake: FolderLake) -> None:
    uri = lake.write("a.parquet", ONE)
    config = bigquery.LoadJobConfig(source_format="PARQUET")
    answers = []
    for _ in range(5):
        try:
            client.load_table_from_uri(uri, "trips.t", job_id="same", job_config=config).result()
            answers.append("ran")
        except exceptions.Conflict:
            answers.append("duplicate")
    assert answers == ["ran", *["duplicate"] * 4]


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


def test_a_running_query_can_be_cancelled(client: bigquery.Client) -> None:
    endless = "SELECT sum(a * b) FROM UNNEST(GENERATE_ARRAY(1, 100000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b"
    job = client.query(endless)
    assert job.state == "RUNNING"
    job.cancel()
    started = time.monotonic()
    while not job.done():
        time.sleep(0.02)
    assert job.error_result is not None
    assert (job.error_result["reason"], time.monotonic() - started < 5) == ("stopped", True)


def test_a_job_outside_the_us_and_eu_is_found_only_where_it_ran(client: bigquery.Client) -> None:
    there = bigquery.Dataset("local.sydney")
    there.location = "australia-southeast1"
    client.create_dataset(there)
    job = client.query("CREATE TABLE sydney.t (x INT64)", job_id="far", job_retry=None)
    job.result()
    assert job.location == "australia-southeast1"
    assert client.get_job("far", location="australia-southeast1").state == "DONE"
    for elsewhere in (None, "US"):
        with pytest.raises(exceptions.NotFound):
            client.get_job("far", location=elsewhere)


def test_a_query_in_another_location_does_not_find_the_dataset(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.NotFound, match="was not found in location EU"):
        client.query("SELECT * FROM trips.t", location="EU").result()


def test_jobs_are_listed_newest_first_a_page_at_a_time(tmp_path: Path, lake: FolderLake) -> None:
    with running(tmp_path / "warehouse", lake) as address, client_of(address) as client:
        for name in ("a", "b", "c"):
            client.query("SELECT 1", job_id=name, job_retry=None).result()
        assert [job.job_id for job in client.list_jobs(page_size=2)] == ["c", "b", "a"]
        assert [job.job_id for job in client.list_jobs(max_results=1, state_filter="done")] == ["c"]
        assert list(client.list_jobs(state_filter="running")) == []


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


def test_the_same_request_of_jobs_query_sent_twice_runs_once(client: bigquery.Client, select: Select) -> None:
    select("CREATE TABLE trips.t (x INT64)")
    request = {"query": "INSERT INTO trips.t (x) VALUES (1)", "useLegacySql": False, "requestId": "lost-reply"}
    send = client._connection.api_request  # noqa: SLF001 - a retry, as the client sends it
    for _ in range(2):
        send(method="POST", path="/projects/local/queries", data=request)  # type: ignore[no-untyped-call]
    assert select("SELECT count(*) FROM trips.t") == [(1,)]
