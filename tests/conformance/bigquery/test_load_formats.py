"""What files become in a table: their formats, their addresses, what is refused in them."""

import datetime as dt
import gzip
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery, storage

from tests.conformance.bigquery.conftest import Load, Put, Select
from tests.conformance.promises import BIGQUERY_API, promise, relied_on

XS = [bigquery.SchemaField("x", "INTEGER"), bigquery.SchemaField("name", "STRING")]
TEXT = {"source_format": "CSV", "schema": XS}
JSON = {"source_format": "NEWLINE_DELIMITED_JSON", "schema": XS}
PARQUET_PAGE = "https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet"
MOMENT = dt.datetime(2021, 2, 3, 4, 5, 6, 789012, tzinfo=dt.UTC)
VALUES = [
    ("STRING", pa.string(), ["", "naïve 'quoted' \"text\"", "日本"]),
    ("INTEGER", pa.int64(), [-(2**63), 0, 2**63 - 1]),
    ("FLOAT", pa.float64(), [-0.1, 1e300, float("inf")]),
    ("NUMERIC", pa.decimal128(38, 9), [Decimal("-12345678901234567890123456789.123456789"), Decimal("0.000000001")]),
    ("BOOLEAN", pa.bool_(), [True, False]),
    ("DATE", pa.date32(), [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    ("TIME", pa.time64("us"), [dt.time(0), dt.time(23, 59, 59, 999999)]),
    ("DATETIME", pa.timestamp("us"), [MOMENT.replace(tzinfo=None), dt.datetime(1900, 1, 1)]),
    ("TIMESTAMP", pa.timestamp("us", "UTC"), [MOMENT, dt.datetime(1900, 1, 1, tzinfo=dt.UTC)]),
    ("BYTES", pa.binary(), [b"", b"\x00\xff'"]),
]
BY_NAME = "Parquet's columns go by their names: the loader writes the frame's columns in the frame's own order"
FRAMES = "google/cloud/bigquery/_pandas_helpers.py"


@relied_on(BY_NAME, FRAMES)
def test_parquet_columns_go_by_name_whatever_their_order_and_case(
    table: str, load: Load, select: Select, put: Put
) -> None:
    load(put("a.parquet", pa.table({"NAME": ["one"], "x": [1]})), table, schema=XS)
    load(put("b.parquet", pa.table({"x": [2], "name": ["two"]})), table, schema=XS)
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "one"), (2, "two")]


@promise("Otherwise, columns are matched by position.", BIGQUERY_API)
def test_csv_columns_go_by_position(table: str, load: Load, select: Select, put: Put) -> None:
    load(put("a.csv", "name,x\n1,one\n"), table, skip_leading_rows=1, **TEXT)
    assert select(f"SELECT x, name FROM `{table}`") == [(1, "one")]


@promise(
    "To include the specific quote character within a quoted value, precede it with an additional matching quote "
    "character. For example, if you want to escape the default character ' \" ', use ' \"\" '.",
    BIGQUERY_API,
)
def test_a_doubled_quote_is_a_quote_and_a_comma_in_quotes_is_text(
    table: str, load: Load, select: Select, put: Put
) -> None:
    load(put("a.csv", '1,"a ""quoted"", text"\n'), table, **TEXT)
    assert select(f"SELECT name FROM `{table}`") == [('a "quoted", text',)]


@promise("The default value is the empty string.", BIGQUERY_API)
def test_an_unquoted_empty_field_is_null(table: str, load: Load, select: Select, put: Put) -> None:
    load(put("a.csv", ",\n1,one\n"), table, **TEXT)
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(None, None), (1, "one")]


@promise(
    "If you set this property to a custom value, BigQuery throws an error if an empty string is present for all data "
    "types except for STRING and BYTE. For STRING and BYTE columns, BigQuery interprets the empty string as an empty "
    "value.",
    BIGQUERY_API,
)
def test_with_a_null_marker_of_its_own_an_empty_field_is_a_text_and_no_number(
    table: str, load: Load, select: Select, put: Put
) -> None:
    load(put("a.csv", "NA,\n2,NA\n"), table, null_marker="NA", **TEXT)
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(None, ""), (2, None)]
    with pytest.raises(exceptions.BadRequest):
        load(put("b.csv", ",text\n"), table, null_marker="NA", **TEXT)


@promise(
    "Indicates if BigQuery should allow quoted data sections that contain newline characters in a CSV file. The "
    "default value is false.",
    BIGQUERY_API,
)
def test_a_newline_in_quotes_is_refused_unless_allowed(table: str, load: Load, select: Select, put: Put) -> None:
    uri = put("a.csv", '1,"two\nlines"\n')
    with pytest.raises(exceptions.BadRequest):
        load(uri, table, **TEXT)
    load(uri, table, allow_quoted_newlines=True, **TEXT)
    assert select(f"SELECT x, name FROM `{table}`") == [(1, "two\nlines")]


