"""Partitions, and what a table keeps of itself when it is loaded."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.localcloud.bigquery.conftest import Load, Select
from tests.localcloud.bigquery.served import FolderLake

MOMENTS = [dt.datetime(2021, 1, 1, 7), dt.datetime(2021, 1, 1, 8)]
GRAINS = [
    ("HOUR", "2021010107", MOMENTS),
    ("DAY", "20210101", [dt.datetime(2021, 1, day) for day in (1, 2)]),
    ("MONTH", "202101", [dt.datetime(2021, month, 1) for month in (1, 2)]),
    ("YEAR", "2021", [dt.datetime(year, 1, 1) for year in (2021, 2022)]),
]


def file(lake: FolderLake, moment: dt.datetime, x: int) -> str:
    return lake.write("rows.parquet", pa.table({"x": [x], "at": pa.array([moment], pa.timestamp("us"))}))


@pytest.mark.parametrize(("grain", "partition", "moments"), GRAINS)
def test_a_decorator_replaces_its_partition_and_no_other(
    client: bigquery.Client,
    load: Load,
    select: Select,
    lake: FolderLake,
    grain: str,
    partition: str,
    moments: list[dt.datetime],
) -> None:
    inside, outside = moments
    for x, moment in enumerate(moments):
        layout = bigquery.TimePartitioning(grain, "at")
        load(file(lake, moment, x), "trips.t", time_partitioning=layout)
    job = load(file(lake, inside, 7), f"trips.t${partition}", write_disposition="WRITE_TRUNCATE")
    assert job.output_rows == 1
    assert select("SELECT at, x FROM trips.t ORDER BY at") == [(inside, 7), (outside, 1)]
    assert partition in client.list_partitions("trips.t")
    assert client.get_table(f"trips.t${partition}").num_rows == 1


@pytest.mark.parametrize(("grain", "partition", "moments"), GRAINS)
def test_a_row_outside_the_decorators_partition_is_refused_and_the_partition_stays(
    load: Load, select: Select, lake: FolderLake, grain: str, partition: str, moments: list[dt.datetime]
) -> None:
    inside, outside = moments
    load(file(lake, inside, 1), "trips.t", time_partitioning=bigquery.TimePartitioning(grain, "at"))
    with pytest.raises(exceptions.BadRequest, match="Some rows belong to different partitions") as refused:
        load(file(lake, outside, 2), f"trips.t${partition}", write_disposition="WRITE_TRUNCATE")
    assert "invalid" in str(refused.value)
    assert select("SELECT x FROM trips.t") == [(1,)]


@pytest.mark.parametrize("partition", ["2021", "202113", "20210101", "x"])
def test_a_decorator_that_is_no_month_is_refused_for_a_monthly_table(
    load: Load, select: Select, lake: FolderLake, partition: str
) -> None:
    load(file(lake, MOMENTS[0], 1), "trips.t", time_partitioning=bigquery.TimePartitioning("MONTH", "at"))
    with pytest.raises(exceptions.BadRequest, match="Invalid partition id"):
        load(file(lake, MOMENTS[0], 2), f"trips.t${partition}", write_disposition="WRITE_TRUNCATE")
    assert select("SELECT x FROM trips.t") == [(1,)]


def test_a_decorator_on_a_table_without_partitions_is_refused(load: Load, lake: FolderLake) -> None:
    uri = file(lake, MOMENTS[0], 1)
    load(uri, "trips.t")
    with pytest.raises(exceptions.BadRequest, match="not partitioned"):
        load(uri, "trips.t$202101", write_disposition="WRITE_TRUNCATE")


def test_rows_go_to_the_partition_of_the_decorator_in_a_table_partitioned_by_arrival(
    client: bigquery.Client, load: Load, select: Select, lake: FolderLake
) -> None:
    by_arrival = bigquery.TimePartitioning("DAY")
    load(lake.write("a.parquet", pa.table({"x": [1]})), "trips.t$20210101", time_partitioning=by_arrival)
    load(lake.write("a.parquet", pa.table({"x": [2]})), "trips.t$20210102")
    asked = "SELECT x, _PARTITIONTIME AS at, _PARTITIONDATE AS day FROM trips.t WHERE _PARTITIONDATE = '2021-01-02'"
    day = dt.datetime(2021, 1, 2, tzinfo=dt.UTC)
    assert select(asked) == [(2, day, day.date())]
    assert select("SELECT * FROM trips.t ORDER BY x") == [(1,), (2,)]
    assert [field.name for field in client.get_table("trips.t").schema] == ["x"]


def test_integer_ranges_partition_too(client: bigquery.Client, load: Load, select: Select, lake: FolderLake) -> None:
    layout = bigquery.RangePartitioning(bigquery.PartitionRange(0, 100, 10), "x")
    load(lake.write("a.parquet", pa.table({"x": [5, 15, 500]})), "trips.t", range_partitioning=layout)
    load(lake.write("a.parquet", pa.table({"x": [17, 18]})), "trips.t$10", write_disposition="WRITE_TRUNCATE")
    assert select("SELECT x FROM trips.t ORDER BY x") == [(5,), (17,), (18,), (500,)]
    assert sorted(client.list_partitions("trips.t")) == ["0", "10", "__UNPARTITIONED__"]


def described(client: bigquery.Client) -> tuple[Any, ...]:
    table = client.get_table("trips.t")
    layout = table.time_partitioning
    return (
        table.description,
        table.labels,
        table.clustering_fields,
        (layout.type_, layout.field, layout.expiration_ms) if layout else None,
        [field.description for field in table.schema],
    )


@pytest.mark.parametrize(
    ("destination", "disposition", "columns"),
    [
        ("trips.t", "WRITE_APPEND", ["the trip", None]),
        ("trips.t", "WRITE_TRUNCATE_DATA", ["the trip", None]),
        ("trips.t$202101", "WRITE_TRUNCATE", ["the trip", None]),
        ("trips.t", "WRITE_TRUNCATE", [None, None]),
    ],
)
def test_a_load_keeps_what_google_keeps_of_a_table(
    client: bigquery.Client, load: Load, lake: FolderLake, destination: str, disposition: str, columns: list[str | None]
) -> None:
    table = bigquery.Table(
        "local.trips.t",
        [bigquery.SchemaField("x", "INTEGER", description="the trip"), bigquery.SchemaField("at", "DATETIME")],
    )
    table.time_partitioning = bigquery.TimePartitioning("MONTH", "at", expiration_ms=10**12)
    table.clustering_fields = ["x"]
    table.description = "Trips"
    table.labels = {"team": "data"}
    client.create_table(table)
    uri = file(lake, MOMENTS[0], 1)
    load(uri, destination, write_disposition=disposition)
    kept = ("Trips", {"team": "data"}, ["x"], ("MONTH", "at", 10**12))
    assert described(client) == (*kept, columns)


def test_a_load_cannot_change_a_tables_partitioning(load: Load, lake: FolderLake) -> None:
    uri = file(lake, MOMENTS[0], 1)
    load(uri, "trips.t", time_partitioning=bigquery.TimePartitioning("MONTH", "at"))
    with pytest.raises(exceptions.BadRequest, match="Incompatible table partitioning specification"):
        load(uri, "trips.t", time_partitioning=bigquery.TimePartitioning("DAY", "at"))
