"""What every format's reader gives: a file's records in typed batches, and the rows that do not fit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from flows.etl.drift import Matched


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in its file, counted from 1, and how it is written there.

    `line` is the line on which it begins, None in a format without lines. `raw` is cut to a length for people.
    """

    record: int
    line: int | None
    raw: str

    def __str__(self) -> str:
        return f"row {self.record}" if self.line is None else f"line {self.line}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that does not fit the contract; `column` is None where it is the record as a whole."""

    place: Place
    column: str | None
    reason: str  # `found 'x', expected INT64`

    def __str__(self) -> str:
        return f"{self.place}{f', column {self.column}' if self.column else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a file: those that fit, typed, and those that do not.

    `table` holds the contract's columns and then the added ones, in `arrow.ARROW`'s types; `place` tells where one of
    its rows stands in the file.
    """

    table: pa.Table
    bad: list[BadRow]
    place: Callable[[int], Place]


class Reader(Protocol):
    """A file's records, batch by batch, and their count, which comes from the bytes and not from the parser."""

    @property
    def matched(self) -> Matched:
        """The file's columns, as the contract reads them."""
        ...

    @property
    def total(self) -> int:
        """The records given out so far."""
        ...

    def __iter__(self) -> Iterator[Batch]:
        """Read on; raises BadFile where the file as a whole does not hold."""
        ...
