"""Dates and times as ISO 8601 writes them, with separators."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.etl.contract import ColumnType

DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]*))?)?")
ZONE = re.compile(r"(?: ?(?:UTC|Z)|([+-])([0-9]{2})(?::?([0-9]{2}))?)")  # ` UTC` is what BigQuery exports
MOMENT = re.compile(
    rf"(?P<date>{DATE.pattern})(?:[ T](?P<time>[0-9]{{2}}|{TIME.pattern})(?P<zone>{ZONE.pattern})?)?",
)
MICROSECONDS = 6  # digits of a fraction that BigQuery keeps


def date(text: str) -> dt.date:
    """Read a date."""
    if not (found := DATE.fullmatch(text)):
        raise ValueError(text)
    return dt.date(*map(int, found.groups()))


def time(text: str) -> dt.time:
    """Read a time of day; seconds may be left out."""
    if not (found := TIME.fullmatch(text)):
        raise ValueError(text)
    hour, minute, second, fraction = found.groups()
    return dt.time(int(hour), int(minute), int(second or 0), microsecond(fraction or ""))


def microsecond(fraction: str) -> int:
    """Read the digits of a second's fraction."""
    if fraction[MICROSECONDS:].strip("0"):
        raise ValueError(fraction)
    return int(fraction[:MICROSECONDS].ljust(MICROSECONDS, "0"))


def datetime(text: str) -> dt.datetime:
    """Read a date with an optional time, without zone."""
    moment, zone = _moment(text)
    if zone is not None:
        raise ValueError(text)
    return moment


def timestamp(text: str) -> dt.datetime:
    """Read a date and time with its zone, in UTC."""
    moment, zone = _moment(text)
    if zone is None:
        raise ValueError(text)
    try:
        return (moment - zone).replace(tzinfo=dt.UTC)
    except OverflowError as error:
        raise ValueError(text) from error


READERS: dict[ColumnType, Callable[[str], Any]] = {
    "DATE": date,
    "TIME": time,
    "DATETIME": datetime,
    "TIMESTAMP": timestamp,
}


def _moment(text: str) -> tuple[dt.datetime, dt.timedelta | None]:
    if not (found := MOMENT.fullmatch(text)):
        raise ValueError(text)
    written = found["time"] or "00:00"
    clock = time(written if ":" in written else f"{written}:00")
    return dt.datetime.combine(date(found["date"]), clock), None if found["zone"] is None else _offset(found["zone"])


def _offset(zone: str) -> dt.timedelta:
    sign, hours, minutes = ZONE.fullmatch(zone).groups(default="0")  # type: ignore[union-attr] # MOMENT has matched it
    if int(hours) >= 24 or int(minutes) >= 60:
        raise ValueError(zone)
    return dt.timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)


def trimmed(values: pa.StringArray) -> pa.StringArray:
    """Write times the way that pyarrow reads them: at most six digits of a second, and `Z` instead of ` UTC`."""
    values = pc.replace_substring_regex(values, r"^(.*\.[0-9]{6})0+((?:Z|[+-][0-9:]+| UTC)?)$", r"\1\2")
    return pc.replace_substring_regex(values, r" UTC$", "Z")
