"""The columns of a file as its head shows them: names, types where the format has them, and values where it has not."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, NoReturn

import pyarrow as pa

from flows.etl.contract import Contract
from flows.etl.decode import decompress
from flows.etl.drift import Evidence
from flows.etl.errors import BadFile
from flows.etl.fetch import download
from flows.etl.formats import casting, parquet
from flows.etl.formats.csv import fields, header_names
from flows.etl.formats.records import Records
from flows.etl.source import Source

ROWS = 10_000  # of a text file that are looked at
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """What a file shows of its columns, under its own names.

    A format with types gives `types` and reads no values; text gives the `values` of its first `rows` records, None
    where there is no value.
    """

    names: list[str]
    rows: int
    types: dict[str, pa.DataType] | None = None
    values: dict[str, list[str | None]] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence:
        """What the head tells of types."""
        if self.types is None:
            samples = {name: [each for each in values if each is not None] for name, values in self.values.items()}
            return Evidence(samples=samples)
        known = {name: kind for name, kind in self.types.items() if not pa.types.is_null(kind)}
        return Evidence(types={name: casting.lands_as(kind) for name, kind in known.items()})


class _Seen(Exception):
    """No error: it leaves the decoder, which otherwise wants its stream read to the end."""

    def __init__(self, head: Head) -> None:
        self.head = head


def read(source: Source) -> Head:
    """Read a file's head: of text the first block, of Parquet all of it, as its footer stands at the end.

    Raises:
        SourceError, BadFile, Transient: as for a landing.
    """
    contract, where = source.contract, source.where
    try:
        with (
            download(source.address, source.headers, source.reach) as body,
            decompress(body, contract, where) as stream,
        ):
            _leave_with(_of(stream, contract, where))
    except _Seen as seen:
        return seen.head


def _leave_with(head: Head) -> NoReturn:
    raise _Seen(head)


def _of(stream: IO[bytes], contract: Contract, url: str) -> Head:
    match contract.format:
        case "csv":
            return _of_csv(stream, contract, url)
        case "jsonl":
            return _of_jsonl(stream, contract, url)
        case "parquet":
            with parquet.spooled(stream, url) as file:
                schema, rows = parquet.schema(file, url)
                return Head(list(schema.names), rows, dict(zip(schema.names, schema.types, strict=True)))


def _of_csv(stream: IO[bytes], contract: Contract, url: str) -> Head:
    dialect = contract.dialect
    records = Records(stream, dialect, url)
    names = header_names(records.header, contract, url)
    block = next(iter(records), None)
    text = block.data.decode(dialect.encoding, errors="replace") if block else ""
    values: dict[str, list[str | None]] = {name: [] for name in names}
    rows = 0
    for row in _rows(text, contract):
        for name, value in zip(names, row, strict=False):
            values[name].append(None if value in dialect.null_values else value)
        rows += 1
        if rows == ROWS:
            break
    return Head(names, rows, values=values)


def _rows(text: str, contract: Contract) -> Iterator[list[str]]:
    try:
        yield from (row for row in fields(text, contract.dialect) if row)
    except csv.Error:  # a landing says more of it; the head is what can be read
        return


def _of_jsonl(stream: IO[bytes], contract: Contract, url: str) -> Head:
    lines = stream.read(BLOCK_BYTES).decode("utf-8-sig", errors="replace").split("\n")
    more = bool(stream.read(1))
    values: dict[str, list[str | None]] = {}
    rows = 0
    for line in (lines[:-1] if more and len(lines) > 1 else lines)[:ROWS]:
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise BadFile(
                f"{url}: found a line that is no JSON object ({line[:60]!r}), expected one object a line; check the"
                f" format of {contract.name}, nothing was written"
            )
        for name, value in record.items():
            values.setdefault(name, []).append(_text(value))
        rows += 1
    return Head(list(values), rows, values=values)


def _text(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case _:
            return json.dumps(value)
