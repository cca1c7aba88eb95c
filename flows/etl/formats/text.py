"""From a value's text to the contract's types: what fits, and what is wrong with what does not.

This is the definition of each type as text; faster ways, here and in the formats, give the same values or none.
Around all of them but STRING, spaces and tabs are ignored.

- STRING: any text without the character NUL, up to 4 MiB in UTF-8.
- INT64, FLOAT64, NUMERIC: decimal digits with an optional sign, fraction and exponent; in INT64 the value is whole, in
  NUMERIC it has up to 29 digits before and 9 after the decimal mark, zeros at either end aside; FLOAT64 is the nearest
  double, which is finite: `nan`, `inf` and `1e400` do not fit.
- BOOL: true, false, 1 or 0, in any case.
- DATE, TIME, DATETIME, TIMESTAMP: ISO 8601 with separators, in the years 1 to 9999, to the microsecond, further zeros
  aside. DATETIME has no zone, TIMESTAMP has one. A contract's `timestamp_formats` take the place of ISO 8601 for the
  types that they can give: `%d.%m.%Y` gives DATE and DATETIME, `%H:%M` gives TIME.
"""

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.etl import arrow
from flows.etl.contract import Column, ColumnType, Dialect
from flows.etl.formats import iso, strptime

SHOWN = 80  # characters of a value in a message
SPACE = " \t"
FIELD_BYTES = 4 << 20  # what a value may hold: more is no value but a file's rest behind a quote
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
BOOLS = {"true": True, "1": True, "false": False, "0": False}
INT64_DIGITS, INT64_MAX = 19, 2**63 - 1
# BigQuery's NUMERIC: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types
NUMERIC_DIGITS, NUMERIC_SCALE = 29, 9
EXACT = Context(prec=NUMERIC_DIGITS + NUMERIC_SCALE)
LARGEST = Decimal("9" * NUMERIC_DIGITS + "." + "9" * NUMERIC_SCALE)
EPOCH = dt.date(1970, 1, 1)
FIRST_DAY, LAST_DAY = (dt.date.min - EPOCH).days, (dt.date.max - EPOCH).days
DAY_US = 24 * 60 * 60 * 1_000_000
# the least and greatest of what pyarrow holds more of: days, microseconds
BOUNDS: dict[ColumnType, tuple[int | Decimal, int | Decimal]] = {
    "NUMERIC": (LARGEST.copy_negate(), LARGEST),
    "DATE": (FIRST_DAY, LAST_DAY),
    "DATETIME": (FIRST_DAY * DAY_US, (LAST_DAY + 1) * DAY_US - 1),
    "TIMESTAMP": (FIRST_DAY * DAY_US, (LAST_DAY + 1) * DAY_US - 1),
}

Read = Callable[[str], Any]  # raises ValueError where the text does not fit


def parse(values: pa.StringArray, column: Column, dialect: Dialect) -> tuple[pa.Array, dict[int, str]]:
    """Read texts as a column's type; null stays null.

    Returns the typed values, null where a text does not fit, and for each of those its position and the reason.
    """
    if (typed := _at_once(values, column.type, dialect)) is not None:
        return typed, {}
    read = reader(column.type, dialect)
    bad: dict[int, str] = {}
    found: list[Any] = []
    for position, text in enumerate(values.to_pylist()):
        try:
            found.append(None if text is None else read(_short(text)))
        except ValueError:
            found.append(None)
            bad[position] = f"found {shown(text)}, expected {column.type}"
    return pa.array(found, arrow.ARROW[column.type]), bad


def shown(text: str) -> str:
    """Show a value in a message."""
    return repr(text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}...")


def reader(kind: ColumnType, dialect: Dialect) -> Read:
    """Give the function that reads one text as a type, and raises ValueError where it does not fit."""
    formats = strptime.fitting(dialect.timestamp_formats, kind)
    match kind:
        case "STRING":
            return _string
        case "INT64" | "FLOAT64" | "NUMERIC":
            read: Read = {"INT64": _int64, "FLOAT64": _float64, "NUMERIC": _numeric}[kind]
            return _with_comma(read) if dialect.decimal == "," else lambda text: read(text.strip(SPACE))
        case "BOOL":
            return _bool
        case _ if formats:
            return lambda text: strptime.read(text.strip(SPACE), kind, formats)
        case _:
            read = iso.READERS[kind]
            return lambda text: read(text.strip(SPACE))


def _short(text: str) -> str:
    if len(text) > FIELD_BYTES // 4 and len(text.encode()) > FIELD_BYTES:
        raise ValueError
    return text


def _string(text: str) -> str:
    if "\0" in text:
        raise ValueError
    return text


