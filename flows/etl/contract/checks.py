"""What a contract expects of a partition's rows as a whole."""

import datetime as dt
import math
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flows.etl.contract.column import ColumnType
from flows.etl.contract.part import Part
from flows.etl.contract.policy import Fraction

Bound = int | float | dt.datetime | dt.date
Low = Annotated[Bound | None, Field(description="of the column's type; left out: no lower bound", examples=[0])]
High = Annotated[Bound | None, Field(description="of the column's type; left out: no upper bound", examples=[360])]
OnFail = Annotated[
    Literal["stop", "warn"],
    Field(description="stop: nothing of the file lands; warn: it lands, and the report says so", examples=["warn"]),
]
INT64_MAX = 2**63 - 1
NUMERIC_MAX = Decimal("1e29")


class RowCount(Part):
    """The partition has at least `min` and at most `max` rows; rows put aside are not counted."""

    check: Literal["row_count"]
    min: Annotated[int, Field(ge=0)] = Field(0, description="fewer rows fail", examples=[100_000])
    max: Annotated[int, Field(ge=0)] | None = Field(None, description="more rows fail", examples=[20_000_000])
    on_fail: OnFail = "stop"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"row_count: found max {self.max} below min {self.min}, expected them in order")
        return self


class OnColumn(Part):
    """A check of one column's values."""

    column: str = Field(description="whose values are checked", examples=["borough"])

    def suit(self, _kind: ColumnType) -> None:
        """See that the check can be asked of a column of this type; ValueError says what does not fit."""


class NullFraction(OnColumn):
    """At most this share of the rows has no value in the column, in the periods `since` which files have it."""

    check: Literal["null_fraction"]
    max: Fraction = Field(description="the share of all rows that may have no value", examples=[0.2])
    on_fail: OnFail = "stop"


class Range(OnColumn):
    """The column's values lie between `min` and `max`, both included; nulls are left out, NaN lies outside."""

    check: Literal["range"]
    min: Low = None
    max: High = None
    max_fraction: Fraction = Field(0.0, description="the share of all rows that may lie outside", examples=[0.001])
    on_fail: OnFail = "stop"

    def suit(self, kind: ColumnType) -> None:
        """See that there are bounds, of the column's type and in order."""
        if self.min is None and self.max is None:
            raise ValueError("found neither min nor max, expected one of them")
        low, high = (_fitting(bound, kind) for bound in (self.min, self.max))
        if low is not None and high is not None and low > high:  # type: ignore[operator] # both of the column's type
            raise ValueError(f"found max {high} below min {low}, expected them in order")


class AllowedValues(OnColumn):
    """The column holds nothing but these values; nulls are left out."""

    check: Literal["allowed_values"]
    values: Annotated[
        list[str | int | bool], Field(min_length=1, description="of the column's type", examples=[["Y", "N"]])
    ]
    max_fraction: Fraction = Field(0.0, description="the share of all rows that may hold others", examples=[0.001])
    on_fail: OnFail = "stop"

    def suit(self, kind: ColumnType) -> None:
        """See that the values are of the column's type."""
        wanted = {"STRING": str, "INT64": int, "BOOL": bool}.get(kind)
        if wanted is None:
            raise ValueError(f"found a column of type {kind}, expected one of STRING, INT64, BOOL")
        for value in self.values:
            if type(value) is not wanted or (wanted is int and abs(int(value)) > INT64_MAX):
                raise ValueError(f"found the value {value!r}, expected one of the column's type {kind}")


class InPeriod(OnColumn):
    """The column's dates lie inside the file's period, give or take a tolerance; nulls are left out.

    A TIMESTAMP is held against the period in UTC.
    """

    check: Literal["in_period"]
    tolerance_days: Annotated[int, Field(ge=0)] = Field(
        0, description="days before and after the period that count as inside", examples=[1]
    )
    max_fraction: Fraction = Field(0.0, description="the share of all rows that may lie outside", examples=[0.001])
    on_fail: OnFail = "stop"

    def suit(self, kind: ColumnType) -> None:
        """See that the column holds dates."""
        if kind not in ("DATE", "DATETIME", "TIMESTAMP"):
            raise ValueError(f"found a column of type {kind}, expected one of DATE, DATETIME, TIMESTAMP")


class Change(Part):
    """The partition's row count differs from the period's before by at most this share of it; only warns."""

    check: Literal["change"]
    max_fraction: Annotated[float, Field(gt=0)] = Field(
        description="the share of the period before's rows", examples=[0.5]
    )
    on_fail: Literal["warn"] = "warn"


Check = Annotated[RowCount | NullFraction | Range | AllowedValues | InPeriod | Change, Field(discriminator="check")]


def _fitting(bound: Bound | None, kind: ColumnType) -> Bound | None:
    """Give a bound that a column of this type can be compared with; ValueError says why it can't be."""
    if kind in ("STRING", "BOOL", "TIME"):
        raise ValueError(f"found a column of type {kind}, expected a number, a date or a time stamp")
    if bound is None or _is_of(bound, kind):
        return bound
    zone = {"DATETIME": ", without a zone", "TIMESTAMP": ", with a zone"}.get(kind, "")
    raise ValueError(f"found the bound {bound}, expected one of the column's type {kind}{zone}")


def _is_of(bound: Bound, kind: ColumnType) -> bool:
    match kind, bound:
        case ("INT64", int()):
            return abs(bound) <= INT64_MAX
        case ("FLOAT64", int() | float()):
            return math.isfinite(bound)
        case ("NUMERIC", int() | float()):
            return math.isfinite(bound) and _is_numeric(Decimal(str(bound)))
        case ("DATETIME" | "TIMESTAMP", dt.datetime()):
            return (bound.tzinfo is None) == (kind == "DATETIME")
        case ("DATE", dt.date()):
            return not isinstance(bound, dt.datetime)
    return False


def _is_numeric(bound: Decimal) -> bool:
    """Tell whether NUMERIC holds it: 29 digits before the point, 9 behind it."""
    return abs(bound) < NUMERIC_MAX and int(bound.as_tuple().exponent) >= -9
