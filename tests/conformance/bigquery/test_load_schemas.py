"""What a load may do to a table's columns, and what it keeps of the table."""

from typing import Any

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.conformance.bigquery.conftest import Load, Put, Select
from tests.conformance.promises import BIGQUERY_API, promise, relied_on

X, Y = bigquery.SchemaField("x", "INTEGER"), bigquery.SchemaField("y", "STRING")
ADDITION = {"schema_update_options": ["ALLOW_FIELD_ADDITION"]}
SUPPORTED = (
    "Schema update options are supported in three cases: when writeDisposition is WRITE_APPEND; when writeDisposition "
    "is WRITE_TRUNCATE_DATA; when writeDisposition is WRITE_TRUNCATE and the destination table is a partition of a "
    "table, specified by partition decorators."
)
MONTHLY = bigquery.TimePartitioning("MONTH", "m")


def names(client: bigquery.Client, table: str) -> list[str]:
    return [field.name for field in client.get_table(table).schema]


@promise("ALLOW_FIELD_ADDITION: allow adding a nullable field to the schema.", BIGQUERY_API)
@pytest.mark.parametrize("declared", [True, False], ids=["schema-passed", "schema-of-the-file"])
def test_a_new_column_needs_the_option_that_allows_it(
    table: str, load: Load, select: Select, put: Put, declared: bool
) -> None:
    load(put("a.parquet", pa.table({"x": [1]})), table)
    wider = put("b.parquet", pa.table({"y": ["new"], "x": [2]}))
    config: dict[str, Any] = {"schema": [X, Y]} if declared else {}
    with pytest.raises(exceptions.BadRequest, match="y"):
        load(wider, table, **config)
    assert select(f"SELECT * FROM `{table}`") == [(1,)]
    load(wider, table, **config, **ADDITION)
    assert select(f"SELECT x, y FROM `{table}` ORDER BY x") == [(1, None), (2, "new")]


@promise("allow adding a nullable field to the schema.", BIGQUERY_API)
def test_a_column_that_is_added_cannot_be_required(table: str, load: Load, put: Put) -> None:
    load(put("a.parquet", pa.table({"x": [1]})), table)
    required = [X, bigquery.SchemaField("y", "STRING", "REQUIRED")]
    with pytest.raises(exceptions.BadRequest, match="y"):
        load(put("b.parquet", pa.table({"x": [2], "y": ["new"]})), table, schema=required, **ADDITION)


@promise(SUPPORTED, BIGQUERY_API)
def test_a_truncation_of_the_data_may_add_a_column(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put
) -> None:
    bigquery_client.create_table(bigquery.Table(table, [bigquery.SchemaField("x", "INTEGER", description="kept")]))
    wider = put("a.parquet", pa.table({"x": [2], "y": ["new"]}))
    load(wider, table, schema=[X, Y], write_disposition="WRITE_TRUNCATE_DATA", **ADDITION)
    assert select(f"SELECT x, y FROM `{table}`") == [(2, "new")]
    assert bigquery_client.get_table(table).schema[0].description == "kept"


@promise(SUPPORTED, BIGQUERY_API)
def test_a_truncation_of_one_partition_may_add_a_column(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put
) -> None:
    select(f"CREATE TABLE `{table}` (m DATE, x INT64) PARTITION BY DATE_TRUNC(m, MONTH)")
    select(f"INSERT INTO `{table}` (m, x) VALUES ('2021-01-01', 1), ('2021-02-01', 2)")
    uri = put("a.json", '{"m": "2021-01-05", "x": 3, "y": "new"}\n')
    schema = [bigquery.SchemaField("m", "DATE"), X, Y]
    text = {"source_format": "NEWLINE_DELIMITED_JSON", "write_disposition": "WRITE_TRUNCATE", "schema": schema}
    with pytest.raises(exceptions.BadRequest):
        load(uri, f"{table}$202101", **text)
    load(uri, f"{table}$202101", **text, **ADDITION)
    assert select(f"SELECT x, y FROM `{table}` ORDER BY x") == [(2, None), (3, "new")]
    assert names(bigquery_client, table) == ["m", "x", "y"]


