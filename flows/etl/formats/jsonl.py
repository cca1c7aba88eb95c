"""JSON lines: one object a line, its keys matched with the contract's columns without case.

A record is a line that is not empty. A key that a row lacks is null, as is a key whose value is null: publishers leave
nulls out. A column that no row of the file's first block has is missing from the file, and drift's business.

Numbers are read from their text, never through a float. A string fits a column of another type if its text does; a
number fits the three types of numbers, true and false fit BOOL, and an object or a list fits none. Keys that
`new_column = "add"` lets in land as text.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

import pyarrow as pa

from flows.etl import arrow, drift
from flows.etl.contract import ColumnType, Contract, Dialect
from flows.etl.errors import BadFile
from flows.etl.formats import text
from flows.etl.formats.batch import BadRow, Batch
from flows.etl.formats.places import Places
from flows.etl.formats.records import Block, Records
from flows.etl.partition import Partition

COLUMNS = 10_000  # in a table of BigQuery's: https://cloud.google.com/bigquery/quotas#standard_tables
SAMPLES = 100  # rows whose values show what type a new column may have
NUMBERS = frozenset({"INT64", "FLOAT64", "NUMERIC"})
LINES = Dialect(quote="", header=False)  # a line feed is never inside a JSON string


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


class _Object(list[tuple[str, Any]]):
    """An object's keys and values, also of a key that is there twice."""

    __slots__ = ()


class _Bad(ValueError):
    """What is wrong with a line or a value."""


Row = dict[str, Any]  # by the column's name in lower case, or the key's where it is of no column


