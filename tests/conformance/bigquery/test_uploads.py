"""Rows on their way in without a bucket: files and frames in load jobs, and rows that are streamed."""

import gzip
import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Select
from tests.conformance.promises import BIGQUERY_API, promise, relied_on

XS = [bigquery.SchemaField("x", "INTEGER"), bigquery.SchemaField("name", "STRING")]
CLIENT = "google/cloud/bigquery/client.py"
UPLOAD = (
    "The *Upload* URI is ONLY for the case when you're sending both a load job configuration and a data "
    "stream together."
)


@promise(UPLOAD, BIGQUERY_API)
@pytest.mark.parametrize("resumable", [True, False], ids=["resumable", "multipart"])
def test_a_local_file_is_loaded_with_its_job(
    bigquery_client: bigquery.Client, table: str, select: Select, resumable: bool
) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"x": range(5)}), content)
    job = bigquery_client.load_table_from_file(
        content,
        table,
        rewind=True,
        size=None if resumable else content.tell(),
        job_config=bigquery.LoadJobConfig(source_format="PARQUET"),
    )
    job.result()
    assert (job.output_rows, select(f"SELECT SUM(x) AS n FROM `{table}`")) == (5, [(10,)])


@promise(UPLOAD, BIGQUERY_API)
def test_a_gzipped_csv_is_loaded_with_its_job_and_a_bad_one_refused(
    bigquery_client: bigquery.Client, table: str, select: Select
) -> None:
    config = bigquery.LoadJobConfig(source_format="CSV", schema=XS)
    good = io.BytesIO(gzip.compress(b"1,one\n2,two\n"))
    bigquery_client.load_table_from_file(good, table, job_config=config).result()
    with pytest.raises(exceptions.BadRequest):
        bigquery_client.load_table_from_file(io.BytesIO(b"three,3\n"), table, job_config=config).result()
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "one"), (2, "two")]


@relied_on("a used id answers 409 to an upload too", CLIENT)
def test_an_upload_under_a_used_id_runs_nothing(
    bigquery_client: bigquery.Client, table: str, select: Select, job_id: str
) -> None:
    config = bigquery.LoadJobConfig(source_format="CSV", schema=XS)
    bigquery_client.load_table_from_file(io.BytesIO(b"1,one\n"), table, job_id=job_id, job_config=config).result()
    with pytest.raises(exceptions.Conflict):
        bigquery_client.load_table_from_file(io.BytesIO(b"2,two\n"), table, job_id=job_id, job_config=config).result()
    assert select(f"SELECT x FROM `{table}`") == [(1,)]


@relied_on("load_table_from_json sends lines of JSON and lets BigQuery find the schema", CLIENT)
def test_json_rows_are_loaded(bigquery_client: bigquery.Client, table: str, select: Select) -> None:
    bigquery_client.load_table_from_json([{"x": 1, "name": "one"}, {"x": 2}], table).result()
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "one"), (2, None)]


@relied_on("load_table_from_dataframe sends Parquet with a schema of the frame's own columns", CLIENT)
@pytest.mark.filterwarnings(
    "ignore:Loading DataFrames:PendingDeprecationWarning", "ignore:Loading pandas:FutureWarning"
)
def test_a_frame_is_loaded_with_its_lists_and_a_narrower_one_appended(
    bigquery_client: bigquery.Client, table: str, select: Select
) -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "x": [1, 2], "many": [[1], [2, 3]]})
    bigquery_client.load_table_from_dataframe(frame, table).result()
    assert select(f"SELECT name, x, many FROM `{table}` ORDER BY name") == [("a", 1, [1]), ("b", 2, [2, 3])]
    bigquery_client.load_table_from_dataframe(pd.DataFrame({"x": [3]}), table).result()
    assert select(f"SELECT name, x FROM `{table}` ORDER BY x") == [("a", 1), ("b", 2), (None, 3)]


@promise("The default value is false, which causes the entire request to fail if any invalid rows exist.", BIGQUERY_API)
def test_streamed_rows_are_all_taken_or_all_refused(
    bigquery_client: bigquery.Client, table: str, select: Select
) -> None:
    bigquery_client.create_table(bigquery.Table(table, XS))
    assert bigquery_client.insert_rows_json(table, [{"x": 1, "name": "a"}, {"x": 2}]) == []
    refused = bigquery_client.insert_rows_json(table, [{"x": 3}, {"x": 4, "nope": 1}])
    assert [error["index"] for error in refused] == [0, 1]
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "a"), (2, None)]