@promise(SUPPORTED, BIGQUERY_API)
@pytest.mark.parametrize("disposition", ["WRITE_TRUNCATE", "WRITE_EMPTY"])
def test_schema_update_options_are_refused_with_other_dispositions(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put, disposition: str
) -> None:
    bigquery_client.create_table(bigquery.Table(table, [X]))
    uri = put("a.parquet", pa.table({"x": [2], "y": ["new"]}))
    with pytest.raises(exceptions.BadRequest):
        load(uri, table, write_disposition=disposition, **ADDITION)


@promise(
    "ALLOW_FIELD_RELAXATION: allow relaxing a required field in the original schema to nullable.",
    BIGQUERY_API,
)
def test_a_required_column_is_relaxed_only_when_allowed(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    bigquery_client.create_table(bigquery.Table(table, [bigquery.SchemaField("x", "INTEGER", "REQUIRED")]))
    uri = put("a.parquet", pa.table({"x": pa.array([None], pa.int64())}))
    with pytest.raises(exceptions.BadRequest):
        load(uri, table, schema=[X])
    assert bigquery_client.get_table(table).num_rows == 0
    load(uri, table, schema=[X], schema_update_options=["ALLOW_FIELD_RELAXATION"])
    assert bigquery_client.get_table(table).schema == [X]


@relied_on(
    "a schema that lacks nullable columns of the table appends: load_table_from_dataframe passes only the frame's",
    "google/cloud/bigquery/client.py",
)
@pytest.mark.parametrize("destination", ["{}", "{}$202101"])
def test_a_passed_schema_may_lack_nullable_columns_of_the_table(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put, destination: str
) -> None:
    select(f"CREATE TABLE `{table}` (m DATE, x INT64, y STRING) PARTITION BY DATE_TRUNC(m, MONTH)")
    schema = [bigquery.SchemaField("m", "DATE"), Y]
    uri = put("a.json", '{"m": "2021-01-05", "y": "one"}\n')
    load(uri, destination.format(table), source_format="NEWLINE_DELIMITED_JSON", schema=schema)
    assert select(f"SELECT x, y FROM `{table}`") == [(None, "one")]
    assert names(bigquery_client, table) == ["m", "x", "y"]


@promise("Possible values include NULLABLE, REQUIRED and REPEATED.", BIGQUERY_API)
def test_a_required_column_cannot_be_left_out_or_null(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    bigquery_client.create_table(bigquery.Table(table, [bigquery.SchemaField("x", "INTEGER", "REQUIRED"), Y]))
    for number, content in enumerate((pa.table({"y": ["a"]}), pa.table({"x": pa.array([None], pa.int64())}))):
        with pytest.raises(exceptions.BadRequest, match="x"):
            load(put(f"{number}.parquet", content), table)
    assert bigquery_client.get_table(table).num_rows == 0


@promise("Required. The field data type.", BIGQUERY_API)
@pytest.mark.parametrize("declared", [True, False], ids=["schema-passed", "schema-of-the-file"])
def test_a_column_of_another_type_is_refused_and_named(
    table: str, load: Load, select: Select, put: Put, declared: bool
) -> None:
    load(put("a.parquet", pa.table({"x": [1]})), table)
    config: dict[str, Any] = {"schema": [bigquery.SchemaField("x", "STRING")]} if declared else {}
    with pytest.raises(exceptions.BadRequest, match="x"):
        load(put("b.parquet", pa.table({"x": ["1"]})), table, **config)
    assert select(f"SELECT x FROM `{table}`") == [(1,)]


@promise("For normal tables, WRITE_TRUNCATE will always overwrite the schema.", BIGQUERY_API)
def test_a_truncated_table_has_the_schema_of_the_load(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    load(put("a.parquet", pa.table({"x": [1], "z": [2.5]})), table)
    load(put("b.parquet", pa.table({"x": ["text"], "y": ["a"]})), table, write_disposition="WRITE_TRUNCATE")
    assert bigquery_client.get_table(table).schema == [bigquery.SchemaField("x", "STRING"), Y]


@promise("keeps the constraints and schema of the existing table.", BIGQUERY_API)
def test_a_truncation_of_the_data_refuses_another_schema(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put
) -> None:
    load(put("a.parquet", pa.table({"x": [1]})), table)
    with pytest.raises(exceptions.BadRequest):
        load(put("b.parquet", pa.table({"x": ["text"]})), table, write_disposition="WRITE_TRUNCATE_DATA")
    assert (select(f"SELECT x FROM `{table}`"), bigquery_client.get_table(table).schema) == ([(1,)], [X])


@promise("keeps the constraints and schema of the existing table.", BIGQUERY_API)
@pytest.mark.parametrize(
    ("destination", "disposition", "columns"),
    [
        ("{}", "WRITE_APPEND", ["the trip", None]),
        ("{}", "WRITE_TRUNCATE_DATA", ["the trip", None]),
        ("{}$202101", "WRITE_TRUNCATE", ["the trip", None]),
        ("{}", "WRITE_TRUNCATE", [None, None]),
    ],
)
def test_a_load_keeps_layout_labels_and_description_and_a_truncation_loses_the_columns(
    bigquery_client: bigquery.Client,
    table: str,
    load: Load,
    put: Put,
    destination: str,
    disposition: str,
    columns: list[str | None],
) -> None:
    given = bigquery.Table(
        table, [bigquery.SchemaField("x", "INTEGER", description="the trip"), bigquery.SchemaField("m", "DATE")]
    )
    given.time_partitioning = bigquery.TimePartitioning("MONTH", "m", expiration_ms=10**12)
    given.clustering_fields = ["x"]
    given.description = "Trips"
    given.labels = {"team": "data"}
    bigquery_client.create_table(given)
    uri = put("a.json", '{"x": 1, "m": "2021-01-05"}\n')
    schema = [X, bigquery.SchemaField("m", "DATE")]
    load(
        uri,
        destination.format(table),
        source_format="NEWLINE_DELIMITED_JSON",
        schema=schema,
        write_disposition=disposition,
    )
    kept = bigquery_client.get_table(table)
    layout = kept.time_partitioning
    assert layout is not None
    assert (kept.description, kept.labels, kept.clustering_fields) == ("Trips", {"team": "data"}, ["x"])
    assert (layout.type_, layout.field, layout.expiration_ms) == ("MONTH", "m", 10**12)
    assert [field.description for field in kept.schema] == columns


@promise(
    "The description for the destination table. This will only be used if the destination table is newly created. If "
    "the table already exists and a value different than the current description is provided, the job will fail.",
    BIGQUERY_API,
)
def test_a_load_gives_a_new_table_its_properties_and_changes_none_of_an_old_one(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    uri = put("a.parquet", pa.table({"x": [1]}))
    load(uri, table, destination_table_description="Trips", destination_table_friendly_name="All trips")
    load(uri, table, destination_table_description="Trips")
    made = bigquery_client.get_table(table)
    assert (made.description, made.friendly_name, made.num_rows) == ("Trips", "All trips", 2)
    with pytest.raises(exceptions.BadRequest):
        load(uri, table, destination_table_description="Others")
    assert bigquery_client.get_table(table).num_rows == 2


@promise("Clustering specification for the destination table.", BIGQUERY_API)
def test_a_load_makes_a_table_with_partitions_and_clusters(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put
) -> None:
    schema = [bigquery.SchemaField("m", "DATE"), X]
    text = {"source_format": "NEWLINE_DELIMITED_JSON", "schema": schema}
    uri = put("a.json", '{"m": "2021-01-05", "x": 1}\n{"m": "2021-02-05", "x": 2}\n')
    load(uri, table, **text, time_partitioning=MONTHLY, clustering_fields=["x"])
    made = bigquery_client.get_table(table)
    assert made.time_partitioning is not None
    assert (made.time_partitioning.type_, made.time_partitioning.field) == ("MONTH", "m")
    assert made.clustering_fields == ["x"]
    assert sorted(bigquery_client.list_partitions(table)) == ["202101", "202102"]
