"""A Parquet file read while it arrives: of what has passed, only the row groups that are being read are in memory.

Parquet says at its end where everything is, so such a file is put on disk before it is read, and on Cloud Run the disk
is memory. With the footer known beforehand (`Tail`, one Range request) that is not needed: writers put row groups one
behind another, so a window that moves over the stream with the reader holds all that it asks for. A month of taxi trips
has some 20 MB in a row group.

The footer came by another request than the body. So the body's last bytes are held against it before anything of it
counts.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.parquet

from flows.etl.errors import Transient
from flows.etl.fetch import Tail
from flows.etl.formats.footer import END_BYTES
from flows.etl.random_access import RandomAccess

PIECE_BYTES = 8 << 20  # small row groups are read together, for batches as large as ever
PIECE_AT_MOST_BYTES = 128 << 20  # of a file with larger row groups, disk is taken instead of memory
# pyarrow reads so much more of a column, for writers of 2014 that forgot a header in its length (PARQUET-816)
BEHIND_BYTES = 100
PROBES = 100_000  # columns in row groups, of some 300 microseconds each
SKIP_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Piece:
    """Some row groups, by their numbers, and the bytes from the first one's first to the last one's last."""

    groups: tuple[int, ...]
    start: int
    end: int


def plan(tail: Tail) -> list[Piece] | None:
    """Part a file into pieces to read one after another; None if its footer cannot be read, or they do not allow it.

    They must stand in order and apart, and none may be too large.
    """
    try:
        metadata = pyarrow.parquet.read_metadata(pa.BufferReader(tail.data))
        if metadata.num_row_groups * metadata.num_columns > PROBES:
            return None
        spans = list(_spans(metadata, tail))
    except (pa.ArrowException, OSError, ValueError):  # which the reader of the whole file says better
        return None
    footer = tail.size - END_BYTES - metadata.serialized_size
    pieces: list[Piece] = []
    at = 0
    for number, (start, end) in enumerate(spans):
        if start < at or end > footer + BEHIND_BYTES:
            return None
        at = max(end - BEHIND_BYTES, start)
        last = pieces[-1] if pieces else None
        if last and end - last.start <= PIECE_BYTES:
            pieces[-1] = Piece((*last.groups, number), last.start, end)
        else:
            pieces.append(Piece((number,), start, end))
    return None if any(each.end - each.start > PIECE_AT_MOST_BYTES for each in pieces) else pieces


def _spans(metadata: pyarrow.parquet.FileMetaData, tail: Tail) -> Iterator[tuple[int, int]]:
    """Find out where pyarrow looks for each row group: by asking it for each column, of a file that notes it.

    The footer's own words on a column are not asked for: where a column is encrypted, pyarrow ends the process.

    Raises:
        OSError: a column is encrypted, or the footer contradicts itself.
        ValueError: pyarrow asks for nothing.
    """
    noted = _Noted(tail.size)
    file = pyarrow.parquet.ParquetFile(pa.PythonFile(noted, "r"), metadata=metadata, pre_buffer=False, buffer_size=0)
    for group in range(metadata.num_row_groups):
        noted.spans.clear()
        for column in range(metadata.num_columns):
            with suppress(_Asked):
                file.reader.read_row_group(group, column_indices=[column], use_threads=False)
        if len(noted.spans) != metadata.num_columns or any(end < start for start, end in noted.spans):
            raise ValueError
        yield min(noted.spans)[0], max(end for _, end in noted.spans)


class _Asked(Exception):
    """No error: what was asked for is noted."""


class _Noted(RandomAccess):
    """A file of which nothing can be read; `spans` are what was asked for."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.spans: list[tuple[int, int]] = []

    def read(self, size: int = -1) -> bytes:
        self.spans.append((self._at, self._at + size))
        raise _Asked


class Window(RandomAccess):
    """A file of which its end and one piece can be read; to iterate over it moves on, and gives row groups' numbers.

    *begun* is what was read of the stream before. `largest` is the most bytes that were held at once, the end apart.
    """

    def __init__(self, stream: IO[bytes], begun: bytes, tail: Tail, pieces: Sequence[Piece], url: str) -> None:
        super().__init__(tail.size)
        self._stream, self._tail, self._pieces, self._url = stream, tail, pieces, url
        self._held, self._start = bytearray(begun), 0
        self._passed = len(begun)  # of the stream
        self.largest = 0

    def __iter__(self) -> Iterator[Sequence[int]]:  # type: ignore[override] # other files give lines
        """Read on, piece by piece; each can be read until the next one is asked for.

        Raises:
            Transient: this is not the file whose end is known.
            LandfallError: as reading the stream does.
        """
        for piece in self._pieces:
            self._move(piece.start, piece.end)
            yield piece.groups

    def finish(self) -> None:
        """Read the stream to its end, which must be the one that is known.

        Raises:
            Transient: it is not.
            LandfallError: as reading the stream does.
        """
        self._move(self.size, self.size)
        if self._stream.read(1):
            raise self._changed()

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to a buffer's length, and only at the end less.

        Raises:
            OSError: the bytes are neither in the piece nor in the end; the footer contradicts itself.
        """
        size = max(min(len(buffer), self.size - self._at), 0)
        for start, data in ((self._start, self._held), (self._tail.start, self._tail.data)):
            offset = self._at - start
            if offset >= 0 and offset + size <= len(data):
                buffer[:size] = memoryview(data)[offset : offset + size]
                self._at += size
                return size
        raise OSError(f"the footer leads to {size} bytes at {self._at}, which are not of the row group that is read")

    def _move(self, start: int, end: int) -> None:
        """Hold the bytes from *start* to *end*, and no others; neither is before where it was."""
        kept = self._held[start - self._start :]
        self._held, self._start = bytearray(), start  # before the next one comes: one piece in memory, not two
        while self._passed < start:
            self._take(memoryview(bytearray(min(SKIP_BYTES, start - self._passed))))
        held = bytearray(end - start)
        held[: len(kept)] = kept
        self._take(memoryview(held)[len(kept) :])
        self._held = held
        self.largest = max(self.largest, len(held))

    def _take(self, into: memoryview) -> None:
        """Fill *into* from the stream, and hold what is of the file's end against the end that is known."""
        while into:
            size = self._stream.readinto(into)  # type: ignore[attr-defined] # every binary file has it
            known = self._tail.data[max(self._passed - self._tail.start, 0) :]
            arrived = into[max(self._tail.start - self._passed, 0) : size]
            if not size or (arrived and arrived != known[: len(arrived)]):
                raise self._changed()
            self._passed += size
            into = into[size:]

    def _changed(self) -> Transient:
        return Transient(
            f"{self._url}: found a body that ends otherwise than the file did when its end was asked for, expected one"
            " file; is it being replaced just now? run again later, nothing was written"
        )
