"""Functions whose value or type differs between GoogleSQL and the engine, spelled out so that they are BigQuery's.

Where the type of an argument decides, a typed macro of the engine does: while a statement is translated, the types of
its columns are not known yet.
"""

from __future__ import annotations

from collections.abc import Callable

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
    """Replace a function, whose arguments are replaced already, where the engine's one of that name is another.

    Raises:
        Fault: notImplemented, for what the engine would answer differently without a word.
    """
    replaced = _REPLACED.get(type(node))
    return replaced(node) if replaced else node


def _literal(node: exp.Expr) -> exp.Expr:
    """Make `1.5` a FLOAT64; the engine takes it for a decimal."""
    is_whole = node.is_string or node.name.isdecimal() or isinstance(node.parent, exp.DataTypeParam)
    return node if is_whole else exp.cast(node, exp.DType.DOUBLE)


def _date_trunc(node: exp.Expr) -> exp.Expr:
    if node.args.get("zone"):
        raise not_implemented("DATE_TRUNC with a time zone")
    unit, shift = node.args["unit"], 0
    part = unit.name.upper()
    if isinstance(unit, exp.WeekStart) and part in _DAYS:
        part, shift = "WEEK", -_DAYS.index(part) % 7
    elif part not in _TRUNCATED_TO:
        raise not_implemented(f"DATE_TRUNC to {part}")
    if part == "ISOWEEK":
        part = "WEEK"
    return exp.func("bigquery_date_trunc", exp.Literal.string(part), node.this, exp.Literal.number(shift))


def _date_add(node: exp.Expr) -> exp.Expr:
    return exp.func("bigquery_date_add", node.this, _span(node, exp.paren(node.expression)))


def _date_sub(node: exp.Expr) -> exp.Expr:
    amount = exp.paren(exp.cast(node.expression, exp.DType.BIGINT))
    return exp.func("bigquery_date_add", node.this, _span(node, exp.paren(exp.Neg(this=amount))))


def _span(node: exp.Expr, amount: exp.Expr) -> exp.Interval:
    return exp.Interval(this=amount, unit=node.args["unit"])


def _divide(node: exp.Expr) -> exp.Expr:
    return exp.func("bigquery_divide", node.this, node.expression)


def _timestamp_diff(node: exp.Expr) -> exp.Expr:
    """Count whole intervals; the differences of dates and datetimes count boundaries, as the engine's do."""
    return exp.func("datesub", exp.Literal.string(node.args["unit"].name), node.expression, node.this)


def _with_zone(node: exp.Expr) -> exp.Expr:
    return node if isinstance(node.parent, exp.Cast) else exp.cast(node, exp.DType.TIMESTAMPTZ)


def _current_datetime(node: exp.Expr) -> exp.Expr:
    if node.this:
        raise not_implemented("CURRENT_DATETIME with a time zone")
    return exp.cast(exp.Anonymous(this="now"), exp.DType.TIMESTAMP)


def _now(_node: exp.Expr) -> exp.Expr:
    """Call it: the engine takes CURRENT_TIMESTAMP for a column where one is called so."""
    return exp.Anonymous(this="now")


def _extract(node: exp.Expr) -> exp.Expr:
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


def _format(node: exp.Expr) -> exp.Expr:
    """Use C's format, which BigQuery's is made after, where the two agree."""
    pattern = node.this
    if not pattern.is_string or any(f"%{own}" in pattern.name for own in "tTpP'"):
        raise not_implemented("FORMAT with %t, %T, %p, %P, %' or a pattern that is computed")
    return exp.func("printf", pattern, *node.expressions)


_REPLACED: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.CurrentDatetime: _current_datetime,
    exp.CurrentTimestamp: _now,
    exp.DateAdd: _date_add,
    exp.DateSub: _date_sub,
    exp.DateTrunc: _date_trunc,
    exp.Div: _divide,
    exp.Extract: _extract,
    exp.Format: _format,
    exp.Literal: _literal,
    exp.StrToTime: _with_zone,
    exp.TimestampDiff: _timestamp_diff,
    exp.UnixToTime: _with_zone,
}