@promise(
    "Accept rows that are missing trailing optional columns. The missing values are treated as nulls. If false, "
    "records with missing trailing columns are treated as bad records",
    BIGQUERY_API,
)
def test_a_row_without_its_last_column_is_refused_unless_allowed(
    table: str, load: Load, select: Select, put: Put
) -> None:
    uri = put("a.csv", "1,one\n2\n")
    with pytest.raises(exceptions.BadRequest):
        load(uri, table, **TEXT)
    load(uri, table, allow_jagged_rows=True, **TEXT)
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "one"), (2, None)]


@promise("If false, records with extra columns are treated as bad records", BIGQUERY_API)
def test_a_row_with_a_column_too_many_is_refused(table: str, load: Load, put: Put) -> None:
    with pytest.raises(exceptions.BadRequest):
        load(put("a.csv", "1,one,more\n"), table, **TEXT)


@promise("The default value is comma", BIGQUERY_API)
@pytest.mark.parametrize(("delimiter", "text"), [("|", "1|a,b\n"), ("\t", "1\ta,b\n"), ("\\t", "1\ta,b\n")])
def test_another_delimiter_is_taken(
    table: str, load: Load, select: Select, put: Put, delimiter: str, text: str
) -> None:
    load(put("a.csv", text), table, field_delimiter=delimiter, **TEXT)
    assert select(f"SELECT x, name FROM `{table}`") == [(1, "a,b")]


@promise("The number of rows at the top of a CSV file that BigQuery will skip when loading the data.", BIGQUERY_API)
def test_leading_rows_are_skipped_in_every_file(table: str, load: Load, select: Select, put: Put) -> None:
    uris = [put("a.csv", "x,name\n,\n1,one\n"), put("b.csv", "x,name\n,\n2,two\n")]
    load(uris, table, skip_leading_rows=2, **TEXT)
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "one"), (2, "two")]


@promise(
    "The default value is 0, which requires that all records are valid.",
    BIGQUERY_API,
)
@pytest.mark.parametrize(
    ("name", "content", "config"),
    [
        ("a.csv", "1,one\ntwo,two\n", TEXT),
        ("a.json", '{"x": 1}\n{"x": "two"}\n', JSON),
        ("a.json", '{"x": 1}\n{"x": 2\n', JSON),
        ("a.parquet", b"PAR1 this is no Parquet PAR1", {"schema": XS}),
        ("a.csv.gz", gzip.compress(b"1,one\n2,two\n" * 1000)[:-20], TEXT),
    ],
    ids=["csv", "json", "broken-json", "parquet", "cut-gzip"],
)
def test_one_bad_record_refuses_the_load_and_no_table_is_made(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put, name: str, content: Any, config: Any
) -> None:
    uri = put(name, content)
    with pytest.raises(exceptions.BadRequest) as refused:
        load(uri, table, **config)
    assert refused.value.errors[0]["reason"] == "invalid"
    with pytest.raises(exceptions.NotFound):
        bigquery_client.get_table(table)


@promise("For newline-delimited JSON, specify", BIGQUERY_API)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("text", "config"), [("1,one\n2,\n", TEXT), ('{"name": "one", "x": 1}\n{"x": "2"}\n', JSON)], ids=["csv", "json"]
)
def test_text_is_loaded_plain_or_gzipped(
    table: str, load: Load, select: Select, put: Put, text: str, config: Any, packed: bool
) -> None:
    job = load(put("file", gzip.compress(text.encode()) if packed else text), table, **config)
    assert job.output_rows == 2
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "one"), (2, None)]


@promise("JSON: Named values that don't match any column names in the table schema", BIGQUERY_API)
def test_an_unknown_name_in_json_is_refused_unless_ignored(table: str, load: Load, select: Select, put: Put) -> None:
    uri = put("a.json", '{"x": 1, "y": 2}\n{"x": 2, "name": "b"}\n')
    with pytest.raises(exceptions.BadRequest, match="y"):
        load(uri, table, **JSON)
    load(uri, table, ignore_unknown_values=True, **JSON)
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, None), (2, "b")]


@promise("Avro, Parquet, ORC: Fields in the file schema that don't exist in the table schema.", BIGQUERY_API)
def test_a_parquet_column_outside_the_given_schema_is_refused_unless_ignored(
    table: str, load: Load, select: Select, put: Put
) -> None:
    uri = put("a.parquet", pa.table({"x": [1], "name": ["a"], "more": [1]}))
    with pytest.raises(exceptions.BadRequest, match="more"):
        load(uri, table, schema=XS)
    load(uri, table, schema=XS, ignore_unknown_values=True)
    assert select(f"SELECT * FROM `{table}`") == [(1, "a")]


@promise(
    "The schema can be omitted if the destination table already exists, or if you're loading data from Google Cloud "
    "Datastore.",
    BIGQUERY_API,
)
@pytest.mark.parametrize(("text", "kind"), [("1,one\n", "CSV"), ('{"x": 1}\n', "NEWLINE_DELIMITED_JSON")])
def test_text_needs_a_schema_where_no_table_has_one(
    bigquery_client: bigquery.Client, table: str, load: Load, select: Select, put: Put, text: str, kind: str
) -> None:
    uri = put("file", text)
    with pytest.raises(exceptions.BadRequest):
        load(uri, table, source_format=kind)
    bigquery_client.create_table(bigquery.Table(table, XS))
    load(uri, table, source_format=kind)
    assert select(f"SELECT x FROM `{table}`") == [(1,)]


