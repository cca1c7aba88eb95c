"""Load jobs: what files become in a table."""

import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.localcloud.bigquery.conftest import Load, Select
from tests.localcloud.bigquery.served import FolderLake

XS = [bigquery.SchemaField("x", "INTEGER"), bigquery.SchemaField("name", "STRING")]


def test_parquet_columns_go_by_name(load: Load, select: Select, lake: FolderLake) -> None:
    swapped = pa.table({"NAME": ["one"], "x": [1]})
    load(lake.write("a.parquet", swapped), "trips.t", schema=XS)
    load(lake.write("b.parquet", pa.table({"x": [2]})), "trips.t", schema=XS)
    assert select("SELECT x, name FROM trips.t ORDER BY x") == [(1, "one"), (2, None)]


def test_csv_columns_go_by_position(load: Load, select: Select, lake: FolderLake) -> None:
    uri = lake.write("a.csv", 'name,x\n1,"a ""quoted"", text"\n2,\n3,""\n')
    load(uri, "trips.t", source_format="CSV", skip_leading_rows=1, schema=XS)
    assert select("SELECT x, name FROM trips.t ORDER BY x") == [(1, 'a "quoted", text'), (2, None), (3, "")]


def test_gzipped_csv_of_several_files_is_one_load(load: Load, select: Select, lake: FolderLake) -> None:
    for number in (1, 2):
        lake.write(f"part-{number}.csv.gz", gzip.compress(f"{number},n{number}\n".encode()))
    job = load("gs://lake/part-*.csv.gz", "trips.t", source_format="CSV", schema=XS)
    assert (job.input_files, job.output_rows) == (2, 2)
    assert select("SELECT x, name FROM trips.t ORDER BY x") == [(1, "n1"), (2, "n2")]


def test_json_lines_with_an_unknown_field_are_refused_unless_ignored(
    load: Load, select: Select, lake: FolderLake
) -> None:
    uri = lake.write("a.json", '{"x": 1, "y": 2}\n{"x": 2, "name": "b"}\n')
    with pytest.raises(exceptions.BadRequest, match="No such field: y"):
        load(uri, "trips.t", source_format="NEWLINE_DELIMITED_JSON", schema=XS)
    load(uri, "trips.t", source_format="NEWLINE_DELIMITED_JSON", schema=XS, ignore_unknown_values=True)
    assert select("SELECT x, name FROM trips.t ORDER BY x") == [(1, None), (2, "b")]


def test_output_rows_are_those_of_the_job_not_of_the_table(
    client: bigquery.Client, load: Load, lake: FolderLake
) -> None:
    load(lake.write("a.parquet", pa.table({"x": [1, 2, 3]})), "trips.t")
    second = load(lake.write("b.parquet", pa.table({"x": [4]})), "trips.t")
    assert (second.output_rows, client.get_table("trips.t").num_rows) == (1, 4)


@pytest.mark.parametrize("disposition", ["WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA"])
@pytest.mark.parametrize("destination", ["trips.t", "trips.t$202101"])
def test_a_failed_truncate_keeps_the_rows(
    load: Load, select: Select, lake: FolderLake, disposition: str, destination: str
) -> None:
    select("CREATE TABLE trips.t (m DATE NOT NULL, x INT64) PARTITION BY DATE_TRUNC(m, MONTH)")
    select("INSERT INTO trips.t (m, x) VALUES ('2021-01-01', 1)")
    # the second file breaks after rows of the first were written
    lake.write("part-1.json", '{"m": "2021-01-01", "x": 5}\n' * 10)
    lake.write("part-2.json", '{"m": "2021-01-01", "x": 6}\n' * 10 + '{"m": "2021-01-01", "x": "six"}\n')
    with pytest.raises(exceptions.BadRequest, match="Error while reading data"):
        load(
            "gs://lake/part-*.json",
            destination,
            source_format="NEWLINE_DELIMITED_JSON",
            write_disposition=disposition,
        )
    assert select("SELECT x FROM trips.t") == [(1,)]


def test_each_disposition_does_to_the_rows_what_it_says(load: Load, select: Select, lake: FolderLake) -> None:
    def after(disposition: str, x: int) -> list[tuple[Any, ...]]:
        load(lake.write("a.parquet", pa.table({"x": [x]})), "trips.t", write_disposition=disposition)
        return select("SELECT x FROM trips.t ORDER BY x")

    assert after("WRITE_EMPTY", 1) == [(1,)]
    with pytest.raises(exceptions.Conflict, match=r"Already Exists: Table local:trips\.t"):
        after("WRITE_EMPTY", 2)
    assert after("WRITE_APPEND", 3) == [(1,), (3,)]
    assert after("WRITE_TRUNCATE", 4) == [(4,)]
    assert after("WRITE_TRUNCATE_DATA", 5) == [(5,)]


