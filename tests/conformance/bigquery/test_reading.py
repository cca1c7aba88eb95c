"""Rows on their way out: a table's own, a query's, a page at a time, as Arrow and as a frame."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Load, Put, Select
from tests.conformance.calls import Http
from tests.conformance.promises import BIGQUERY_API, promise, relied_on
from tests.conformance.targets import Target

ROWS = 120_000
READER = "google/cloud/bigquery/table.py"


@pytest.fixture
def five(bigquery_client: bigquery.Client, table: str, select: Select) -> str:
    """A table of five rows: x from 0 to 4, y the same as text."""
    select(f"CREATE TABLE `{table}` AS SELECT x, CAST(x AS STRING) AS y FROM UNNEST(GENERATE_ARRAY(0, 4)) AS x")
    assert bigquery_client.get_table(table).num_rows == 5
    return table


@promise(
    "Providing this token instead of the startIndex parameter can help you retrieve stable results when an underlying "
    "table is changing.",
    BIGQUERY_API,
)
def test_paging_through_a_table_that_is_replaced_meanwhile_reads_the_old_rows(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    load(put("a.parquet", pa.table({"x": [1] * 30})), table)
    pages = bigquery_client.list_rows(table, page_size=10).pages
    values = [row.x for row in next(pages)]
    load(put("b.parquet", pa.table({"x": [2] * 50})), table, write_disposition="WRITE_TRUNCATE")
    values += [row.x for page in pages for row in page]
    assert values == [1] * 30


@promise("Start row index of the table.", BIGQUERY_API)
def test_rows_are_listed_from_a_place_and_up_to_a_number(bigquery_client: bigquery.Client, five: str) -> None:
    whole = [tuple(row) for row in bigquery_client.list_rows(five)]
    assert sorted(whole) == [(x, str(x)) for x in range(5)]  # in no order that BigQuery promises
    assert [tuple(row) for row in bigquery_client.list_rows(five, start_index=3)] == whole[3:]
    assert [tuple(row) for row in bigquery_client.list_rows(five, max_results=2)] == whole[:2]


@promise("Subset of fields to return, supports select into sub fields.", BIGQUERY_API)
def test_rows_are_listed_by_column(bigquery_client: bigquery.Client, five: str) -> None:
    chosen = [bigquery.SchemaField("y", "STRING")]
    listed = bigquery_client.list_rows(five, selected_fields=chosen)
    assert sorted(tuple(row) for row in listed) == [("0",), ("1",), ("2",), ("3",), ("4",)]


@promise(
    "Total rows of the entire table. In order to show default value 0 we have to present it as string.", BIGQUERY_API
)
def test_a_page_tells_the_rows_of_the_whole_table_as_text(http: Http, target: Target, five: str) -> None:
    project, dataset, name = five.split(".")
    path = f"/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{name}/data"
    answer = http.send("GET", path, maxResults=2)
    assert answer.status == 200
    page = answer.json()
    assert (page["totalRows"], len(page["rows"]), page["kind"]) == ("5", 2, "bigquery#tableDataList")
    assert all(list(row) == ["f"] for row in page["rows"])
    assert page["pageToken"]
    assert target.project == project


@promise(
    "When this token is non-empty, it indicates additional results are available.",
    BIGQUERY_API,
)
def test_a_querys_results_are_paged(bigquery_client: bigquery.Client) -> None:
    query = f"SELECT n FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS n ORDER BY n"
    rows = bigquery_client.query(query).result(page_size=50_000)
    assert [page.num_items for page in rows.pages] == [50_000, 50_000, 20_000]
    late = bigquery_client.query(query).result(start_index=ROWS - 2)
    assert [row.n for row in late] == [ROWS - 1, ROWS]


@promise("Runs a BigQuery SQL query synchronously and returns query results", BIGQUERY_API)
def test_query_and_wait_answers_rows_and_errors(bigquery_client: bigquery.Client, table: str) -> None:
    assert [tuple(row) for row in bigquery_client.query_and_wait("SELECT 1 AS x")] == [(1,)]
    with pytest.raises(exceptions.NotFound):
        bigquery_client.query_and_wait(f"SELECT * FROM `{table}`")


@relied_on("a result that is not small comes whole by way of REST, page after page", READER)
def test_a_large_result_becomes_arrow(bigquery_client: bigquery.Client) -> None:
    query = f"SELECT n, CAST(n AS STRING) AS text FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS n ORDER BY n"
    read = bigquery_client.query(query).to_arrow(create_bqstorage_client=False)
    assert read.schema == pa.schema([("n", pa.int64()), ("text", pa.string())])
    assert read.column("n").to_pylist() == list(range(1, ROWS + 1))


@relied_on("a result becomes a frame by way of REST", READER)
@pytest.mark.filterwarnings("ignore:Retrieving DataFrames:PendingDeprecationWarning")
def test_a_result_becomes_a_frame(bigquery_client: bigquery.Client) -> None:
    pytest.importorskip("db_dtypes", reason="the client makes frames with db-dtypes, which is not installed")
    query = (
        f"SELECT n, CAST(n AS STRING) AS text, TIMESTAMP_SECONDS(n) AS z FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS n"
    )
    frame = bigquery_client.query(f"{query} ORDER BY n").to_dataframe(create_bqstorage_client=False)
    assert frame["z"].iloc[0] == pd.Timestamp("1970-01-01 00:00:01", tz="UTC")
    assert (len(frame), str(frame["n"].dtype), frame["text"].iloc[-1]) == (ROWS, "Int64", str(ROWS))


@relied_on("every type's cells become Arrow values", READER)
def test_values_of_every_type_become_arrow(bigquery_client: bigquery.Client) -> None:
    query = """
        SELECT 1 AS i, 1.5 AS f, 'a' AS s, TRUE AS b, DATE '2021-01-02' AS d,
               DATETIME '2021-01-02 03:04:05.000006' AS t, TIMESTAMP '2021-01-02 03:04:05+00' AS z,
               TIME '03:04:05' AS c, NUMERIC '1.5' AS n, b'x' AS y, [1, 2] AS many, STRUCT(1 AS a, 'x' AS b) AS r
    """
    rows = bigquery_client.query(query).result()
    read = rows.to_arrow(create_bqstorage_client=False)
    assert read.schema.field("t").type == pa.timestamp("us")
    assert read.schema.field("z").type == pa.timestamp("us", tz="UTC")
    assert read.schema.field("n").type == pa.decimal128(38, 9)
    first = read.to_pylist()[0]
    assert (first["i"], first["f"], first["d"], first["many"]) == (1, 1.5, dt.date(2021, 1, 2), [1, 2])
    assert (first["t"], first["r"]) == (dt.datetime(2021, 1, 2, 3, 4, 5, 6), {"a": 1, "b": "x"})


@relied_on("a table's rows become Arrow without a query", READER)
def test_a_table_becomes_arrow(bigquery_client: bigquery.Client, five: str) -> None:
    read = bigquery_client.list_rows(five).to_arrow(create_bqstorage_client=False)
    assert sorted(read.column("x").to_pylist()) == list(range(5))


@promise("Output timestamp as usec int64.", BIGQUERY_API)
def test_a_timestamp_comes_as_microseconds_when_asked_so(http: Http, target: Target) -> None:
    request = {
        "query": "SELECT TIMESTAMP '1970-01-01 00:00:01.000002+00' AS z",
        "useLegacySql": False,
        "formatOptions": {"useInt64Timestamp": True},
    }
    answer = http.send("POST", f"/bigquery/v2/projects/{target.project}/queries", request)
    assert (answer.status, answer.json()["rows"]) == (200, [{"f": [{"v": "1000002"}]}])


@relied_on("records and arrays of records come back nested", READER)
def test_records_come_back_nested(select: Select) -> None:
    nested = "SELECT STRUCT(1 AS a, ['x', 'y'] AS b) AS s, [STRUCT(TIMESTAMP '2021-01-01' AS at)] AS many"
    at = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
    assert select(nested) == [({"a": 1, "b": ["x", "y"]}, [{"at": at}])]
