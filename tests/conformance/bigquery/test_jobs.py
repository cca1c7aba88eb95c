"""A job's life: its id, its states, its end, and how it is found again."""

import time
from typing import Any

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Load, Put, Select
from tests.conformance.calls import Http
from tests.conformance.promises import BIGQUERY_API, promise, relied_on
from tests.conformance.targets import Target

ONE = pa.table({"x": [1]})
JOBS = "https://cloud.google.com/bigquery/docs/running-jobs"
RETRIED = "a used id answers 409: the client takes the job that has it, and waits for it"
JOB_HELPERS = "google/cloud/bigquery/_job_helpers.py"
ENDLESS = "SELECT SUM(a * b) AS s FROM UNNEST(GENERATE_ARRAY(1, 100000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b"


@promise(
    "it is a best practice to generate the job ID on the client side to allow reliable retry of the jobs.insert call.",
    JOBS,
)
def test_a_used_id_is_a_duplicate_and_runs_nothing(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put, job_id: str
) -> None:
    uri = put("a.parquet", ONE)
    first = load(uri, table, job_id=job_id)
    with pytest.raises(exceptions.Conflict):
        load(uri, table, job_id=job_id)
    with pytest.raises(exceptions.Conflict):
        bigquery_client.query("SELECT 1", job_id=job_id, job_retry=None)
    assert bigquery_client.get_table(table).num_rows == 1
    found = bigquery_client.get_job(job_id)
    assert (found.job_type, found.created) == ("load", first.created)


@relied_on(RETRIED, JOB_HELPERS)
def test_a_failed_job_keeps_its_id_and_its_reason(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put, job_id: str
) -> None:
    uri = put("a.parquet", ONE)
    with pytest.raises(exceptions.NotFound):
        load(uri.replace("a.parquet", "absent.parquet"), table, job_id=job_id)
    with pytest.raises(exceptions.Conflict):
        load(uri, table, job_id=job_id)
    job = bigquery_client.get_job(job_id)
    assert (job.state, (job.error_result or {})["reason"]) == ("DONE", "notFound")
    assert "absent.parquet" in (job.error_result or {})["message"]
    assert [error["reason"] for error in job.errors or ()] == ["notFound"]


@relied_on(RETRIED, JOB_HELPERS)
def test_one_of_sixteen_inserts_of_an_id_wins(
    bigquery_client: bigquery.Client, table: str, put: Put, job_id: str, racers: Any
) -> None:
    uri = put("a.parquet", ONE)
    config = bigquery.LoadJobConfig(source_format="PARQUET")

    def insert(_: int) -> str:
        try:
            bigquery_client.load_table_from_uri(uri, table, job_id=job_id, job_config=config)
        except exceptions.Conflict:
            return "duplicate"
        return "ran"

    answers = sorted(racers.map(insert, range(16)))
    bigquery_client.get_job(job_id).result()
    assert answers == [*["duplicate"] * 15, "ran"]
    assert bigquery_client.get_table(table).num_rows == 1


@promise(
    "The ID must contain only letters (a-z, A-Z), numbers (0-9), underscores (_), or dashes (-). The maximum length is "
    "1,024 characters.",
    BIGQUERY_API,
)
def test_an_id_is_letters_digits_and_dashes_up_to_1024(bigquery_client: bigquery.Client, job_id: str) -> None:
    longest = f"{job_id}_{'a' * 1024}"[:1024]
    assert bigquery_client.query("SELECT 1", job_id=longest, job_retry=None).job_id == longest
    for refused in (f"{longest}a", f"{job_id}.1", f"{job_id} 1"):
        with pytest.raises(exceptions.BadRequest):
            bigquery_client.query("SELECT 1", job_id=refused, job_retry=None)


@promise("Valid states include 'PENDING', 'RUNNING', and 'DONE'.", BIGQUERY_API)
def test_a_job_is_seen_running_and_then_done(bigquery_client: bigquery.Client) -> None:
    job = bigquery_client.query(ENDLESS, job_config=bigquery.QueryJobConfig(use_query_cache=False))
    seen = [job.state]
    while job.state == "PENDING":
        job.reload()
        seen.append(job.state)
    job.cancel()
    while not job.done():
        time.sleep(0.02)
    assert list(dict.fromkeys([*seen, job.state]))[-2:] == ["RUNNING", "DONE"]


@promise(
    "This call will return immediately, and the client will need to poll for the job status to see if the cancel "
    "completed successfully.",
    BIGQUERY_API,
)
def test_a_cancelled_job_stops_and_says_so(bigquery_client: bigquery.Client, table: str) -> None:
    config = bigquery.QueryJobConfig(destination=table, use_query_cache=False)
    job = bigquery_client.query(ENDLESS, job_config=config)
    job.cancel()
    started = time.monotonic()
    while not job.done():
        time.sleep(0.02)
    assert job.error_result is not None
    assert (job.error_result["reason"], time.monotonic() - started < 30) == ("stopped", True)
    with pytest.raises(exceptions.NotFound):
        bigquery_client.get_table(table)


