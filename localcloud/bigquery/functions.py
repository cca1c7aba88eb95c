"""Functions whose value or type differs between GoogleSQL and the engine, spelled out so that they are BigQuery's.

Where the type of an argument decides, a typed macro of the engine does: while a statement is translated, the types of
its columns are not known yet.
"""

from __future__ import annotations

import math

from sqlglot import exp

from localcloud.bigquery.faults import not_implemented

# what `SELECT DATE_TRUNC(d, MONTH)` and the like become; made anew at each start, so that a new version replaces them
MACROS = """
CREATE OR REPLACE MACRO bigquery_date_trunc
    (part VARCHAR, value DATE, shift INTEGER) AS CAST(date_trunc(part, value + shift) - to_days(shift) AS DATE),
    (part VARCHAR, value TIMESTAMP, shift INTEGER) AS date_trunc(part, value + to_days(shift)) - to_days(shift),
    (part VARCHAR, value TIMESTAMPTZ, shift INTEGER) AS date_trunc(part, value + to_days(shift)) - to_days(shift);
CREATE OR REPLACE MACRO bigquery_date_add
    (value DATE, span INTERVAL) AS CAST(value + span AS DATE),
    (value TIMESTAMP, span INTERVAL) AS value + span,
    (value TIMESTAMPTZ, span INTERVAL) AS value + span;
CREATE OR REPLACE MACRO bigquery_divide(a, b) AS
    CASE WHEN b = 0 THEN error('division by zero: ' || CAST(a AS VARCHAR) || ' / ' || CAST(b AS VARCHAR))
    ELSE a / b END;
"""
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")  # the engine's week
_TRUNCATED_TO = {"DAY", "ISOWEEK", "ISOYEAR", "MONTH", "QUARTER", "YEAR", "HOUR", "MINUTE", "SECOND"}
_EXTRACTED = {"DAY", "DAYOFYEAR", "HOUR", "ISOYEAR", "MINUTE", "MONTH", "QUARTER", "SECOND", "YEAR"}


def googles(node: exp.Expr) -> exp.Expr:
    """Replace a function, as `transform` asks for it, where the engine's one of that name is another.

    Raises:
        Fault: notImplemented, for what the engine would answer differently without a word.
    """
    if isinstance(node, exp.Literal) and not node.is_string and not node.this.isdecimal():
        return _float(node)
    if isinstance(node, exp.DateTrunc):
        return _date_trunc(node)
    if isinstance(node, exp.DateAdd | exp.DateSub):
        span = exp.Interval(this=exp.paren(node.expression.copy()), unit=node.args["unit"])
        if isinstance(node, exp.DateSub):
            span.set("this", exp.paren(exp.Neg(this=exp.paren(exp.cast(node.expression.copy(), "bigint")))))
        return exp.func("bigquery_date_add", node.this, span)
    if isinstance(node, exp.Div):
        return exp.func("bigquery_divide", node.this, node.expression)
    if isinstance(node, exp.TimestampDiff):  # whole intervals, where the other differences count boundaries
        return exp.func("datesub", exp.Literal.string(node.args["unit"].name), node.expression, node.this)
    if isinstance(node, exp.Extract):
        return _extract(node)
    if isinstance(node, exp.StrToTime | exp.UnixToTime) and not isinstance(node.parent, exp.Cast):
        return exp.cast(node, exp.DType.TIMESTAMPTZ)
    if isinstance(node, exp.CurrentDatetime) and not node.this:
        return exp.cast(exp.CurrentTimestamp(), exp.DType.TIMESTAMP)
    if isinstance(node, exp.Format):
        return _format(node)
    return node


def _float(node: exp.Literal) -> exp.Expr:
    """Make `1.5` a FLOAT64; the engine takes it for a decimal."""
    if not math.isfinite(float(node.this)) or isinstance(node.parent, exp.DataTypeParam):
        return node
    return exp.cast(node, exp.DType.DOUBLE)


def _date_trunc(node: exp.DateTrunc) -> exp.Expr:
    unit, shift = node.args["unit"], 0
    part = unit.name.upper()
    if isinstance(unit, exp.WeekStart) and part in _DAYS:
        part, shift = "WEEK", -_DAYS.index(part) % 7
    elif part not in _TRUNCATED_TO:
        raise not_implemented(f"DATE_TRUNC to {part}")
    if part == "ISOWEEK":
        part = "WEEK"
    return exp.func("bigquery_date_trunc", exp.Literal.string(part), node.this, exp.Literal.number(shift))


def _extract(node: exp.Extract) -> exp.Expr:
    part, value = node.name.upper(), node.expression
    if isinstance(value, exp.AtTimeZone):
        value = exp.paren(value)
    if part in {"DATE", "TIME"}:
        return exp.cast(value, part)
    if part == "DAYOFWEEK":
        return exp.paren(exp.func("dayofweek", value) + 1)  # Sunday is 1
    if part == "WEEK":  # begins on Sunday; the days before the first one are week 0
        return exp.cast(exp.func("strftime", value, exp.Literal.string("%U"), dialect="duckdb"), exp.DType.BIGINT)
    if part == "ISOWEEK":
        return exp.func("week", value, dialect="duckdb")
    if part not in _EXTRACTED:
        raise not_implemented(f"EXTRACT({part})")
    return node


def _format(node: exp.Format) -> exp.Expr:
    """Use C's format, which BigQuery's is made after, where the two agree."""
    pattern = node.this
    if not (isinstance(pattern, exp.Literal) and pattern.is_string) or any(f"%{own}" in pattern.name for own in "tTpP'"):
        raise not_implemented("FORMAT with %t, %T, %p, %P, %' or a pattern that is computed")
    return exp.func("printf", pattern, *node.expressions)
