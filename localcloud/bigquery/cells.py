"""Rows as BigQuery's JSON spells them: `{"f": [{"v": ...}]}`, every scalar a string."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from localcloud.bigquery.columns import arrow_type
from localcloud.bigquery.configurations import FormatOptions
from localcloud.bigquery.resources import Column

Spell = Callable[[Any], object]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def rows(table: pa.Table, columns: Sequence[Column], options: FormatOptions) -> list[dict[str, object]]:
    """Spell a table's rows; `columns` says what its columns are."""
    spelled = []
    for column, values in zip(columns, table.columns, strict=True):
        spell = _nullable(column, options)
        spelled.append([{"v": spell(value)} for value in values.to_pylist()])
    return [{"f": list(row)} for row in zip(*spelled, strict=True)]


def exact(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.RecordBatch:
    """Cast a batch of the engine to the Arrow types of BigQuery's columns; NUMERIC keeps nine digits."""
    arrays = []
    for column, values in zip(columns, batch.columns, strict=True):
        wanted = arrow_type(column)
        arrays.append(values if values.type == wanted else values.cast(wanted, safe=column.type != "NUMERIC"))
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(columns))


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Word a schema as Arrow does."""
    return pa.schema([pa.field(column.name, arrow_type(column)) for column in columns])


def _nullable(column: Column, options: FormatOptions) -> Spell:
    spell = _speller(column, options)
    if column.mode == "REPEATED":
        return lambda values: [{"v": spell(value)} for value in values or ()]
    return lambda value: None if value is None else spell(value)


def _speller(column: Column, options: FormatOptions) -> Spell:
    if column.type == "RECORD":
        fields = [(sub.name, _nullable(sub, options)) for sub in column.fields or ()]
        return lambda record: {"f": [{"v": spell(record[name])} for name, spell in fields]}
    if column.type == "TIMESTAMP":
        return _timestamp(options)
    return _SPELLERS.get(column.type, str)


def _timestamp(options: FormatOptions) -> Spell:
    form = options.timestamp_output_format
    if options.use_int64_timestamp or form == "INT64":
        return lambda value: str((value - _EPOCH) // _MICROSECOND)
    if form == "ISO8601_STRING":
        return lambda value: value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return lambda value: repr((value - _EPOCH) / timedelta(seconds=1))


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _numeric(value: Decimal) -> str:
    text = f"{value:f}"  # normalize() would round to the 28 digits of Python's own context
    return text.rstrip("0").rstrip(".") if "." in text else text


_SPELLERS: dict[str, Spell] = {
    "BOOLEAN": lambda value: str(value).lower(),
    "BYTES": lambda value: base64.b64encode(value).decode(),
    "DATE": lambda value: value.isoformat(),
    "DATETIME": lambda value: value.isoformat(),
    "FLOAT": _float,
    "NUMERIC": _numeric,
    "TIME": lambda value: value.isoformat(),
}
