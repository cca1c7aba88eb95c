"""What a contract expects of a partition's rows as a whole."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flows.etl.contract.part import Part
from flows.etl.contract.policy import Fraction

Bound = int | float | dt.datetime | dt.date
OnFail = Annotated[
    Literal["stop", "warn"],
    Field(description="stop: nothing of the file lands; warn: it lands, and the report says so"),
]


class RowCount(Part):
    """The partition has at least `min` and at most `max` rows."""

    check: Literal["row_count"]
    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=0)] | None = None
    on_fail: OnFail = "stop"


class NullFraction(Part):
    """At most this share of the rows has no value in the column."""

    check: Literal["null_fraction"]
    column: str
    max: Fraction
    on_fail: OnFail = "stop"


class Range(Part):
    """The column's values lie between `min` and `max`, both included; nulls are left out."""

    check: Literal["range"]
    column: str
    min: Bound | None = None
    max: Bound | None = None
    max_fraction: Fraction = Field(0.0, description="the share of the rows that may lie outside")
    on_fail: OnFail = "stop"

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("range: found neither min nor max, expected one of them")
        return self


class AllowedValues(Part):
    """The column holds nothing but these values; nulls are left out."""

    check: Literal["allowed_values"]
    column: str
    values: Annotated[list[str | int | bool], Field(min_length=1)]
    max_fraction: Fraction = Field(0.0, description="the share of the rows that may hold others")
    on_fail: OnFail = "stop"


class InPeriod(Part):
    """The column's dates lie inside the file's period, give or take a tolerance; nulls are left out."""

    check: Literal["in_period"]
    column: str
    tolerance_days: Annotated[int, Field(ge=0)] = 0
    max_fraction: Fraction = Field(0.0, description="the share of the rows that may lie outside")
    on_fail: OnFail = "stop"


class Change(Part):
    """The partition's row count differs from the period's before by at most this share of it; only warns."""

    check: Literal["change"]
    max_fraction: Annotated[float, Field(gt=0)]
    on_fail: Literal["warn"] = "warn"


Check = Annotated[RowCount | NullFraction | Range | AllowedValues | InPeriod | Change, Field(discriminator="check")]
