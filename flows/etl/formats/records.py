"""From a file's text to its records: cut at record boundaries, and counted from the bytes.

A record of CSV is a line that is not empty, the header left out. A line ends with a line feed, or a carriage return
and a line feed; the last one may lack it. Inside a quoted field they belong to the field. A field is quoted if it
begins with the quote; any other quote is a character like others. A carriage return alone ends no line: outside
quotes it makes a record bad, as parsers disagree on what it means.

The count comes from the bytes alone, never from the parser that reads the values, so that a row that a parser loses is
noticed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from flows.etl.contract import Dialect
from flows.etl.errors import BadFile

BLOCK_BYTES = 1 << 20  # decompressed; half of it costs 5 % more time, twice as much more memory
RECORD_BYTES = 16 << 20  # a record longer than this is a wrong dialect or a quote that is never closed
HEADER_BYTES = 4 << 20  # the 10,000 columns that BigQuery allows, with names of its 300 characters, are 3 MB
BLANK = re.compile(rb"(?:\A|(?<=\n))\r?\n")
CRLF_GAP = re.compile(rb"\n\r?\n")
STRAY = re.compile(rb"\r(?!\n)")
LINE_FEED = 10
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records, as they stand in the file; the first has the number `first` and begins on `line` or after it.

    Both count from 1. `stray`: a carriage return ends no line, outside quotes.
    """

    data: bytes
    first: int
    line: int
    records: int
    stray: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Where a record lies in its block's data, its line's end left out."""

    start: int
    end: int
    stray: bool


class Records:
    """The records of one CSV stream: its header, then blocks of whole records; `total` counts those given out.

    `header` is None in a file that has none.

    Raises:
        BadFile: the file is empty, or a record is longer than any sensible record.
    """

    def __init__(self, stream: IO[bytes], dialect: Dialect, url: str) -> None:
        self.total = 0
        self._stream, self._url = stream, url
        self._line = 1  # on which what was not given out yet begins
        self._quote = dialect.quote.encode()
        if quote := re.escape(self._quote):
            # a quote opens a field only where a field begins; the one that closes it may lie in a later block
            begins = rb"(?:\A|(?<=[\r\n" + re.escape(dialect.delimiter.encode()) + rb"]))"
            inside = rb"[^" + quote + rb"]*+"
            self._quoted = re.compile(
                begins + quote + inside + rb"(?:" + quote * 2 + inside + rb")*+(" + quote + rb"|\Z)"
            )
        self._rest = self._read_start(BOM if dialect.encoding == "utf-8" else b"")
        self.header = self._cut_header() if dialect.header else None

    def __iter__(self) -> Iterator[Block]:
        rest, self._rest = self._rest, b""
        if len(rest) >= BLOCK_BYTES:
            end = self.last_end(rest)
            yield from self._block(rest[:end])
            rest = rest[end:]
        while more := self._stream.read(BLOCK_BYTES):
            data, rest = self._parted(rest, more)
            yield from self._block(data)
            self._check_length(rest)
        self._check_closed(rest)
        yield from self._block(rest)

    def _parted(self, rest: bytes, more: bytes) -> tuple[bytes, bytes]:
        """Part what was left over and what came next into whole records and what is left now; copied once."""
        quoted = self._quote and (self._quote in more or self._quote in rest)
        if not quoted and (end := more.rfind(b"\n") + 1):
            return b"".join((rest, memoryview(more)[:end])), more[end:]
        data = rest + more
        end = self.last_end(data)
        return data[:end], data[end:]

    def _block(self, data: bytes) -> Iterator[Block]:
        plain = self._without_quoted(data)
        feeds, blank = _feeds(plain)
        records = feeds + (not plain.endswith(b"\n") and bool(plain)) - blank
        first, line = self.total + 1, self._line
        self.total += records
        self._line += feeds if plain is data else data.count(b"\n")
        if records:
            stray = b"\r" in plain and STRAY.search(plain) is not None
            yield Block(data, first, line, records, stray)

    def peek(self, size: int) -> bytes:
        """Show up to *size* bytes of whole records, before the first is given out."""
        if len(self._rest) < size:
            self._rest += self._stream.read(BLOCK_BYTES)
        return self._rest[: self.last_end(self._rest[:size])]

    def spans(self, block: Block) -> list[Span]:
        """Tell where each record of a block lies, in order."""
        # equally long, without the line ends that belong to a field
        plain = self._without_quoted(block.data, keep_length=True)
        found = []
        start = 0
        while start < len(plain):
            feed = plain.find(b"\n", start)
            after = feed + 1 if feed >= 0 else len(plain)
            end = after - (feed >= 0)
            if feed > start and plain[feed - 1 : feed] == b"\r":
                end -= 1
            if end > start:
                found.append(Span(start, end, plain.find(b"\r", start, end) >= 0))
            start = after
        return found

    def _without_quoted(self, data: bytes, *, keep_length: bool = False) -> bytes:
        if not self._quote or self._quote not in data:
            return data
        quotes = self._quote * 2
        return self._quoted.sub((lambda found: b"_" * len(found[0])) if keep_length else quotes, data)

    def _read_start(self, bom: bytes) -> bytes:
        data = b""
        while len(data) < len(BOM) and (more := self._stream.read(BLOCK_BYTES)):
            data += more
        return data.removeprefix(bom)

    def _cut_header(self) -> bytes:
        """Take the header off the file's beginning, and blank lines before it."""
        data = self._rest
        while True:
            blank = len(data) - len(data.lstrip(b"\r\n"))
            self._line += data.count(b"\n", 0, blank)
            data = data[blank:]
            end = self._first_end(data)
            if end or len(data) > HEADER_BYTES or not (more := self._stream.read(BLOCK_BYTES)):
                break
            data += more
        if not data:
            raise BadFile(f"{self._url}: found an empty file, expected a header line; nothing was written")
        header = data[: end or len(data)].removesuffix(b"\n").removesuffix(b"\r")
        if b"\r" in self._without_quoted(header):
            raise BadFile(
                f"{self._url}: line {self._line}: found a carriage return inside the header, expected lines that end"
                " with a line feed, or with both; convert the file, nothing was written"
            )
        if len(header) > HEADER_BYTES:
            raise BadFile(
                f"{self._url}: line {self._line}: found a header longer than {HEADER_BYTES >> 20} MiB, expected a"
                " shorter one; check that this is the contract's file, nothing was written"
            )
        self._line += data.count(b"\n", 0, end or len(data))
        self._rest = data[end or len(data) :]
        return header

    def _first_end(self, data: bytes) -> int:
        """Find where the first whole record ends; 0 if none does."""
        position = 0
        for low, high in self._multiline(data):
            if (end := data.find(b"\n", position, low)) >= 0:
                return end + 1
            position = high
        return data.find(b"\n", position) + 1

    def last_end(self, data: bytes) -> int:
        """Find where the last whole record ends; 0 if none does."""
        position = len(data)
        for low, high in reversed(self._multiline(data)):
            if (end := data.rfind(b"\n", high, position)) >= 0:
                return end + 1
            position = low
        return data.rfind(b"\n", 0, position) + 1

    def _multiline(self, data: bytes) -> list[tuple[int, int]]:
        """Find the quoted fields that hold a line feed: where each begins and ends."""
        if not self._quote or self._quote not in data:
            return []
        spans = (match.span() for match in self._quoted.finditer(data))
        return [span for span in spans if data.find(b"\n", *span) >= 0]

    def _check_closed(self, rest: bytes) -> None:
        if self._quote and any(not found[1] for found in self._quoted.finditer(rest)):
            line = self._line + rest.count(b"\n", 0, self.last_end(rest))
            raise BadFile(
                f"{self._url}: line {line}: found a quote that is never closed, expected its end; correct the"
                " file or the contract's dialect, nothing was written"
            )

    def _check_length(self, rest: bytes) -> None:
        if len(rest) > RECORD_BYTES:
            raise BadFile(
                f"{self._url}: line {self._line}: found a record longer than {RECORD_BYTES >> 20} MiB, expected a"
                " shorter one; is a quote never closed? nothing was written"
            )


def _feeds(plain: bytes) -> tuple[int, int]:
    """Count the line feeds, and the lines that are blank."""
    # in a fifth of the time that bytes.count and a search need; where there is pyarrow, numpy is imported anyhow
    ends = np.frombuffer(plain, np.uint8) == LINE_FEED
    # most files have no blank line, and one of the two ends of lines
    gap = CRLF_GAP.search(plain) if b"\r" in plain else np.any(ends[1:] & ends[:-1])
    blank = len(BLANK.findall(plain)) if plain[:1] in (b"\n", b"\r") or gap else 0
    return int(np.count_nonzero(ends)), blank
