"""Which rows count against a check: one definition each, for Arrow and for BigQuery side by side.

Both leave a column's nulls out (but where it is the nulls that count), and both say what NaN is: outside every range.
Written so that neither depends on what its engine makes of a comparison with null or NaN.
"""

import datetime as dt
import itertools
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc

from flows.etl import arrow
from flows.etl.contract import Check, Column, ColumnType
from flows.etl.contract.checks import AllowedValues, Bound, InPeriod, NullFraction, Range
from flows.etl.partition import Partition

Value = Bound | Decimal | str


class Parameter(NamedTuple):
    """A query's parameter: its name, its type in BigQuery and its value; an array's are a tuple."""

    name: str
    type: ColumnType
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Rows that have no value in a column."""

    column: Column

    def count(self, values: pa.ChunkedArray) -> int:
        """Count them in a part of the column."""
        return int(values.null_count)

    def sql(self, _name: str) -> tuple[str, list[Parameter]]:
        """Give their condition in GoogleSQL, and its parameters."""
        return f"`{self.column.name}` IS NULL", []

    def __str__(self) -> str:
        return "without a value"


@dataclass(frozen=True, slots=True)
class Outside:
    """Rows whose value lies outside two bounds, which themselves are inside; None: no bound on that side."""

    column: Column
    low: Value | None
    high: Value | None

    def count(self, values: pa.ChunkedArray) -> int:
        """Count them in a part of the column."""
        kind = self.column.type
        found = []
        if self.low is not None:
            found.append(pc.less(values, _constants([self.low], kind)[0]))
        if self.high is not None:
            found.append(pc.greater(values, _constants([self.high], kind)[0]))
        if kind == "FLOAT64":
            found.append(pc.is_nan(values))
        outside = found[0]
        for more in found[1:]:
            outside = pc.or_(outside, more)
        return _true(outside)

    def sql(self, name: str) -> tuple[str, list[Parameter]]:
        """Give their condition in GoogleSQL, and its parameters."""
        column, kind = f"`{self.column.name}`", self.column.type
        found, parameters = [], list[Parameter]()
        for bound, sign, suffix in ((self.low, "<", "low"), (self.high, ">", "high")):
            if bound is not None:
                found.append(f"{column} {sign} @{name}_{suffix}")
                parameters.append(Parameter(f"{name}_{suffix}", kind, bound))
        if kind == "FLOAT64":
            found.append(f"IS_NAN({column})")
        return " OR ".join(found), parameters

    def __str__(self) -> str:
        if self.low is None:
            return f"above {self.high}"
        return f"below {self.low}" if self.high is None else f"outside {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Other:
    """Rows whose value is none of those allowed."""

    column: Column
    values: tuple[str | int, ...]

    def count(self, values: pa.ChunkedArray) -> int:
        """Count them in a part of the column."""
        allowed = _constants(self.values, self.column.type)
        return int(len(values) - values.null_count - _true(pc.is_in(values, value_set=allowed)))

    def sql(self, name: str) -> tuple[str, list[Parameter]]:
        """Give their condition in GoogleSQL, and its parameters."""
        parameter = Parameter(name, self.column.type, self.values)
        return f"`{self.column.name}` NOT IN UNNEST(@{name})", [parameter]

    def __str__(self) -> str:
        return f"with another value than {', '.join(repr(value) for value in self.values)}"


Against = Missing | Outside | Other


def against(check: Check, columns: list[Column], partition: Partition) -> Against | None:
    """Say which rows count against a check; None if it is about their number alone, or the column has not begun."""
    by_name = {column.name.lower(): column for column in columns}
    match check:
        case NullFraction():
            column = by_name[check.column.lower()]
            begins = Partition.parse(partition.grain, column.since) if column.since else partition
            return Missing(column) if begins <= partition else None
        case Range():
            column = by_name[check.column.lower()]
            return Outside(column, _typed(check.min, column.type), _typed(check.max, column.type))
        case AllowedValues():
            return Other(by_name[check.column.lower()], tuple(check.values))
        case InPeriod():
            column = by_name[check.column.lower()]
            return Outside(column, *_period(partition, check.tolerance_days, column.type))
        case _:
            return None


def _typed(bound: Bound | None, kind: ColumnType) -> Value | None:
    """Give a bound in the type in which it is compared."""
    match kind, bound:
        case ("NUMERIC", int() | float()):
            return Decimal(str(bound))
        case ("FLOAT64", int() | float()):
            return float(bound)
        case ("TIMESTAMP", dt.datetime()):
            return bound.astimezone(dt.UTC)
        case _:
            return bound


def _period(partition: Partition, tolerance_days: int, kind: ColumnType) -> tuple[Value, Value]:
    """Give the first and the last day of a period, or their moments; the calendar's own ends where it goes beyond."""
    start = cast(dt.datetime, partition.start)  # a contract without periods has no such check
    try:
        first = start - dt.timedelta(days=tolerance_days)
    except OverflowError:
        first = dt.datetime.min  # noqa: DTZ901 - a period has no zone
    try:
        end = cast(dt.datetime, partition.next.start) + dt.timedelta(days=tolerance_days)
        last = end - dt.timedelta(microseconds=1)
    except (OverflowError, ValueError):  # ValueError: no year after 9999
        last = dt.datetime.max  # noqa: DTZ901 - a period has no zone
    if kind == "DATE":
        return first.date(), last.date()
    zone = dt.UTC if kind == "TIMESTAMP" else None
    return first.replace(tzinfo=zone), last.replace(tzinfo=zone)


def _constants(values: Iterable[Value], kind: ColumnType) -> pa.Array:
    """Make an array of texts, and let Arrow read them as the column's type.

    Made of bytes: pyarrow's own way from Python values imports pandas, 46 MB, where that is installed.
    """
    texts = [_text(value).encode() for value in values]
    ends = list(itertools.accumulate((len(text) for text in texts), initial=0))
    offsets = struct.pack(f"<{len(ends)}i", *ends)
    written = pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    )
    return written.cast(arrow.ARROW[kind])


def _text(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dt.date():  # a moment as well
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def _true(mask: pa.ChunkedArray) -> int:
    """Count what is true; null is not."""
    return int(pc.sum(mask).as_py() or 0)
