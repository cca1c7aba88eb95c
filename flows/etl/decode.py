"""A file's decompressed bytes: gzip in one pass, a ZIP by way of the disk; never more of either than is sensible."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

from isal import igzip, igzip_lib

from flows.etl import archive, media
from flows.etl.contract import Contract
from flows.etl.errors import BadFile, Unequal
from flows.etl.fetch import Announced
from flows.etl.spool import spool

READ_BYTES = 256 << 10
# isal's is neither zlib's nor an OSError
TROUBLE = (cast(type[Exception], igzip_lib.IsalError), *archive.TROUBLE)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read before it is taken for a bomb; memory is constant, time and disk are not."""

    compressed: int = 64 << 30  # two hours at 10 MB/s, and the disk that a ZIP may fill
    decompressed: int = 512 << 30  # half a day of converting at 12 MB/s a core
    ratio: int = 250  # gzip reaches 1,030 on zeros, taxi data 5, and text that repeats itself 100
    free: int = 64 << 20  # decompressed, before the ratio counts: small files may well be all the same


LIMITS = Limits()
NOTHING_SAID = Announced()


@contextmanager
def decompress(
    source: io.RawIOBase | io.BufferedIOBase,
    contract: Contract,
    url: str,
    announced: Announced = NOTHING_SAID,
    limits: Limits = LIMITS,
) -> Iterator[IO[bytes]]:
    """Give a file's decompressed bytes to read; gzip of several members is read through.

    Who reads must read to the end: what is left when the context ends was lost by its reader. All of the source is
    read by then, also what stands behind a member's end, so that its hash is that of the publisher's file.

    Raises:
        BadFile: also while reading: it is another kind of file, damaged, cut short, or a bomb.
        Transient: there is no disk for a ZIP.
        Unequal: the reader left something.
    """
    raw = _Limited(source, limits.compressed, url)
    buffered = io.BufferedReader(raw, READ_BYTES)
    media.check(buffered.peek(media.HEAD_BYTES), announced, contract, url)
    match contract.compression:
        case "none":
            yield buffered
            _check_finished(buffered, url)
        case "gzip":
            gunzip = cast(IO[bytes], igzip.IGzipFile(fileobj=buffered, mode="rb"))  # type: ignore[no-untyped-call]
            stream = cast(IO[bytes], _Decompressed(gunzip, raw, contract, url, limits))
            yield stream
            _check_finished(stream, url)
        case "zip":
            with spool(buffered, url) as file, archive.member(file, url) as member:
                stream = cast(IO[bytes], _Decompressed(member, raw, contract, url, limits))
                yield stream
                _check_finished(stream, url)


def _check_finished(stream: IO[bytes], url: str) -> None:
    if stream.read(1):
        raise Unequal(f"{url}: found bytes that were not read, expected none; this is a defect, nothing was written")


class _Limited(io.RawIOBase):
    """A source of which no more than so many bytes are read."""

    def __init__(self, source: io.RawIOBase | io.BufferedIOBase, limit: int, url: str) -> None:
        self.bytes_read = 0
        self._source, self._limit, self._url = source, limit, url

    def readable(self) -> bool:
        """Say yes: this is a file to read."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to a buffer's length."""
        size = self._source.readinto(buffer) or 0
        self.bytes_read += size
        if self.bytes_read > self._limit:
            raise BadFile(
                f"{self._url}: found more than {self._limit:,} bytes, expected no larger file; land it in parts,"
                " nothing was written"
            )
        return size


class _Decompressed(io.RawIOBase):
    """A decompressor whose errors name the file, and which gives up on a bomb."""

    def __init__(self, inner: IO[bytes], source: _Limited, contract: Contract, url: str, limits: Limits) -> None:
        self._inner, self._source, self._limits = inner, source, limits
        self._contract, self._url = contract, url
        self._given = 0

    def readable(self) -> bool:
        """Say yes: this is a file to read."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to a buffer's length."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read *size* decompressed bytes; fewer only at the end."""
        if size < 0:
            return self.readall()
        try:
            data = self._inner.read(size)
        except EOFError as error:
            raise BadFile(
                f"{self._url}: the {self._contract.compression} stream breaks off, expected its end mark; ask the"
                " publisher, or land a whole copy with --source; nothing was written"
            ) from error
        except TROUBLE as error:
            raise BadFile(
                f"{self._url}: found damaged {self._contract.compression} ({error}) after {self._given} decompressed"
                f" bytes, expected {media.expected(self._contract)}; ask the publisher, nothing was written"
            ) from error
        if not self._given:
            media.check_inside(data[: media.HEAD_BYTES], self._contract, self._url)
        self._given += len(data)
        self._check_size()
        return data

    def _check_size(self) -> None:
        limits, read = self._limits, self._source.bytes_read
        if self._given > limits.decompressed:
            raise BadFile(
                f"{self._url}: found more than {limits.decompressed:,} decompressed bytes, expected fewer; land it in"
                " parts, nothing was written"
            )
        if self._given > limits.free and self._given > limits.ratio * read:
            raise BadFile(
                f"{self._url}: found {self._given:,} bytes decompressed from {read:,}, expected at most"
                f" {limits.ratio} times as many; it looks like a decompression bomb, nothing was written"
            )