def test_create_never_makes_no_table(client: bigquery.Client, load: Load, lake: FolderLake) -> None:
    with pytest.raises(exceptions.NotFound, match=r"Not found: Table local:trips\.t"):
        load(lake.write("a.parquet", pa.table({"x": [1]})), "trips.t", create_disposition="CREATE_NEVER")
    assert list(client.list_tables("trips")) == []


@pytest.mark.parametrize(("uri", "table"), [("gs://lake/no.parquet", "trips.t"), ("gs://lake/a.parquet", "nowhere.t")])
def test_a_missing_object_or_dataset_is_the_error_of_a_done_job(
    client: bigquery.Client, lake: FolderLake, uri: str, table: str
) -> None:
    lake.write("a.parquet", pa.table({"x": [1]}))
    job = client.load_table_from_uri(uri, table, job_config=bigquery.LoadJobConfig(source_format="PARQUET"))
    assert (job.state, (job.error_result or {})["reason"]) == ("DONE", "notFound")
    with pytest.raises(exceptions.NotFound):
        job.result()


def test_a_new_column_needs_the_option_that_allows_it(load: Load, select: Select, lake: FolderLake) -> None:
    load(lake.write("a.parquet", pa.table({"x": [1]})), "trips.t")
    wider = lake.write("b.parquet", pa.table({"x": [2], "y": ["new"]}))
    with pytest.raises(exceptions.BadRequest, match=r"Cannot add fields \(field: y\)"):
        load(wider, "trips.t")
    load(wider, "trips.t", schema_update_options=["ALLOW_FIELD_ADDITION"])
    assert select("SELECT x, y FROM trips.t ORDER BY x") == [(1, None), (2, "new")]


def test_a_column_of_another_type_is_refused_and_named(load: Load, lake: FolderLake) -> None:
    load(lake.write("a.parquet", pa.table({"x": [1]})), "trips.t")
    with pytest.raises(exceptions.BadRequest, match="'x' has type STRING which does not match the target type INTEGER"):
        load(lake.write("b.parquet", pa.table({"x": ["1"]})), "trips.t")


def test_a_required_column_is_relaxed_only_when_allowed(client: bigquery.Client, load: Load, lake: FolderLake) -> None:
    client.create_table(bigquery.Table("local.trips.t", [bigquery.SchemaField("x", "INTEGER", "REQUIRED")]))
    uri = lake.write("a.parquet", pa.table({"x": pa.array([None], pa.int64())}))
    nullable = [bigquery.SchemaField("x", "INTEGER")]
    with pytest.raises(exceptions.BadRequest, match="changed mode from REQUIRED to NULLABLE"):
        load(uri, "trips.t", schema=nullable)
    load(uri, "trips.t", schema=nullable, schema_update_options=["ALLOW_FIELD_RELAXATION"])
    assert client.get_table("trips.t").schema == nullable


def test_a_file_column_outside_the_given_schema_is_refused(load: Load, lake: FolderLake) -> None:
    uri = lake.write("a.parquet", pa.table({"x": [1], "name": ["a"], "more": [1]}))
    with pytest.raises(exceptions.BadRequest, match="no such field: more"):
        load(uri, "trips.t", schema=XS)


def test_an_error_in_a_file_names_the_object_and_not_our_disk(load: Load, lake: FolderLake) -> None:
    uri = lake.write("bad.parquet", b"not parquet")
    with pytest.raises(exceptions.BadRequest) as refused:
        load(uri, "trips.t")
    assert "gs://lake/bad.parquet" in str(refused.value)
    assert "pins" not in str(refused.value)


@pytest.mark.parametrize("resumable", [True, False])
def test_a_local_file_is_loaded_through_an_upload(client: bigquery.Client, select: Select, resumable: bool) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"x": range(5)}), content)
    job = client.load_table_from_file(
        content,
        "trips.t",
        rewind=True,
        size=None if resumable else content.tell(),
        job_config=bigquery.LoadJobConfig(source_format="PARQUET"),
    )
    job.result()
    assert (job.output_rows, select("SELECT sum(x) FROM trips.t")) == (5, [(10,)])


@pytest.mark.filterwarnings(
    "ignore:Loading DataFrames:PendingDeprecationWarning", "ignore:Loading pandas:FutureWarning"
)
def test_a_data_frame_is_loaded_with_its_lists(client: bigquery.Client, select: Select) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"name": ["a", "b"], "many": [[1], [2, 3]]})
    client.load_table_from_dataframe(frame, "trips.t").result()
    assert select("SELECT name, many FROM trips.t ORDER BY name") == [("a", [1]), ("b", [2, 3])]


def test_streamed_rows_are_all_taken_or_all_refused(client: bigquery.Client, select: Select) -> None:
    client.create_table(bigquery.Table("local.trips.t", XS))
    assert client.insert_rows_json("trips.t", [{"x": 1, "name": "a"}, {"x": 2}]) == []
    refused = client.insert_rows_json("trips.t", [{"x": 3}, {"x": 4, "nope": 1}])
    assert [error["index"] for error in refused] == [0, 1]
    assert select("SELECT x, name FROM trips.t ORDER BY x") == [(1, "a"), (2, None)]
