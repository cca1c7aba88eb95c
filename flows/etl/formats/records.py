"""From a file's text to its records: cut at record boundaries, and counted from the bytes.

A record of CSV is a line that is not empty, the header left out; a line feed inside a quoted field belongs to the
field. The count comes from the bytes alone, never from the parser that reads the values, so that a row that a parser
loses is noticed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from flows.etl.errors import BadFile

BLOCK_BYTES = 1 << 20  # decompressed; half of it costs 5 % more time, twice as much more memory
RECORD_BYTES = 16 << 20  # a record longer than this is a wrong dialect or a quote that is never closed
BLANK = re.compile(rb"(?:\A|(?<=\n))\r?\n")
GAP = re.compile(rb"\n\r?\n")  # without alternatives, to be found at memory speed: most files have none


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records, as they stand in the file; `first` is the number of its first record, counted from 1."""

    data: bytes
    first: int
    records: int


class Records:
    """The records of one CSV stream: its header, then blocks of whole records; `total` counts those given out.

    Raises:
        BadFile: the file is empty, or a record is longer than any sensible record.
    """

    def __init__(self, stream: IO[bytes], delimiter: str, url: str) -> None:
        self.total = 0
        self._stream, self._url = stream, url
        # a quote opens a field only where a field begins; the one that closes it may lie in a later block
        begins = rb"(?:\A|(?<=[\r\n" + re.escape(delimiter.encode()) + rb"]))"
        self._quoted = re.compile(begins + rb'"[^"]*+(?:""[^"]*+)*+("|\Z)')
        self.header, self._rest = self._read_header()

    def __iter__(self) -> Iterator[Block]:
        rest = self._rest
        while more := self._stream.read(BLOCK_BYTES):
            data = rest + more if rest else more
            end = self._last_end(data)
            rest = data[end:]
            yield from self._block(data[:end])
            self._check_length(rest)
        self._check_closed(rest)
        yield from self._block(rest)

    def _block(self, data: bytes) -> Iterator[Block]:
        if records := self.count(data):
            first = self.total + 1
            self.total += records
            yield Block(data, first, records)

    def count(self, data: bytes) -> int:
        """Count the records in *data*, which begins at the start of one."""
        if b'"' in data:
            data = self._quoted.sub(b'""', data)
        lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        if data[:1] in (b"\n", b"\r") or GAP.search(data):
            lines -= len(BLANK.findall(data))
        return lines

    def _read_header(self) -> tuple[bytes, bytes]:
        data = b""
        while more := self._stream.read(BLOCK_BYTES):
            data = (data + more).lstrip(b"\r\n")
            if end := self._first_end(data):
                return data[:end].rstrip(b"\r\n"), data[end:]
            self._check_length(data)
        if not data:
            raise BadFile(f"{self._url}: found an empty file, expected a header line; nothing was written")
        return data, b""

    def _first_end(self, data: bytes) -> int:
        position = 0
        for low, high in self._multiline(data):
            if (end := data.find(b"\n", position, low)) >= 0:
                return end + 1
            position = high
        return data.find(b"\n", position) + 1

    def _last_end(self, data: bytes) -> int:
        """Find where the last whole record ends; 0 if none does."""
        position = len(data)
        for low, high in reversed(self._multiline(data)):
            if (end := data.rfind(b"\n", high, position)) >= 0:
                return end + 1
            position = low
        return data.rfind(b"\n", 0, position) + 1

    def _multiline(self, data: bytes) -> list[tuple[int, int]]:
        """Find the quoted fields that hold a line feed: where each begins and ends."""
        if b'"' not in data:
            return []
        spans = (match.span() for match in self._quoted.finditer(data))
        return [span for span in spans if data.find(b"\n", *span) >= 0]

    def _check_closed(self, data: bytes) -> None:
        for match in self._quoted.finditer(data):
            if not match[1]:
                before = data[: match.start()]
                number = self.total + self.count(before) + (not before or before.endswith(b"\n"))
                raise BadFile(
                    f"{self._url}: record {number}: found a quote that is never closed, expected its end; correct the"
                    " file or the contract's dialect, nothing was written"
                )

    def _check_length(self, data: bytes) -> None:
        if len(data) > RECORD_BYTES:
            raise BadFile(
                f"{self._url}: after record {self.total}: found a record longer than {RECORD_BYTES >> 20} MiB, expected"
                " a shorter one; is a quote never closed? nothing was written"
            )