@promise("The final state of the job.", BIGQUERY_API)
def test_a_job_that_is_done_stays_done_when_it_is_cancelled(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    job = load(put("a.parquet", ONE), table)
    job.cancel()
    job.reload()
    assert (job.state, job.error_result, bigquery_client.get_table(table).num_rows) == ("DONE", None, 1)


@promise(
    "Creation time of this job, in milliseconds since the epoch. This field will be present on all jobs.", BIGQUERY_API
)
def test_a_job_tells_its_times_its_destination_and_its_labels(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    uri = put("a.parquet", ONE)
    job = load(uri, table, labels={"team": "data"}, write_disposition="WRITE_TRUNCATE")
    found = bigquery_client.get_job(str(job.job_id))
    assert isinstance(found, bigquery.LoadJob)
    assert (found.source_uris, str(found.destination), found.labels) == ([uri], table, {"team": "data"})
    assert (found.write_disposition, found.source_format) == ("WRITE_TRUNCATE", "PARQUET")
    assert found.created is not None
    assert found.started is not None
    assert found.ended is not None
    assert found.created <= found.started <= found.ended


@promise("The job list is sorted in reverse chronological order, by job creation time.", BIGQUERY_API)
def test_jobs_are_listed_newest_first_a_page_at_a_time(bigquery_client: bigquery.Client, job_id: str) -> None:
    for name in ("a", "b", "c"):
        bigquery_client.query("SELECT 1", job_id=f"{job_id}-{name}", job_retry=None).result()
        time.sleep(0.002)  # Google orders them by milliseconds
    listed = bigquery_client.list_jobs(page_size=2, state_filter="done")
    ours = [job.job_id for job, _ in zip(listed, range(50), strict=False) if job.job_id.startswith(job_id)]
    assert ours == [f"{job_id}-{name}" for name in ("c", "b", "a")]


@promise("If set, only jobs created after or at this timestamp are returned.", BIGQUERY_API)
def test_jobs_are_listed_by_the_time_of_their_creation(bigquery_client: bigquery.Client, job_id: str) -> None:
    jobs = []
    for name in ("a", "b"):
        jobs.append(bigquery_client.query("SELECT 1", job_id=f"{job_id}-{name}", job_retry=None))
        time.sleep(0.02)
    since = jobs[1].created
    assert since is not None
    found = [job.job_id for job in bigquery_client.list_jobs(min_creation_time=since, max_results=50)]
    assert f"{job_id}-b" in found
    assert f"{job_id}-a" not in found


@promise(
    "You must specify the location to run the job for the following scenarios: * If the location to run a job is not "
    "in the `us` or the `eu` multi-regional location",
    BIGQUERY_API,
)
def test_a_job_outside_the_us_and_eu_is_found_only_where_it_ran(
    bigquery_client: bigquery.Client, target: Target, job_id: str
) -> None:
    there = bigquery.Dataset(f"{bigquery_client.project}.{target.unique('sydney_')}")
    there.location = "australia-southeast1"
    bigquery_client.create_dataset(there)
    try:
        sql = f"CREATE TABLE `{there.dataset_id}.t` (x INT64)"
        job = bigquery_client.query(sql, job_id=job_id, job_retry=None, location=there.location)
        job.result()
        assert bigquery_client.get_job(job_id, location=there.location).state == "DONE"
        for elsewhere in (None, "US"):
            with pytest.raises(exceptions.NotFound):
                bigquery_client.get_job(job_id, location=elsewhere)
        with pytest.raises(exceptions.NotFound):
            bigquery_client.query(f"SELECT * FROM `{there.dataset_id}.t`", location="US").result()
    finally:
        bigquery_client.delete_dataset(there, delete_contents=True)


@promise("A unique user provided identifier to ensure idempotent behavior for queries.", BIGQUERY_API)
def test_the_same_request_of_jobs_query_sent_twice_runs_once(
    http: Http, target: Target, table: str, select: Select, job_id: str
) -> None:
    select(f"CREATE TABLE `{table}` (x INT64)")
    request = {
        "query": f"INSERT INTO `{table}` (x) VALUES (1)",
        "useLegacySql": False,
        "requestId": job_id[:36],
        "location": "US",
    }
    for _ in range(2):
        answer = http.send("POST", f"/bigquery/v2/projects/{target.project}/queries", request)
        assert answer.status == 200
        assert answer.json()["jobComplete"] is True
    assert select(f"SELECT COUNT(*) FROM `{table}`") == [(1,)]


@promise("[Pick one] Configures a load job.", BIGQUERY_API)
def test_a_job_that_does_nothing_or_two_things_is_refused(http: Http, target: Target) -> None:
    query = {"query": "SELECT 1", "useLegacySql": False}
    copy = {
        "sourceTable": {"projectId": target.project, "datasetId": "d", "tableId": "a"},
        "destinationTable": {"projectId": target.project, "datasetId": "d", "tableId": "b"},
    }
    for configuration in ({}, {"query": query, "copy": copy}):
        path = f"/bigquery/v2/projects/{target.project}/jobs"
        answer = http.send("POST", path, {"configuration": configuration})
        assert answer.status == 400


@promise("Required. Job ID of the requested job.", BIGQUERY_API)
def test_a_job_that_nobody_made_is_not_found(bigquery_client: bigquery.Client, job_id: str) -> None:
    for ask in (bigquery_client.get_job, bigquery_client.cancel_job):
        with pytest.raises(exceptions.NotFound):
            ask(job_id)
