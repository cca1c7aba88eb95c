"""Parquet: a file of columns with types of their own, read batch by batch and cast into the contract's.

The footer, which says where everything is, stands at the end. Of a publisher that sends parts of files it is asked for
first, and the file is read while it arrives, with some row groups in memory (`window`). Otherwise the file is spooled
to a temporary file, which takes disk of its size, and on Cloud Run that is memory. Everything else streams: pages are
decoded as batches need them, and one batch is in memory.

Whether a timestamp is an instant or the reading of a clock is said by the file (`isAdjustedToUTC`), and neither is
taken for the other: a TIMESTAMP column wants the one, a DATETIME column the other. Where the file does not say, in
INT96 and in annotations of before 2019, the contract decides; TIMESTAMP takes them for UTC.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet

from flows.etl import arrow, drift, proposal
from flows.etl.contract import Column, ColumnType, Contract
from flows.etl.errors import BadFile
from flows.etl.fetch import Tail
from flows.etl.formats import casting, footer, int96, window
from flows.etl.formats.batch import BadRow, Batch, Place
from flows.etl.formats.footer import ENCRYPTED, MAGIC
from flows.etl.partition import Partition
from flows.etl.spool import spool

BATCH_ROWS = 65_536
BATCH_BYTES = 16 << 20  # of wide rows: what a batch may take, by the footer
BUFFER_BYTES = 256 << 10  # read ahead in each column
# pyarrow's buffered streams allocate what a damaged page's header says, up to 2 GiB; files up to this size need none
SMALL_BYTES = 16 << 20
RAW = 1_000  # characters of a row in the quarantine

# what pyarrow raises for a damaged file: its own, the system's, and Python's for names that are no UTF-8
DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)


@contextmanager
def spooled(stream: IO[bytes], url: str, begun: bytes = b"") -> Iterator[IO[bytes]]:
    """Copy a stream to a temporary file, which is gone afterwards, even after a kill.

    Raises:
        BadFile: the stream does not begin as Parquet does; nothing was copied.
        Transient: the disk is full.
    """
    with spool(stream, url, begun=begun or _begin(stream, url)) as file:
        yield file


@contextmanager
def opened(
    stream: IO[bytes], contract: Contract, partition: Partition, url: str, tail: Tail | None = None
) -> Iterator["ParquetReader"]:
    """Give the reader of a stream: while it arrives if its end is known and the file allows it, otherwise from disk.

    From disk are read small files, those whose row groups are large or in disorder, and those of which a new column is
    to be added, as that wants all of it looked at before the first row lands.

    Raises:
        BadFile: it is no Parquet file that can be read, or its columns are not those of the contract.
        Transient: the disk is full, or the file's end is not the one that is known.
    """
    begun = _begin(stream, url)
    pieces = window.plan(tail) if tail and tail.size > SMALL_BYTES and begun == MAGIC else None
    if tail is None or pieces is None or _is_added_to(tail, contract, partition):
        with spooled(stream, url, begun) as file:
            yield ParquetReader(file, contract, partition, url)
        return
    passing = window.Window(stream, begun, tail, pieces, url)
    try:
        yield ParquetReader(cast(IO[bytes], passing), contract, partition, url, passing)
    except BadFile:
        passing.finish()  # or it looks damaged because the footer is of another file
        raise
    passing.finish()


def _begin(stream: IO[bytes], url: str) -> bytes:
    start = stream.read(len(MAGIC))
    if start not in (MAGIC, ENCRYPTED):
        raise BadFile(
            f"{url}: found a file that begins with {start!r}, expected Parquet, which begins with {MAGIC!r}; check the"
            " contract's source and format, nothing was written"
        )
    return start


def _is_added_to(tail: Tail, contract: Contract, partition: Partition) -> bool:
    """Tell whether the file may have a column that the contract lacks and takes in."""
    if contract.drift.new_column != "add":
        return False
    names = pyarrow.parquet.read_schema(pa.BufferReader(tail.data)).names
    return bool(drift.compare(names, contract, partition).new)


def schema(file: IO[bytes], url: str) -> tuple[pa.Schema, int]:
    """Read a file's columns with their types, and how many rows it has.

    Raises:
        BadFile: it is no Parquet file that can be read.
    """
    footer.check(file, url)
    with _in_our_words(url):
        found = pyarrow.parquet.ParquetFile(pa.PythonFile(file, "r"))
        return found.schema_arrow, int(found.metadata.num_rows)


def head(file: IO[bytes], url: str, rows: int) -> tuple[pa.Table, int]:
    """Read a file's first rows, and how many rows it has; of a file that is far away, little more is fetched.

    Raises:
        BadFile: it is no Parquet file that can be read.
    """
    footer.check(file, url)
    with _in_our_words(url):
        opened = pyarrow.parquet.ParquetFile(
            pa.PythonFile(file, "r"),
            coerce_int96_timestamp_unit="us",
            buffer_size=BUFFER_BYTES if file.seek(0, 2) > SMALL_BYTES else 0,
            pre_buffer=False,
        )
        first = next(opened.iter_batches(batch_size=rows, use_threads=False), None)
        found = opened.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first])
        return found, int(opened.metadata.num_rows)


class ParquetReader:
    """The records of one Parquet file, typed; `file` is the whole of it, or as much of it as a piece needs.

    `pieces` are row groups' numbers, all of them in order; without them they are one piece.

    Raises:
        BadFile: it is no Parquet file that can be read, or its columns are not those of the contract.
    """

    def __init__(
        self,
        file: IO[bytes],
        contract: Contract,
        partition: Partition,
        url: str,
        pieces: Iterable[Sequence[int]] | None = None,
    ) -> None:
        self._contract, self._url = contract, url
        footer.check(file, url)
        self._source = pa.PythonFile(file, "r")
        self._metadata: Any = None  # of the first that is opened, for all others
        with _in_our_words(url):
            self._file = self._open("us")
            self._schema = self._file.schema_arrow
            self._metadata = self._file.metadata
            self._pieces = [range(self._metadata.num_row_groups)] if pieces is None else pieces
            footer.check_size(self._metadata, self._source.size(), url)
            self._leaves = {column.path: number for number, column in enumerate(self._file.schema)}
            self._matched = self._match(partition)
        if not self._wanted():
            raise BadFile(
                f"{url}: found none of the columns of the contract {contract.name}, expected some; is it a file of"
                " another data set? check the contract's source, nothing was written"
            )

    @property
    def matched(self) -> drift.Matched:
        """The file's columns, as the contract reads them."""
        return self._matched

    @property
    def total(self) -> int:
        """All records of the file, counted from its footer."""
        return int(self._metadata.num_rows)

    def __iter__(self) -> Iterator[Batch]:
        if not self.total:
            raise BadFile(f"{self._url}: found no rows, expected some; ask the publisher, nothing was written")
        first = 1
        for read, inexact in self._read():
            yield self._batch(read, inexact, first)
            first += read.num_rows
        if first - 1 != self.total:
            raise BadFile(
                f"{self._url}: found {first - 1} rows, expected {self.total}, which is what the file's footer says; the"
                " file is damaged, ask the publisher, nothing was written"
            )

    def _match(self, partition: Partition) -> drift.Matched:
        """Match the columns; new ones' values are looked at only where that says what lands, or what to write."""
        known = self._schema.names, self._contract, partition, self._url
        if self._contract.drift.new_column != "add":
            try:
                return drift.match(*known)
            except BadFile:
                pass  # said once more, with types
        return drift.match(*known, drift.Evidence(types=self._new_types(partition)))

    def _open(self, unit: str) -> pyarrow.parquet.ParquetFile:
        return pyarrow.parquet.ParquetFile(
            self._source,
            metadata=self._metadata,
            coerce_int96_timestamp_unit=unit,
            buffer_size=BUFFER_BYTES if self._source.size() > SMALL_BYTES else 0,
            pre_buffer=False,  # else a whole row group is held, often the whole file
            page_checksum_verification=True,
        )

    def _new_types(self, partition: Partition) -> dict[str, ColumnType | None]:
        """Give what each column that the contract lacks lands as; one of nothing but nulls is left out."""
        new = drift.compare(self._schema.names, self._contract, partition).new
        kinds = {field.name: field.type for field in self._schema}
        types = {name: casting.lands_as(kinds[name]) for name in new}
        empty = {name for name in new if types[name] is not None or pa.types.is_null(kinds[name])}
        for groups in self._pieces:
            if not empty:
                break
            empty = {name for name in empty if pa.types.is_null(kinds[name]) or self._is_empty(name, groups)}
        return {name: kind for name, kind in types.items() if name not in empty}

    def _is_empty(self, name: str, groups: Sequence[int]) -> bool:
        """Look for a first value; not in the statistics: over those of encrypted columns pyarrow kills the process."""
        return all(batch.num_rows == batch.column(0).null_count for batch in self._batches("us", [name], groups))

    def _read(self) -> Iterator[tuple[pa.RecordBatch, dict[str, dict[int, str]]]]:
        """Read batches of the columns that land, and what INT96 values were cut off in each."""
        old = [name for name in self._wanted() if self._is_int96(name)]
        for groups in self._pieces:
            readings = [self._batches("us", self._wanted(), groups)]
            if old:
                readings += [self._batches(unit, old, groups) for unit in int96.UNITS[1:]]
            for read, *others in zip(*readings, strict=False):  # damage may end one early: then records are missing
                yield (
                    read,
                    {name: int96.inexact(read.column(name), *(other.column(name) for other in others)) for name in old},
                )

    def _batches(self, unit: str, names: list[str], groups: Sequence[int]) -> Iterator[pa.RecordBatch]:
        size = sum(self._metadata.row_group(number).total_byte_size for number in range(self._metadata.num_row_groups))
        rows = max(1, min(BATCH_ROWS, BATCH_BYTES * self.total // max(size, 1)))
        with _in_our_words(self._url):
            # with threads, columns are decoded ahead of the batch
            batches = self._open(unit).iter_batches(
                batch_size=rows, row_groups=list(groups), columns=names, use_threads=False
            )
        while True:
            with _in_our_words(self._url):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _wanted(self) -> list[str]:
        """Name the file's columns that land."""
        return [name for name, _ in self._landing() if name is not None]

    def _landing(self) -> list[tuple[str | None, Column]]:
        names = (*self.matched.names, *(column.name for column in self.matched.added))
        return list(zip(names, self.matched.landing, strict=True))

    def _is_int96(self, name: str) -> bool:
        leaf = self._leaves.get(name)
        return leaf is not None and self._file.schema.column(leaf).physical_type == "INT96"

    def _says_no_zone(self, name: str) -> bool:
        """Tell whether the file leaves it open if a timestamp is in UTC."""
        leaf = self._leaves.get(name)
        if leaf is None:
            return False
        column = self._file.schema.column(leaf)
        said = json.loads(column.logical_type.to_json())
        return column.physical_type == "INT96" or bool(said.get("is_from_converted_type"))

    def _batch(self, read: pa.RecordBatch, inexact: dict[str, dict[int, str]], first: int) -> Batch:
        columns, wrong = [], dict[int, tuple[str, str]]()
        for name, column in self._landing():
            if name is None:
                columns.append(pa.nulls(read.num_rows, arrow.ARROW[column.type]))
                continue
            values, bad = self._cast(read.column(name), name, column)
            columns.append(values)
            for position, found in {**bad, **inexact.get(name, {})}.items():
                wrong.setdefault(position, (column.name, f"found {found}, expected {column.type}"))

        def place(position: int) -> Place:
            return Place(first + position, None, _raw(read, position))

        table = pa.Table.from_arrays(columns, names=[column.name for column in self.matched.landing])
        if not wrong:
            return Batch(table, [], place)
        good = [position for position in range(read.num_rows) if position not in wrong]
        bad_rows = [BadRow(place(position), *wrong[position]) for position in sorted(wrong)]
        return Batch(table.take(pa.array(good, pa.int64())), bad_rows, lambda position: place(good[position]))

    def _cast(self, values: pa.Array, name: str, column: Column) -> tuple[pa.Array, dict[int, str]]:
        """Cast one column's values.

        Raises:
            BadFile: their type cannot become the contract's, and there are some.
        """
        if values.null_count == len(values):
            return pa.nulls(len(values), arrow.ARROW[column.type]), {}
        if column.type == "TIMESTAMP" and self._says_no_zone(name):
            values = values.cast(pa.timestamp(values.type.unit, "UTC"))
        if not casting.can_become(values.type, column.type):
            raise BadFile(self._clash(values.type, column))
        return casting.cast(values, column.type)

    def _clash(self, kind: pa.DataType, column: Column) -> str:
        found = f"{self._url}: column {column.name}: found values of the type {kind}, expected {column.type}"
        lands_as = casting.lands_as(kind)
        if lands_as is None:
            return f"{found}; no column type holds them, ask the publisher or take the column out, nothing was written"
        line = proposal.line(column.model_copy(update={"type": lands_as}))
        return (
            f"{found}; if the file is right, write into {self._contract.name}.toml and raise its revision:\n"
            f"  columns: {line}\nnothing was written"
        )


@contextmanager
def _in_our_words(url: str) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        encrypted = "crypt" in str(error)
        found = "an encrypted Parquet file" if encrypted else "a damaged Parquet file"
        expected = "one that is not encrypted" if encrypted else "one that can be read to its end"
        said = " ".join(str(error).split())
        raise BadFile(
            f"{url}: found {found} ({said[:RAW]}), expected {expected}; ask the publisher, nothing was written"
        ) from error


def _raw(read: pa.RecordBatch, position: int) -> str:
    """Write a row as JSON does, nearly: values as people read them."""
    row = ", ".join(
        f"{json.dumps(name)}: {casting.text(values[position])}"
        for name, values in zip(read.schema.names, read.columns, strict=True)
    )
    return f"{{{row}}}" if len(row) <= RAW else f"{{{row[:RAW]}..."
