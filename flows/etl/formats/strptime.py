"""Dates and times as a contract's `timestamp_formats` write them: Python's strptime, and nothing that it would refuse.

pyarrow's own strptime is the C library's: it makes the third of March of `31.02.2021`, and knows no fraction.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.etl.contract import ColumnType

CODE = re.compile(r"%(.)")
DATE_CODES, TIME_CODES = frozenset("aAwdbBmyYjUWVuGxcD"), frozenset("HIpMSfXcT")
# codes at their full width, and how ISO 8601 orders them: what pyarrow can rewrite
WIDTHS = dict.fromkeys("mdHMS", "[0-9]{2}") | {"Y": "[0-9]{4}", "f": "[0-9]{1,6}"}
LAYOUTS = {
    frozenset(re.findall("[A-Za-z]", layout)): layout
    for layout in ("Y-m-d", "Y-m-d H:M", "Y-m-d H:M:S", "Y-m-d H:M:S.f", "H:M", "H:M:S", "H:M:S.f")
}


def fitting(formats: Sequence[str], kind: ColumnType) -> tuple[str, ...]:
    """Select the formats that give a type: those with a date, a time, a zone as it has them."""
    return tuple(each for each in formats if kind in _kinds(each))


def _kinds(written: str) -> frozenset[str]:
    codes = set(CODE.findall(written))
    has_date, has_time = bool(codes & DATE_CODES), bool(codes & TIME_CODES)
    if has_date and has_time:
        return frozenset({"TIMESTAMP" if "z" in codes or written.endswith("Z") else "DATETIME"})
    return frozenset({"DATE", "DATETIME"} if has_date else {"TIME"})


def read(text: str, kind: ColumnType, formats: Sequence[str]) -> Any:
    """Read a text by the first of the formats that fits.

    Raises:
        ValueError: none does.
    """
    for each in formats:
        try:
            found = dt.datetime.strptime(text, each)  # noqa: DTZ007 - DATETIME has no zone
        except ValueError:
            continue
        match kind:
            case "DATE":
                return found.date()
            case "TIME":
                return found.time()
            case "DATETIME":
                return found
            case _:
                return _in_utc(found)
    raise ValueError(text)


def _in_utc(found: dt.datetime) -> dt.datetime:
    try:
        return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except OverflowError as error:
        raise ValueError(found) from error


def to_iso(values: pa.StringArray, kind: ColumnType, written: str) -> pa.StringArray | None:
    """Rewrite texts as ISO 8601; None if the format is not a simple one, or a text is not written at its full width.

    What comes out may still be no date, such as the 31st of February.
    """
    codes: list[str] = CODE.findall(written)
    layout = LAYOUTS.get(frozenset(codes))
    if layout is None or len(set(codes)) < len(codes):
        return None
    literals = CODE.split(written)[::2]
    pattern = "^" + re.escape(literals[0])
    for code, literal in zip(codes, literals[1:], strict=True):
        pattern += f"({WIDTHS[code]}){re.escape(literal)}"
    pattern += "$"
    if pc.all(pc.match_substring_regex(values, pattern)).as_py() is False:
        return None
    iso = re.sub("[A-Za-z]", lambda letter: rf"\{codes.index(letter[0]) + 1}", layout)
    return pc.replace_substring_regex(values, pattern, f"{iso}Z" if kind == "TIMESTAMP" else iso)