class JsonlReader:
    """The records of one file of JSON lines, typed.

    Raises:
        BadFile: the file holds no JSON lines, or its keys are not the contract's columns.
    """

    def __init__(self, stream: IO[bytes], contract: Contract, partition: Partition, url: str) -> None:
        self._contract, self._partition, self._url = contract, partition, url
        self._records = Records(stream, LINES, url)
        self._blocks = iter(self._records)
        self._columns = {
            name.lower(): column.name.lower() for column in contract.columns for name in (column.name, *column.aliases)
        }
        self._row_keys: dict[str, str] = {}  # keys as they are written, to those of a Row
        self._names: dict[str, str] = {}  # the other way: how the file first wrote it
        self._first = self._read_first()
        self._matched = drift.match(
            list(self._names.values()), contract, partition, url, drift.Evidence(samples=self._samples())
        )
        self._known = self._columns.keys() | self._names.keys()
        self._dialect = Dialect(timestamp_formats=contract.dialect.timestamp_formats)

    @property
    def matched(self) -> drift.Matched:
        """The file's columns, as the contract reads them."""
        return self._matched

    @property
    def total(self) -> int:
        """The records read so far, counted from the bytes."""
        return self._records.total

    def __iter__(self) -> Iterator[Batch]:
        block, rows = self._first
        del self._first
        yield self._batch(block, rows)
        for block in self._blocks:
            rows = self._rows(block)
            self._check_new_keys(block)
            yield self._batch(block, rows)

    def _read_first(self) -> tuple[Block, list[Row | str]]:
        block = next(self._blocks, None)
        if block is None:
            raise BadFile(f"{self._url}: found no record, expected JSON lines; ask the publisher, nothing was written")
        rows = self._rows(block)
        if all(isinstance(row, str) for row in rows):
            place = Places(self._records, block, LINES.encoding).of(0)
            raise BadFile(f"{self._url}: {place}: {rows[0]}; check the contract's format, nothing was written")
        return block, rows

    def _rows(self, block: Block) -> list[Row | str]:
        """Read each line: an object, or what is wrong with it."""
        rows: list[Row | str] = []
        for span in self._records.spans(block):
            try:
                rows.append(self._row(_object(block.data[span.start : span.end])))
            except _Bad as error:
                rows.append(str(error))
        return rows

    def _row(self, found: _Object) -> Row:
        row: Row = {}
        for key, value in found:
            name = self._row_keys.get(key) or self._learn(key)
            if name in row:
                raise _Bad(f"found the key {key!r} twice, expected it once")
            row[name] = value
        return row

    def _learn(self, key: str) -> str:
        written = key.strip().lower()
        name = self._row_keys[key] = self._columns.get(written, written)
        self._names.setdefault(name, key)
        if len(self._row_keys) > COLUMNS:
            raise BadFile(
                f"{self._url}: found more than {COLUMNS:,} keys, expected at most as many as BigQuery has columns;"
                " nothing was written"
            )
        return name

    def _samples(self) -> dict[str, list[str]]:
        """Give some values of each key, for the lines that a new column would need."""
        samples: dict[str, list[str]] = {name: [] for name in self._names.values()}
        for row in self._first[1][:SAMPLES]:
            if not isinstance(row, str):
                for name, value in row.items():
                    with suppress(_Bad):
                        if (written := _text(value, None)) is not None:
                            samples[self._names[name]].append(written)
        return samples

    def _check_new_keys(self, block: Block) -> None:
        """Hold keys that the first block lacks against the contract's policy; it is too late to add a column.

        Raises:
            BadFile: the contract refuses or would add them.
        """
        new = [name for key, name in self._names.items() if key not in self._known]
        if not new or self._contract.drift.new_column == "ignore":
            return
        drift.match(list(self._names.values()), self._contract, self._partition, self._url)
        raise BadFile(
            f"{self._url}: line {block.line} and on: found the key {new[0]!r}, which no earlier row has, expected a"
            " column to add in the file's first rows; write it into the contract, nothing was written"
        )

    def _batch(self, block: Block, rows: list[Row | str]) -> Batch:
        places = Places(self._records, block, LINES.encoding)
        bad = {
            position: BadRow(places.of(position), None, row)
            for position, row in enumerate(rows)
            if isinstance(row, str)
        }
        whole = [(position, row) for position, row in enumerate(rows) if not isinstance(row, str)]
        values = []
        for column in self._matched.landing:
            kind = None if column in self._matched.added else column.type
            texts: list[str | None] = []
            for position, row in whole:
                try:
                    texts.append(_text(row.get(column.name.lower()), kind))
                except _Bad as error:
                    texts.append(None)
                    bad.setdefault(position, BadRow(places.of(position), column.name, str(error)))
            read, wrong = text.parse(pa.array(texts, pa.string()), column, self._dialect)
            for at, reason in wrong.items():
                position = whole[at][0]
                bad.setdefault(position, BadRow(places.of(position), column.name, reason))
            values.append(read)
        schema = pa.schema([pa.field(column.name, arrow.ARROW[column.type]) for column in self._matched.landing])
        table = pa.Table.from_arrays(values, schema=schema)
        if bad:
            table = table.filter(pa.array([position not in bad for position, _ in whole], pa.bool_()))
        kept = [position for position, _ in whole if position not in bad]
        return Batch(table, [bad[position] for position in sorted(bad)], lambda row: places.of(kept[row]))


def _object(line: bytes) -> _Object:
    """Read a line as one JSON object.

    Raises:
        _Bad: it is none.
    """
    try:
        found = DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        raise _Bad("found bytes that are not utf-8, expected a JSON object") from error
    except (ValueError, RecursionError) as error:  # json's own error is a ValueError
        raise _Bad(f"found {text.shown(line.decode())}, expected a JSON object ({error})") from error
    if not isinstance(found, _Object):
        raise _Bad(f"found {text.shown(line.decode())}, expected a JSON object")
    return found


def _refuse(constant: str) -> None:
    raise _Bad(f"{constant} is no JSON")


DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_refuse, object_pairs_hook=_Object)


def _text(value: Any, kind: ColumnType | None) -> str | None:
    """Give a value's text if it may be of a type; without one, any value that is written without brackets may.

    Raises:
        _Bad: it may not.
    """
    match value:
        case None:
            return None
        case _Number():
            if kind is None or kind in NUMBERS:
                return str(value)
        case str():
            if value.isascii() or _is_text(value):
                return value
        case bool():
            if kind in (None, "BOOL"):
                return str(value).lower()
    raise _Bad(f"found {_shown(value)}, expected {kind or 'STRING'}")


def _is_text(value: str) -> bool:
    """Tell whether a string is Unicode text: JSON can write half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    match value:
        case _Number():
            return f"the number {value[: text.SHOWN]}"
        case str():
            return text.shown(value)
        case bool():
            return str(value).lower()
        case _Object():
            return "an object"
        case _:
            return "a list"
