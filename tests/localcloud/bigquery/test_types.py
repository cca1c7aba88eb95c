"""Every type comes back from Parquet through the client as it went in."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from google.cloud import bigquery

from tests.localcloud.bigquery.conftest import Load, Select
from tests.localcloud.bigquery.served import FolderLake

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


@pytest.mark.parametrize(("kind", "arrow", "values"), VALUES, ids=[kind for kind, _, _ in VALUES])
@pytest.mark.parametrize("declared", [True, False])
def test_values_come_back_from_tables_and_queries(
    client: bigquery.Client,
    load: Load,
    select: Select,
    lake: FolderLake,
    kind: str,
    arrow: pa.DataType,
    values: list[Any],
    declared: bool,
) -> None:
    rows = [*values, None]
    uri = lake.write("a.parquet", pa.table({"n": range(len(rows)), "v": pa.array(rows, arrow)}))
    schema = [bigquery.SchemaField("n", "INTEGER"), bigquery.SchemaField("v", kind)]
    load(uri, "trips.t", **({"schema": schema} if declared else {}))
    assert client.get_table("trips.t").schema == schema
    assert sorted((row.n, row.v) for row in client.list_rows("trips.t")) == list(enumerate(rows))
    assert select("SELECT v FROM trips.t ORDER BY n") == [(value,) for value in rows]


@pytest.mark.parametrize(("kind", "arrow", "values"), VALUES, ids=[kind for kind, _, _ in VALUES])
def test_values_go_in_as_parameters(select: Select, kind: str, arrow: pa.DataType, values: list[Any]) -> None:
    assert arrow is not None
    parameters = [
        bigquery.ScalarQueryParameter("one", kind, values[0]),
        bigquery.ScalarQueryParameter("none", kind, None),
        bigquery.ArrayQueryParameter("many", kind, values),
        bigquery.ArrayQueryParameter("empty", kind, []),
    ]
    asked = "SELECT @one AS one, @none AS none, @many AS many, @empty AS empty, @one IN UNNEST(@many) AS inside"
    assert select(asked, query_parameters=parameters) == [(values[0], None, values, [], True)]


def test_records_come_back_nested(select: Select) -> None:
    nested = "SELECT STRUCT(1 AS a, ['x', 'y'] AS b) AS s, [STRUCT(TIMESTAMP '2021-01-01' AS at)] AS many"
    at = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
    assert select(nested) == [({"a": 1, "b": ["x", "y"]}, [{"at": at}])]