@promise("Indicates if we should automatically infer the options and schema for CSV and JSON sources.", BIGQUERY_API)
@pytest.mark.parametrize(
    ("text", "kind"),
    [("x,name\n1,one\n", "CSV"), ('{"x": 1, "name": "one"}\n', "NEWLINE_DELIMITED_JSON")],
    ids=["csv", "json"],
)
def test_the_schema_of_text_is_inferred_when_asked_for(
    bigquery_client: bigquery.Client, table: str, load: Load, put: Put, text: str, kind: str
) -> None:
    load(put("file", text), table, source_format=kind, autodetect=True)
    found = {field.name: field.field_type for field in bigquery_client.get_table(table).schema}
    assert found == {"x": "INTEGER", "name": "STRING"}


@promise(
    "When you load Parquet data from Cloud Storage, you can load the data into a new table or partition, or you can "
    "append to or overwrite an existing table or partition.",
    PARQUET_PAGE,
)
@pytest.mark.parametrize(("kind", "arrow", "values"), VALUES, ids=[kind for kind, _, _ in VALUES])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "inferred"])
def test_values_of_every_type_come_back_from_parquet_as_they_went_in(
    bigquery_client: bigquery.Client,
    table: str,
    load: Load,
    select: Select,
    put: Put,
    kind: str,
    arrow: pa.DataType,
    values: list[Any],
    declared: bool,
) -> None:
    rows = [*values, None]
    uri = put("a.parquet", pa.table({"n": range(len(rows)), "v": pa.array(rows, arrow)}))
    schema = [bigquery.SchemaField("n", "INTEGER"), bigquery.SchemaField("v", kind)]
    load(uri, table, **({"schema": schema} if declared else {}))
    assert bigquery_client.get_table(table).schema == schema
    assert sorted((row.n, row.v) for row in bigquery_client.list_rows(table)) == list(enumerate(rows))
    assert select(f"SELECT v FROM `{table}` ORDER BY n") == [(value,) for value in rows]


@promise("Each URI can contain one '*' wildcard character and it must come after the 'bucket' name.", BIGQUERY_API)
def test_a_wildcard_loads_all_its_files_in_one_job(table: str, load: Load, select: Select, put: Put) -> None:
    for number in (1, 2):
        uri = put(f"part-{number}.csv", f"{number},n{number}\n")
    job = load(uri.replace("part-2", "part-*"), table, **TEXT)
    assert (job.input_files, job.output_rows) == (2, 2)
    assert select(f"SELECT x, name FROM `{table}` ORDER BY x") == [(1, "n1"), (2, "n2")]
    with pytest.raises(exceptions.BadRequest):
        load(uri.replace("part-2", "*-*"), table, **TEXT)


@promise(
    "If you include a generation number in the Cloud Storage URI, then the load job fails.",
    PARQUET_PAGE,
)
def test_an_address_with_a_generation_is_refused(bucket: storage.Bucket, table: str, load: Load, put: Put) -> None:
    uri = put("a.parquet", pa.table({"x": [1]}))
    generation = next(iter(bucket.list_blobs())).generation
    with pytest.raises(exceptions.ClientError):
        load(f"{uri}#{generation}", table)


@promise(
    "You can't use a wildcard in the Cloud Storage URI if any of the files to be loaded have different schemas.",
    PARQUET_PAGE,
)
def test_a_wildcard_over_files_of_different_types_is_refused(table: str, load: Load, put: Put) -> None:
    put("part-1.parquet", pa.table({"x": [1]}))
    uri = put("part-2.parquet", pa.table({"x": ["two"]}))
    with pytest.raises(exceptions.BadRequest):
        load(uri.replace("part-2", "part-*"), table)


@promise("Number of source files in a load job.", BIGQUERY_API)
def test_a_load_tells_files_bytes_and_the_rows_of_this_job_alone(
    bigquery_client: bigquery.Client, bucket: storage.Bucket, table: str, load: Load, put: Put
) -> None:
    load(put("a.parquet", pa.table({"x": [1, 2, 3]})), table)
    second = load(put("b.parquet", pa.table({"x": [4]})), table)
    stored = bucket.get_blob("b.parquet")
    assert stored is not None
    assert (second.input_files, second.input_file_bytes, second.output_rows) == (1, stored.size, 1)
    assert bigquery_client.get_table(table).num_rows == 4


@relied_on("a file's error names the object, so that somebody can look at it", "google/cloud/bigquery/job/base.py")
def test_an_error_in_a_file_names_the_object(table: str, load: Load, put: Put) -> None:
    with pytest.raises(exceptions.BadRequest, match=r"bad\.csv"):
        load(put("bad.csv", "one,one\n"), table, **TEXT)
