"""The period of one file: how it is written, counted up, put into an address and given to BigQuery."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flows.etl.errors import ContractError

Grain = Literal["hour", "day", "month", "year", "none"]

SNAPSHOT = "all"


@dataclass(frozen=True, slots=True)
class Style:
    """How one grain is written in text, in a partition decorator and in the file's own column."""

    text: str
    decorator: str
    shown: str
    placeholders: frozenset[str]
    column: str
    column_type: Literal["DATE", "DATETIME"]


STYLES: dict[Grain, Style] = {
    "hour": Style(
        "%Y-%m-%dT%H", "%Y%m%d%H", "YYYY-MM-DDTHH", frozenset({"yyyy", "mm", "dd", "hh"}), "file_hour", "DATETIME"
    ),
    "day": Style("%Y-%m-%d", "%Y%m%d", "YYYY-MM-DD", frozenset({"yyyy", "mm", "dd"}), "file_date", "DATE"),
    "month": Style("%Y-%m", "%Y%m", "YYYY-MM", frozenset({"yyyy", "mm"}), "file_month", "DATE"),
    "year": Style("%Y", "%Y", "YYYY", frozenset({"yyyy"}), "file_year", "DATE"),
}


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One period of a data set; `start` is None for a snapshot, which has no period."""

    grain: Grain
    start: dt.datetime | None

    @classmethod
    def parse(cls, grain: Grain, text: str) -> "Partition":
        """Read a period as people write it: `2013-01` for a month, `all` for a snapshot.

        Raises:
            ContractError: the text is not a period of this grain.
        """
        if grain == "none":
            if text != SNAPSHOT:
                raise ContractError(f"partition: found {text!r}, expected {SNAPSHOT!r}: a snapshot has no periods")
            return cls(grain, None)
        style = STYLES[grain]
        digits = re.fullmatch(r"[0-9T-]+", text)
        try:
            start = dt.datetime.strptime(text, style.text) if digits else None  # noqa: DTZ007 - a period has no zone
        except ValueError:
            start = None
        if start is None or start.strftime(style.text) != text:
            raise ContractError(f"partition: found {text!r}, expected {style.shown}, for example {example(grain)}")
        return cls(grain, start)

    def __str__(self) -> str:
        return SNAPSHOT if self.start is None else self.start.strftime(STYLES[self.grain].text)

    @property
    def decorator(self) -> str:
        """What follows `$` in the name of the table that one load job replaces; empty for a snapshot."""
        return "" if self.start is None else self.start.strftime(STYLES[self.grain].decorator)

    @property
    def column(self) -> str | None:
        """The name of the column that carries the period in lake and table."""
        return None if self.grain == "none" else STYLES[self.grain].column

    @property
    def column_type(self) -> Literal["DATE", "DATETIME"] | None:
        """The type of that column, as a contract would name it."""
        return None if self.grain == "none" else STYLES[self.grain].column_type

    @property
    def value(self) -> dt.date | dt.datetime | None:
        """What that column holds in each row: DATE, or DATETIME for an hour."""
        return self.start if self.start is None or self.grain == "hour" else self.start.date()

    @property
    def next(self) -> "Partition":
        """The period after this one."""
        if self.start is None:
            raise ValueError("a snapshot has no next period")
        match self.grain:
            case "hour":
                return Partition(self.grain, self.start + dt.timedelta(hours=1))
            case "day":
                return Partition(self.grain, self.start + dt.timedelta(days=1))
            case "month":
                year, month = divmod(self.start.month, 12)
                return Partition(self.grain, self.start.replace(year=self.start.year + year, month=month + 1))
            case _:
                return Partition(self.grain, self.start.replace(year=self.start.year + 1))

    @property
    def previous(self) -> "Partition":
        """The period before this one."""
        if self.start is None:
            raise ValueError("a snapshot has no period before")
        return latest_complete(self.grain, self.start)

    def through(self, last: "Partition") -> Iterator["Partition"]:
        """Count up from this period to *last*, both included."""
        current = self
        while current < last:
            yield current
            current = current.next
        if current == last:
            yield current

    def fill(self, template: str) -> str:
        """Put the period into an address: `{yyyy}`, `{mm}`, `{dd}`, `{hh}`."""
        if self.start is None:
            return template
        parts = {"{yyyy}": "%Y", "{mm}": "%m", "{dd}": "%d", "{hh}": "%H"}
        for placeholder, code in parts.items():
            template = template.replace(placeholder, self.start.strftime(code))
        return template


def written(grain: Grain, value: dt.date | dt.datetime | None) -> str:
    """Write the period whose column holds *value*, as people do; a snapshot has no column."""
    return SNAPSHOT if value is None else value.strftime(STYLES[grain].text)


def example(grain: Grain) -> str:
    """Show how a period of this grain is written."""
    return dt.datetime(2021, 1, 31, 7).strftime(STYLES[grain].text)  # noqa: DTZ001 - a period has no zone


def latest_complete(grain: Grain, now: dt.datetime) -> Partition:
    """Give the last period that had ended by *now* (UTC)."""
    if grain == "none":
        return Partition(grain, None)
    start = {
        "hour": now.replace(minute=0) - dt.timedelta(hours=1),
        "day": now - dt.timedelta(days=1),
        "month": now.replace(day=1) - dt.timedelta(days=1),
        "year": now.replace(month=1, day=1) - dt.timedelta(days=1),
    }[grain]
    return Partition.parse(grain, start.strftime(STYLES[grain].text))
