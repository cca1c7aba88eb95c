"""Partitions: the decorator that names one, the rows that belong to it, copies and deletions of one."""

import datetime as dt

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Load, Put, Select
from tests.conformance.promises import BIGQUERY_API, promise

LOADING = "https://cloud.google.com/bigquery/docs/load-data-partitioned-tables"
MANAGING = "https://cloud.google.com/bigquery/docs/managing-partitioned-tables"
DECORATORS = "https://cloud.google.com/bigquery/docs/managing-partitioned-table-data"
MUST_MATCH = (
    "For time-unit column and integer-range partitioned tables, the partition ID specified in the decorator must match "
    "the data being written."
)
GRAINS = [
    ("HOUR", "2021010107", [dt.datetime(2021, 1, 1, hour, 30) for hour in (7, 8)]),
    ("DAY", "20210101", [dt.datetime(2021, 1, day, 1) for day in (1, 2)]),
    ("MONTH", "202101", [dt.datetime(2021, month, 31) for month in (1, 3)]),
    ("YEAR", "2021", [dt.datetime(year, 12, 31) for year in (2021, 2022)]),
]


def trips(at: dt.datetime, x: int) -> pa.Table:
    return pa.table({"x": [x], "at": pa.array([at], pa.timestamp("us"))})


@pytest.fixture
def months(table: str, select: Select) -> str:
    """A monthly table with a row in each of January, February and March."""
    select(f"CREATE TABLE `{table}` (m DATE, x INT64) PARTITION BY DATE_TRUNC(m, MONTH)")
    select(f"INSERT INTO `{table}` (m, x) VALUES ('2021-01-05', 1), ('2021-02-05', 2), ('2021-03-05', 3)")
    return table


@promise("A partition decorator has the form", DECORATORS)
@pytest.mark.parametrize(("grain", "partition", "moments"), GRAINS)
def test_a_decorator_replaces_its_partition_and_no_other(
    bigquery_client: bigquery.Client,
    table: str,
    load: Load,
    select: Select,
    put: Put,
    grain: str,
    partition: str,
    moments: list[dt.datetime],
) -> None:
    for x, moment in enumerate(moments):
        load(put(f"{x}.parquet", trips(moment, x)), table, time_partitioning=bigquery.TimePartitioning(grain, "at"))
    new = put("new.parquet", trips(moments[0], 7))
    job = load(new, f"{table}${partition}", write_disposition="WRITE_TRUNCATE")
    assert job.output_rows == 1
    assert select(f"SELECT at, x FROM `{table}` ORDER BY at") == [(moments[0], 7), (moments[1], 1)]
    assert bigquery_client.get_table(f"{table}${partition}").num_rows == 1


@promise(MUST_MATCH, LOADING)
@pytest.mark.parametrize(("grain", "partition", "moments"), GRAINS)
@pytest.mark.parametrize("disposition", ["WRITE_TRUNCATE", "WRITE_APPEND"])
def test_a_row_outside_the_decorators_partition_is_refused_and_the_partition_stays(
    table: str,
    load: Load,
    select: Select,
    put: Put,
    grain: str,
    partition: str,
    moments: list[dt.datetime],
    disposition: str,
) -> None:
    inside, outside = moments
    load(put("a.parquet", trips(inside, 1)), table, time_partitioning=bigquery.TimePartitioning(grain, "at"))
    both = pa.concat_tables([trips(inside, 2), trips(outside, 3)])
    with pytest.raises(exceptions.BadRequest) as refused:
        load(put("b.parquet", both), f"{table}${partition}", write_disposition=disposition)
    assert refused.value.errors[0]["reason"] == "invalid"
    assert select(f"SELECT x FROM `{table}`") == [(1,)]


