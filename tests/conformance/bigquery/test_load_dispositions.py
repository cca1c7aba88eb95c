"""What a load does to the table that is there, and that it does it wholly or not at all."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Load, Put, Select
from tests.conformance.promises import BIGQUERY_API, promise

ATOMIC = "Each action is atomic and only occurs if BigQuery is able to complete the job successfully."
ROWS = 20_000


@promise(
    "WRITE_TRUNCATE_DATA: If the table already exists, BigQuery overwrites the data, but keeps the constraints and "
    "schema of the existing table. * WRITE_APPEND: If the table already exists, BigQuery appends the data to the "
    "table. * WRITE_EMPTY: If the table already exists and contains data, a 'duplicate' error is returned in the job "
    "result. The default value is WRITE_APPEND.",
    BIGQUERY_API,
)
def test_each_disposition_does_to_the_rows_what_it_says(table: str, load: Load, select: Select, put: Put) -> None:
    def after(disposition: str | None, x: int) -> list[tuple[Any, ...]]:
        load(put(f"{x}.parquet", pa.table({"x": [x]})), table, write_disposition=disposition)
        return select(f"SELECT x FROM `{table}` ORDER BY x")

    assert after("WRITE_EMPTY", 1) == [(1,)]
    with pytest.raises(exceptions.Conflict) as refused:
        after("WRITE_EMPTY", 2)
    assert refused.value.errors[0]["reason"] == "duplicate"
    assert after("WRITE_APPEND", 3) == [(1,), (3,)]
    assert after(None, 4) == [(1,), (3,), (4,)]
    assert after("WRITE_TRUNCATE", 5) == [(5,)]
    assert after("WRITE_TRUNCATE_DATA", 6) == [(6,)]


@promise(
    "If the table already exists and contains data, a 'duplicate' error is returned in the job result.", BIGQUERY_API
)
def test_write_empty_fills_a_table_that_is_there_without_rows(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put
) -> None:
    bigquery_client.create_table(bigquery.Table(table, [bigquery.SchemaField("x", "INTEGER")]))
    load(put("a.parquet", pa.table({"x": [1]})), table, write_disposition="WRITE_EMPTY")
    assert select(f"SELECT x FROM `{table}`") == [(1,)]


@promise(
    "CREATE_NEVER: The table must already exist. If it does not, a 'notFound' error is returned in the job result.",
    BIGQUERY_API,
)
def test_create_never_makes_no_table(bigquery_client: bigquery.Client, table: str, load: Load, put: Put) -> None:
    uri = put("a.parquet", pa.table({"x": [1]}))
    with pytest.raises(exceptions.NotFound) as refused:
        load(uri, table, create_disposition="CREATE_NEVER")
    assert refused.value.errors[0]["reason"] == "notFound"
    with pytest.raises(exceptions.NotFound):
        bigquery_client.get_table(table)
    bigquery_client.create_table(bigquery.Table(table, [bigquery.SchemaField("x", "INTEGER")]))
    assert load(uri, table, create_disposition="CREATE_NEVER").output_rows == 1


@promise(ATOMIC, BIGQUERY_API)
@pytest.mark.parametrize("disposition", ["WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND"])
@pytest.mark.parametrize("decorator", ["", "$202101"])
def test_a_failed_load_leaves_table_and_partition_as_they_were(
    table: str, load: Load, select: Select, put: Put, disposition: str, decorator: str
) -> None:
    select(f"CREATE TABLE `{table}` (m DATE, x INT64) PARTITION BY DATE_TRUNC(m, MONTH)")
    select(f"INSERT INTO `{table}` (m, x) VALUES ('2021-01-01', 1)")
    # the second file breaks after rows of the first were written
    put("part-1.json", '{"m": "2021-01-01", "x": 5}\n' * 10)
    uri = put("part-2.json", '{"m": "2021-01-01", "x": 6}\n' * 10 + '{"m": "2021-01-01", "x": "six"}\n')
    with pytest.raises(exceptions.BadRequest):
        load(
            uri.replace("part-2", "part-*"),
            table + decorator,
            source_format="NEWLINE_DELIMITED_JSON",
            write_disposition=disposition,
        )
    assert select(f"SELECT m, x FROM `{table}`") == [(dt.date(2021, 1, 1), 1)]


@promise("Creation, truncation and append actions occur as one atomic update upon job completion.", BIGQUERY_API)
def test_a_reader_during_replacements_sees_only_whole_contents(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    uris = [put(f"{value}.parquet", pa.table({"x": [value] * ROWS})) for value in (1, 2)]
    load(uris[0], table)
    seen: list[tuple[int, int, int]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            asked = f"SELECT COUNT(*) AS n, MIN(x) AS low, MAX(x) AS high FROM `{table}`"
            config = bigquery.QueryJobConfig(use_query_cache=False)
            seen.extend((row.n, row.low, row.high) for row in bigquery_client.query(asked, job_config=config).result())

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for turn in range(5):
            load(uris[turn % 2 - 1], table, write_disposition="WRITE_TRUNCATE")
        stop.set()
        for reader in readers:
            reader.result()
    assert {(ROWS, 1, 1), (ROWS, 2, 2)} >= set(seen) != set()


@promise("If present, indicates that the job has completed and was unsuccessful.", BIGQUERY_API)
@pytest.mark.parametrize("absent", ["object", "bucket", "dataset"])
def test_a_missing_object_bucket_or_dataset_is_the_error_of_a_done_job(
    bigquery_client: bigquery.Client, table: str, put: Put, absent: str
) -> None:
    uri = put("a.parquet", pa.table({"x": [1]}))
    if absent == "object":
        uri = uri.replace("a.parquet", "no.parquet")
    elif absent == "bucket":
        uri = "gs://landfall-no-such-bucket-6b1f/a.parquet"
    else:
        project, _, name = table.split(".")
        table = f"{project}.landfall_no_such_dataset_6b1f.{name}"
    config = bigquery.LoadJobConfig(source_format="PARQUET")
    with pytest.raises(exceptions.NotFound) as refused:
        bigquery_client.load_table_from_uri(uri, table, job_config=config).result()
    assert refused.value.errors[0]["reason"] == "notFound"
