"""The lines that a person may write into a contract: columns as TOML, and names and types for columns that are new."""

import datetime as dt
import json
import re
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal

from flows.etl.contract import Column, ColumnType
from flows.etl.contract.column import RESERVED

NAME_LENGTH = 300  # BigQuery's own limit


def line(column: Column) -> str:
    """Write a column as its line in a contract; what has its default is left out."""
    said = column.model_dump(exclude_defaults=True)
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in said.items()) + " },"


def column_of(name: str, kind: ColumnType, since: str | None, taken: Collection[str]) -> Column:
    """Make a column of a file's: under its own name where BigQuery allows that, else under one close to it.

    Args:
        name: As the file writes it; where it cannot be the table's, it becomes an alias.
        kind: The column's type.
        since: The first period that is known to have it.
        taken: Names that other columns have, in lower case.
    """
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", name.strip())[:NAME_LENGTH]
    if not clean.strip("_") or clean[0].isdigit() or clean.lower().startswith(RESERVED):
        clean = f"column_{clean.strip('_')}"[:NAME_LENGTH]
    original, number = clean, 1
    while clean.lower() in taken:
        number += 1
        clean = f"{original[: NAME_LENGTH - len(str(number)) - 1]}_{number}"
    return Column(name=clean, type=kind, since=since, aliases=[] if clean == name.strip() else [name])


def type_of(values: Sequence[str]) -> ColumnType:
    """Guess a type from values as a text file writes them: the narrowest that all of them fit; STRING without any."""
    known = [value for value in values if value]
    if known:
        for kind, reads in _READERS.items():
            if all(_fits(reads, value) for value in known):
                return kind
    return "STRING"


def text(value: str) -> str:
    """Write a string as TOML does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return "[" + ", ".join(_value(each) for each in value) + "]"
        case _:
            return text(str(value))


def _fits(reads: Callable[[str], object], value: str) -> bool:
    try:
        reads(value)
    except (ValueError, ArithmeticError):
        return False
    return True


def _int64(value: str) -> None:
    # a leading zero is a code: a postal code, a telephone number
    if not re.fullmatch(r"-?(?:0|[1-9][0-9]*)", value) or not -(2**63) <= int(value) < 2**63:
        raise ValueError(value)


def _float64(value: str) -> None:
    if (
        not re.fullmatch(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", value)
        or not Decimal(value).is_finite()
    ):
        raise ValueError(value)


def _bool(value: str) -> None:
    if value.lower() not in ("true", "false"):
        raise ValueError(value)


def _date(value: str) -> None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(value)
    dt.date.fromisoformat(value)


def _timestamp(value: str) -> None:
    if dt.datetime.fromisoformat(value).tzinfo is None:
        raise ValueError(value)


def _datetime(value: str) -> None:
    if not re.match(r"\d{4}-\d\d-\d\d[ T]\d", value) or dt.datetime.fromisoformat(value).tzinfo is not None:
        raise ValueError(value)


_READERS: dict[ColumnType, Callable[[str], object]] = {
    "INT64": _int64,
    "FLOAT64": _float64,
    "BOOL": _bool,
    "DATE": _date,
    "DATETIME": _datetime,
    "TIMESTAMP": _timestamp,
    "TIME": dt.time.fromisoformat,
}