def _with_comma(read: Read) -> Read:
    def read_with_comma(text: str) -> Any:
        if "." in text:
            raise ValueError
        return read(text.strip(SPACE).replace(",", "."))

    return read_with_comma


def _int64(text: str) -> int:
    if text.lstrip("-").isdigit() and text.isascii():  # by far the most
        value = int(text) if len(text) < INT64_DIGITS else int(_decimal(text, INT64_DIGITS, 0))
    else:
        value = int(_decimal(text, INT64_DIGITS, 0))
    if not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise ValueError
    return value


def _float64(text: str) -> float:
    if not NUMBER.fullmatch(text) or (value := float(text)) in (float("inf"), float("-inf")):
        raise ValueError
    return value


def _numeric(text: str) -> Decimal:
    return _decimal(text, NUMERIC_DIGITS, NUMERIC_SCALE)


def _decimal(text: str, digits: int, scale: int) -> Decimal:
    """Read a number that has up to *digits* before and *scale* digits after its decimal mark, zeros aside."""
    if not NUMBER.fullmatch(text):
        raise ValueError
    try:
        value = Decimal(text)
    except ArithmeticError as error:  # an exponent beyond all numbers
        raise ValueError from error
    if not value:
        return Decimal(0)
    if not -scale <= value.adjusted() < digits:  # an exponent may be anything: it must not become digits
        raise ValueError
    trimmed = value.normalize(Context(prec=len(text)))
    if not isinstance(exponent := trimmed.as_tuple().exponent, int) or exponent < -scale:
        raise ValueError
    return trimmed.quantize(Decimal((0, (1,), -scale)), context=EXACT)


def _bool(text: str) -> bool:
    if (value := BOOLS.get(text.strip(SPACE).lower())) is None:
        raise ValueError
    return value


def holds(values: pa.Array | pa.ChunkedArray, kind: ColumnType) -> bool:
    """Tell whether values that pyarrow has read are in their type's range; it reads `nan`, `1e400` and the year 0."""
    if kind == "FLOAT64":  # what is not finite makes the sum so; a sum too large for a double is looked at closer
        return math.isfinite(pc.sum(values).as_py() or 0)
    if (bounds := BOUNDS.get(kind)) is None or values.null_count == len(values):
        return True
    found = pc.min_max(values)
    # days and microseconds as numbers: Python has no dates that are out of range
    least, greatest = (found[end].as_py() if kind == "NUMERIC" else found[end].value for end in ("min", "max"))
    return bool(bounds[0] <= least and greatest <= bounds[1])


def _at_once(values: pa.StringArray, kind: ColumnType, dialect: Dialect) -> pa.Array | None:
    """Read texts by pyarrow, which knows fewer ways to write a value; None if it may not know one of these."""
    formats = strptime.fitting(dialect.timestamp_formats, kind)
    known: pa.StringArray | None = values
    if values.nbytes > FIELD_BYTES or (kind == "STRING" and _any(values, "\0")):
        known = None
    elif kind in ("INT64", "FLOAT64", "NUMERIC"):
        known = _plain_numbers(values, kind, dialect.decimal)
    elif kind in ("DATE", "TIME", "DATETIME", "TIMESTAMP"):
        known = strptime.to_iso(values, kind, formats[0]) if formats else iso.trimmed(values)
    if known is None or kind == "STRING":
        return known
    try:
        typed = _times(known) if kind == "TIME" else pc.cast(known, arrow.ARROW[kind])
    except pa.ArrowInvalid:
        return None
    return typed if holds(typed, kind) else None


def _any(values: pa.StringArray, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(values, pattern)).as_py() is True


def _plain_numbers(values: pa.StringArray, kind: ColumnType, decimal: str) -> pa.StringArray | None:
    """Write numbers as pyarrow reads them; None where it would read other numbers or has no such way of writing."""
    if decimal == ",":
        if _any(values, "[.]"):
            return None
        values = pc.replace_substring(values, ",", ".")
    # hexadecimal numbers, and exponents that pyarrow's decimals overflow at
    if kind != "FLOAT64" and _any(values, "[xXeE]"):
        return None
    return pc.replace_substring_regex(values, r"^([+-]?[0-9]+)\.0*$", r"\1") if kind == "INT64" else values


def _times(values: pa.StringArray) -> pa.Array:
    """Read times of day, which pyarrow's compute functions cannot without a date."""
    if not pc.all(pc.match_substring_regex(values, "^[0-9]{2}:[0-9]{2}")).as_py():  # it would read a date, too
        raise pa.ArrowInvalid
    moments = pc.replace_substring_regex(values, "^", "1970-01-01 ")
    return pc.cast(pc.cast(moments, arrow.ARROW["DATETIME"]), arrow.ARROW["TIME"])