@promise(MUST_MATCH, LOADING)
def test_a_row_without_a_value_in_the_column_does_not_match_a_decorator(
    months: str, load: Load, select: Select, put: Put
) -> None:
    uri = put("a.json", '{"x": 9}\n')
    with pytest.raises(exceptions.BadRequest):
        load(uri, f"{months}$202101", source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_TRUNCATE")
    assert select(f"SELECT x FROM `{months}` ORDER BY x") == [(1,), (2,), (3,)]


@promise("A partition decorator has the form", DECORATORS)
@pytest.mark.parametrize("partition", ["2021", "202113", "20210101", "x"])
def test_a_decorator_that_is_no_month_is_refused_for_a_monthly_table(
    months: str, load: Load, select: Select, put: Put, partition: str
) -> None:
    uri = put("a.json", '{"m": "2021-01-01", "x": 9}\n')
    with pytest.raises(exceptions.BadRequest):
        load(uri, f"{months}${partition}", source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_TRUNCATE")
    assert select(f"SELECT x FROM `{months}` ORDER BY x") == [(1,), (2,), (3,)]


@promise("Partition decorators enable you to reference a partition in a table.", DECORATORS)
def test_a_decorator_on_a_table_without_partitions_is_refused(table: str, load: Load, put: Put) -> None:
    uri = put("a.parquet", trips(dt.datetime(2021, 1, 1), 1))
    load(uri, table)
    with pytest.raises(exceptions.BadRequest):
        load(uri, f"{table}$202101", write_disposition="WRITE_TRUNCATE")


@promise("You can also write the results of a query to a specific partition", LOADING)
def test_a_query_replaces_the_partition_that_its_destination_names(months: str, select: Select) -> None:
    config = {"destination": f"{months}$202102", "write_disposition": "WRITE_TRUNCATE"}
    select("SELECT DATE '2021-02-20' AS m, 7 AS x", **config)
    assert select(f"SELECT x FROM `{months}` ORDER BY m") == [(1,), (7,), (3,)]
    with pytest.raises(exceptions.BadRequest):
        select("SELECT DATE '2021-01-20' AS m, 8 AS x", **config)
    assert select(f"SELECT x FROM `{months}` ORDER BY m") == [(1,), (7,), (3,)]


@promise(
    "With ingestion-time partitioning, you can use this technique to load older data into the partition that "
    "corresponds to the time when the data was originally created.",
    LOADING,
)
def test_rows_go_to_the_partition_of_the_decorator_in_a_table_partitioned_by_arrival(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put
) -> None:
    by_arrival = bigquery.TimePartitioning("DAY")
    load(put("a.parquet", pa.table({"x": [1]})), f"{table}$20210101", time_partitioning=by_arrival)
    load(put("b.parquet", pa.table({"x": [2]})), f"{table}$20210102")
    asked = f"SELECT x, _PARTITIONTIME AS at, _PARTITIONDATE AS day FROM `{table}` WHERE _PARTITIONDATE = '2021-01-02'"
    day = dt.datetime(2021, 1, 2, tzinfo=dt.UTC)
    assert select(asked) == [(2, day, day.date())]
    assert select(f"SELECT * FROM `{table}` ORDER BY x") == [(1,), (2,)]
    assert [field.name for field in bigquery_client.get_table(table).schema] == ["x"]


@promise(MUST_MATCH, LOADING)
def test_an_integer_range_is_a_partition_too(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put
) -> None:
    layout = bigquery.RangePartitioning(bigquery.PartitionRange(0, 100, 10), "x")
    load(put("a.parquet", pa.table({"x": [5, 15, 500]})), table, range_partitioning=layout)
    load(put("b.parquet", pa.table({"x": [17, 18]})), f"{table}$10", write_disposition="WRITE_TRUNCATE")
    with pytest.raises(exceptions.BadRequest):
        load(put("c.parquet", pa.table({"x": [27]})), f"{table}$10", write_disposition="WRITE_TRUNCATE")
    assert select(f"SELECT x FROM `{table}` ORDER BY x") == [(5,), (17,), (18,), (500,)]
    assert sorted(bigquery_client.list_partitions(table)) == ["0", "10", "__UNPARTITIONED__"]


@promise("Time-based partitioning specification for the destination table.", BIGQUERY_API)
def test_a_load_cannot_change_a_tables_partitioning(months: str, load: Load, put: Put) -> None:
    uri = put("a.json", '{"m": "2021-01-01", "x": 9}\n')
    with pytest.raises(exceptions.BadRequest, match=r"(?i)partitioning"):
        load(
            uri,
            months,
            source_format="NEWLINE_DELIMITED_JSON",
            time_partitioning=bigquery.TimePartitioning("DAY", "m"),
        )


@promise(
    "Use partition decorators to copy tables.", "https://cloud.google.com/bigquery/docs/modifying-partitioned-tables"
)
def test_a_partition_is_copied_over_the_same_one_of_another_table(
    bigquery_client: bigquery.Client, months: str, select: Select
) -> None:
    other = f"{months}_other"
    select(f"CREATE TABLE `{other}` (m DATE, x INT64) PARTITION BY DATE_TRUNC(m, MONTH)")
    select(f"INSERT INTO `{other}` (m, x) VALUES ('2021-01-09', 10), ('2021-02-09', 20)")
    config = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
    bigquery_client.copy_table(f"{months}$202101", f"{other}$202101", job_config=config).result()
    assert select(f"SELECT x FROM `{other}` ORDER BY m") == [(1,), (20,)]


@promise(
    "If the table already exists and contains data, a 'duplicate' error is returned in the job result.", BIGQUERY_API
)
def test_a_copy_keeps_layout_and_schema_and_is_refused_over_rows(
    bigquery_client: bigquery.Client, months: str, select: Select
) -> None:
    copy = f"{months}_copy"
    job = bigquery_client.copy_table(months, copy)
    job.result()
    copied, original = bigquery_client.get_table(copy), bigquery_client.get_table(months)
    assert (copied.num_rows, copied.schema, copied.time_partitioning) == (
        3,
        original.schema,
        original.time_partitioning,
    )
    with pytest.raises(exceptions.Conflict):
        bigquery_client.copy_table(months, copy).result()
    assert select(f"SELECT COUNT(*) AS n FROM `{copy}`") == [(3,)]


@promise("WRITE_APPEND: If the table already exists, BigQuery appends the data to the table.", BIGQUERY_API)
def test_several_tables_are_copied_into_one(bigquery_client: bigquery.Client, months: str, select: Select) -> None:
    bigquery_client.copy_table([f"{months}$202101", f"{months}$202103"], f"{months}_copy").result()
    assert select(f"SELECT x FROM `{months}_copy` ORDER BY x") == [(1,), (3,)]
    config = bigquery.CopyJobConfig(write_disposition="WRITE_APPEND")
    bigquery_client.copy_table(f"{months}$202102", f"{months}_copy", job_config=config).result()
    assert select(f"SELECT x FROM `{months}_copy` ORDER BY x") == [(1,), (2,), (3,)]


@promise("Delete partitions in a time-partitioned table", MANAGING)
def test_one_partition_is_deleted_and_the_others_stay(
    bigquery_client: bigquery.Client, months: str, select: Select
) -> None:
    bigquery_client.delete_table(f"{months}$202102")
    assert select(f"SELECT x FROM `{months}` ORDER BY x") == [(1,), (3,)]
    assert sorted(bigquery_client.list_partitions(months)) == ["202101", "202103"]


@promise(
    "the query results contain one row for each partition.",
    MANAGING,
)
def test_information_schema_has_a_row_for_each_partition(months: str, select: Select) -> None:
    dataset = months.rpartition(".")[0]
    asked = f"SELECT partition_id, total_rows FROM `{dataset}`.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'trips'"
    assert select(f"{asked} ORDER BY 1") == [("202101", 1), ("202102", 1), ("202103", 1)]


@promise(
    "A list of fully-qualified Google Cloud Storage URIs where the extracted table should be written.", BIGQUERY_API
)
def test_a_partition_is_extracted_and_reads_back(
    bigquery_client: bigquery.Client, months: str, load: Load, select: Select, put: Put
) -> None:
    folder = put("marker", b"").removesuffix("marker")
    config = bigquery.ExtractJobConfig(destination_format="PARQUET", compression="SNAPPY")  # type: ignore[no-untyped-call]
    bigquery_client.extract_table(f"{months}$202102", f"{folder}out-*.parquet", job_config=config).result()
    load(f"{folder}out-*.parquet", f"{months}_back")
    assert select(f"SELECT x FROM `{months}_back`") == [(2,)]
