"""The lines that a person may write into a contract: columns as TOML, and names and types for columns that are new."""

import datetime as dt
import json
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from decimal import Context, Decimal

from flows.etl.contract import Column, ColumnType
from flows.etl.contract.column import RESERVED

NAME_LENGTH = 300  # BigQuery's own limit
WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
DOUBLE_DIGITS = 15  # of a whole number that is no more than a large one; more are an id
NUMERIC_WHOLE, NUMERIC_SCALE = 29, 9
# ISO 8601 as landings read it, to the microsecond
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6}0*)?)?")
MOMENT = re.compile(rf"{DATE.pattern}(?:[ T]{TIME.pattern})?")
INSTANT = re.compile(rf"{DATE.pattern}[ T]{TIME.pattern}")
ZONE = re.compile(r"(?: ?(?:UTC|Z)|(?P<offset>[+-][0-9]{2}(?::?[0-9]{2})?))\Z")


def line(column: Column) -> str:
    """Write a column as its line in a contract; what has its default is left out."""
    said = column.model_dump(exclude_defaults=True)
    return "{ " + ", ".join(f"{key} = {value(each)}" for key, each in said.items()) + " },"


def column_of(name: str, kind: ColumnType, since: str | None, taken: Collection[str]) -> Column:
    """Make a column of a file's: under its own name where BigQuery allows that, else under one close to it.

    Args:
        name: As the file writes it; where it cannot be the table's, it becomes an alias.
        kind: The column's type.
        since: The first period that is known to have it.
        taken: Names that other columns have, in lower case.
    """
    plain = "".join(each for each in unicodedata.normalize("NFKD", name.strip()) if not unicodedata.combining(each))
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", plain)[:NAME_LENGTH]
    if not clean.strip("_") or clean[0].isdigit() or clean.lower().startswith(RESERVED):
        clean = f"column_{clean.strip('_')}"[:NAME_LENGTH]
    original, number = clean, 1
    while clean.lower() in taken:
        number += 1
        clean = f"{original[: NAME_LENGTH - len(str(number)) - 1]}_{number}"
    return Column(name=clean, type=kind, since=since, aliases=[] if clean == name.strip() else [name.strip()])


def type_of(values: Sequence[str]) -> ColumnType:
    """Guess a type from values as a text file writes them: the narrowest that all of them fit; STRING without any."""
    known = [value for value in values if value]
    if known:
        for kind, reads in _READERS:
            if all(_fits(reads, value) for value in known):
                return kind
    return "STRING"


def text(value: str) -> str:
    """Write a string as TOML does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def value(said: object) -> str:
    """Write a key's value as TOML does."""
    match said:
        case bool():
            return str(said).lower()
        case int() | float():
            return str(said)
        case list():
            return "[" + ", ".join(value(each) for each in said) + "]"
        case _:
            return text(str(said))


def _fits(reads: Callable[[str], object], value: str) -> bool:
    try:
        reads(value)
    except (ValueError, ArithmeticError):
        return False
    return True


def _int64(value: str) -> None:
    # a leading zero is a code: a postal code, a telephone number
    if not WHOLE.fullmatch(value) or not -(2**63) <= int(value) < 2**63:
        raise ValueError(value)


def _float64(value: str) -> None:
    """Take numbers that a double gives back as they are written."""
    known = Decimal(_number(value))
    if WHOLE.fullmatch(value) and len(known.as_tuple().digits) > DOUBLE_DIGITS:
        raise ValueError(value)
    if not math.isfinite(float(value)) or Decimal(repr(float(value))) != known:
        raise ValueError(value)


def _numeric(value: str) -> None:
    known = Decimal(_number(value))
    _, digits, exponent = known.normalize(Context(prec=len(value))).as_tuple()
    if not isinstance(exponent, int) or exponent < -NUMERIC_SCALE or len(digits) + exponent > NUMERIC_WHOLE:
        raise ValueError(value)


def _nearest_float64(value: str) -> None:
    """Take what was measured and is written with more digits than a double has; more whole digits are an id."""
    if WHOLE.fullmatch(value):
        _float64(value)
    elif not math.isfinite(float(_number(value))):
        raise ValueError(value)


def _number(value: str) -> str:
    if not NUMBER.fullmatch(value):
        raise ValueError(value)
    return value


def _bool(value: str) -> None:
    if value.lower() not in ("true", "false"):
        raise ValueError(value)


def _date(value: str) -> None:
    if not DATE.fullmatch(value):
        raise ValueError(value)
    dt.date.fromisoformat(value)


def _time(value: str) -> None:
    if not TIME.fullmatch(value):
        raise ValueError(value)
    dt.time.fromisoformat(value)


def _datetime(value: str) -> None:
    if not MOMENT.fullmatch(value):
        raise ValueError(value)
    dt.datetime.fromisoformat(value)


def _timestamp(value: str) -> None:
    zone = ZONE.search(value)
    if not zone or not INSTANT.fullmatch(value[: zone.start()]):
        raise ValueError(value)
    dt.datetime.fromisoformat(ZONE.sub(zone["offset"] or "Z", value)).astimezone(dt.UTC)


# the first whose reader takes all values
_READERS: tuple[tuple[ColumnType, Callable[[str], object]], ...] = (
    ("INT64", _int64),
    ("FLOAT64", _float64),
    ("NUMERIC", _numeric),
    ("FLOAT64", _nearest_float64),
    ("BOOL", _bool),
    ("DATE", _date),
    ("DATETIME", _datetime),
    ("TIMESTAMP", _timestamp),
    ("TIME", _time),
)
