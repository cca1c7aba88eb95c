"""What the head's typed rows suggest to expect of every file: checks that warn, and what may become one."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.etl.contract import Check, Column
from flows.etl.contract.checks import AllowedValues, InPeriod, RowCount
from flows.etl.partition import Partition

FEW = 10  # values that a column has, for them to be all that it may have
OFTEN = 20  # rows for each of them
WORD = 40  # characters of such a value
CHECKS = 8  # of columns with few values
RANGES = 12  # columns whose bounds are shown
TOLERANCE = dt.timedelta(days=1)
KEYS = 2  # columns to cluster by


def checks(table: pa.Table, columns: Sequence[Column], period: Partition) -> list[Check]:
    """Propose checks: some rows; dates inside the period, and values that are few: these warn."""
    found: list[Check] = [RowCount(check="row_count", min=1)]
    inside = next((column for column in columns if _is_inside(table.column(column.name), column, period)), None)
    if inside:
        found.append(
            InPeriod(check="in_period", column=inside.name, tolerance_days=1, max_fraction=0.001, on_fail="warn")
        )
    few = {column.name: values for column in columns if (values := _few(table.column(column.name), column))}
    return found + [
        AllowedValues(check="allowed_values", column=name, values=list(values), on_fail="warn")
        for name, values in list(few.items())[:CHECKS]
    ]


def bounds(table: pa.Table, columns: Sequence[Column]) -> list[tuple[str, Any, Any]]:
    """Give the least and greatest of each column of numbers, as far as they differ: name, least, greatest."""
    found = []
    for column in columns:
        if column.type in ("INT64", "FLOAT64", "NUMERIC"):
            ends = pc.min_max(table.column(column.name)).as_py()
            low, high = ends["min"], ends["max"]
            if low is not None and low != high and math.isfinite(low) and math.isfinite(high):
                found.append((column.name, low, high))
    return found[:RANGES]


def keys(table: pa.Table, columns: Sequence[Column]) -> list[str]:
    """Name columns that rows may be filtered by: texts and codes with some values, each of them often."""
    return [
        column.name
        for column in columns
        if column.type == "STRING"
        and 2 <= pc.count_distinct(table.column(column.name)).as_py() <= table.num_rows // OFTEN
    ][:KEYS]


def without_null(table: pa.Table, columns: Sequence[Column]) -> list[str]:
    """Name the nullable columns that have a value in every row."""
    return [column.name for column in columns if column.nullable and not table.column(column.name).null_count]


def _is_inside(values: pa.ChunkedArray, column: Column, period: Partition) -> bool:
    """Tell whether all of a column's dates lie inside the period, give or take a day; and whether there are any."""
    if period.start is None or column.type not in ("DATE", "DATETIME", "TIMESTAMP"):
        return False
    ends = pc.min_max(values).as_py()
    low, high = (_moment(ends[end]) for end in ("min", "max"))
    if low is None or high is None:
        return False
    end = period.next.start
    return end is not None and period.start - TOLERANCE <= low and high < end + TOLERANCE


def _moment(value: dt.date | dt.datetime | None) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)  # of an instant, in UTC
    return None if value is None else dt.datetime.combine(value, dt.time())


def _few(values: pa.ChunkedArray, column: Column) -> list[str]:
    """List a text column's values where they are few words, each there often; a number's may be the head's alone."""
    if column.type != "STRING":
        return []
    distinct = [value for value in pc.unique(values).to_pylist()[: FEW + 2] if value is not None]
    if not 2 <= len(distinct) <= FEW or len(values) - values.null_count < OFTEN * len(distinct):
        return []
    if any(len(value) > WORD or not value.isprintable() or value.isdecimal() for value in distinct):
        return []
    return sorted(distinct)
