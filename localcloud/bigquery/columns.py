"""BigQuery's types in the engine's and in Arrow's words, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from localcloud.bigquery.database import Cursor, quoted
from localcloud.bigquery.resources import Column, Kind

DUCKDB_TYPES: dict[str, str] = {
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "NUMERIC": "DECIMAL(38, 9)",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "DATE": "DATE",
    "TIME": "TIME",
    "DATETIME": "TIMESTAMP",
    "JSON": "JSON",
}
_KINDS: dict[str, Kind] = {
    "bigint": "INTEGER",
    "blob": "BYTES",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "decimal": "NUMERIC",
    "double": "FLOAT",
    "float": "FLOAT",
    "hugeint": "INTEGER",  # sum() of integers
    "integer": "INTEGER",
    "null": "INTEGER",  # BigQuery's type of a bare NULL
    "smallint": "INTEGER",
    "time": "TIME",
    "timestamp": "DATETIME",
    "timestamp with time zone": "TIMESTAMP",
    "timestamp_ms": "DATETIME",
    "timestamp_ns": "DATETIME",
    "timestamp_s": "DATETIME",
    "tinyint": "INTEGER",
    "ubigint": "INTEGER",
    "uinteger": "INTEGER",
    "usmallint": "INTEGER",
    "utinyint": "INTEGER",
}
_ARROW_TYPES: dict[str, pa.DataType] = {
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "NUMERIC": pa.decimal128(38, 9),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "DATETIME": pa.timestamp("us"),
    "JSON": pa.string(),
}
# what a value of one type may be stored as: (found, wanted)
_FITTING = {
    ("BYTES", "STRING"),  # Parquet text without its annotation
    ("DATETIME", "TIMESTAMP"),
    ("INTEGER", "NUMERIC"),
    ("STRING", "JSON"),
}
_LOGICAL_BYTES = {"STRING": 10, "BYTES": 10, "JSON": 10, "BOOLEAN": 1, "NUMERIC": 16, "RECORD": 16}


def duckdb_type(column: Column) -> str:
    """Name the engine's type that holds a column exactly."""
    if column.type == "RECORD":
        fields = ", ".join(f"{quoted(sub.name)} {duckdb_type(sub)}" for sub in column.fields or ())
        name = f"STRUCT({fields})"
    else:
        name = DUCKDB_TYPES[column.type]
    return name + "[]" if column.mode == "REPEATED" else name


def arrow_type(column: Column) -> pa.DataType:
    """Name the Arrow type that holds a column exactly."""
    if column.type == "RECORD":
        one = pa.struct([(sub.name, arrow_type(sub)) for sub in column.fields or ()])
    else:
        one = _ARROW_TYPES[column.type]
    return pa.list_(one) if column.mode == "REPEATED" else one


def column_of(name: str, found: DuckDBPyType) -> Column:
    """Describe a column of the engine as BigQuery would; what BigQuery lacks is a STRING."""
    if found.id in {"list", "array"}:
        return column_of(name, _types_inside(found)[0][1]).model_copy(update={"mode": "REPEATED"})
    if found.id == "struct":
        fields = tuple(column_of(sub, inner) for sub, inner in _types_inside(found))
        return Column(name=name, type="RECORD", fields=fields)
    if str(found) == "JSON":  # the engine calls it a varchar
        return Column(name=name, type="JSON")
    return Column(name=name, type=_KINDS.get(found.id, "STRING"))


def _types_inside(found: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(name, inner) for name, inner in found.children if isinstance(inner, DuckDBPyType)]


def describe(cursor: Cursor, select: str) -> tuple[Column, ...]:
    """Say which columns a query of the engine yields, without running it."""
    relation = cursor.sql(select)
    return tuple(column_of(name, found) for name, found in zip(relation.columns, relation.types, strict=True))


def fits(found: Column, wanted: Column) -> bool:
    """Say whether values of one column may be stored in another."""
    if (found.mode == "REPEATED") != (wanted.mode == "REPEATED"):
        return False
    if found.type == wanted.type == "RECORD":
        by_name = {sub.lower: sub for sub in wanted.fields or ()}
        return all(sub.lower in by_name and fits(sub, by_name[sub.lower]) for sub in found.fields or ())
    return found.type == wanted.type or (found.type, wanted.type) in _FITTING


def converted(found: Column, wanted: Column) -> str:
    """Write the SQL that turns a found column into a wanted one that it fits."""
    name = quoted(found.name)
    if (found.type, wanted.type) == ("BYTES", "STRING") and found.mode != "REPEATED":
        return f"decode({name})"  # a cast would spell the bytes out
    return f"CAST({name} AS {duckdb_type(wanted)})"


def names(columns: Iterable[Column]) -> str:
    """List columns as SQL."""
    return ", ".join(quoted(column.name) for column in columns)


def logical_bytes(columns: Sequence[Column], rows: int) -> int:
    """Estimate what BigQuery would bill for: its sizes for fixed types, ten bytes for a text."""
    return rows * sum(_LOGICAL_BYTES.get(column.type, 8) for column in columns)
