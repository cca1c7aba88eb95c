"""A file at its publisher, opened no further than a look at its first rows needs."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Literal, NoReturn, cast

import pyarrow as pa

from flows.etl import archive, decode, media
from flows.etl.address import shown
from flows.etl.contract import Column, Contract
from flows.etl.errors import BadFile
from flows.etl.fetch import Download, download
from flows.etl.formats import parquet
from flows.etl.ranges import NoRanges, Remote
from flows.etl.reach import Reach
from flows.etl.spool import spool

WANTED = "CSV, JSON lines or Parquet; plain, gzip, or a ZIP with one file"
SMALL_BYTES = 4 << 20  # a file up to this size is fetched whole, rather than in parts
PIECE_BYTES = 256 << 10
HEAD_BYTES = 32 << 20  # of text, decompressed: so wide a file needs no more rows


@dataclass(frozen=True, slots=True)
class Beginning:
    """What was read of a file: the text's first bytes, or the table's first rows.

    `whole` tells that there is no more of it than this; `rows` is known of all of a Parquet file.
    """

    compression: Literal["none", "gzip", "zip"]
    bytes_read: int
    size: int | None
    text: bytes = b""
    table: pa.Table | None = None
    rows: int | None = None
    whole: bool = False


class _Read(Exception):
    """No error: it leaves the decoder, which otherwise wants its stream read to the end."""

    def __init__(self, text: bytes, *, whole: bool) -> None:
        self.text, self.whole = text, whole


def read(address: str, reach: Reach, rows: int) -> Beginning:
    """Read a file's beginning: of text about *rows* lines, of Parquet and ZIP what stands at the end, too.

    Raises:
        SourceError, BadFile, Transient: as for a landing.
    """
    where = shown(address)
    with download(address, reach=reach) as body:
        size = body.validators.length
        buffered = io.BufferedReader(body, PIECE_BYTES)
        start = buffered.peek(media.HEAD_BYTES)
        if not start:
            raise BadFile(f"{where}: found an empty body, expected {WANTED}; ask the publisher, nothing was written")
        media.check_page(start, body.announced, where, WANTED)
        kind = media.kind(start)
        match kind:
            case "parquet" | "zip":
                with _sought(address, reach, cast(IO[bytes], buffered), body) as (file, source):
                    if kind == "zip":
                        found = _text_of_zip(file, where, rows)
                        return Beginning("zip", source.bytes_read, size, text=found.text, whole=found.whole)
                    table, total = parquet.head(file, where, rows)
                    return Beginning("none", source.bytes_read, size, table=table, rows=total, whole=total <= rows)
            case None | "gzip":
                compression: Literal["none", "gzip"] = "none" if kind is None else "gzip"
                try:
                    with decode.decompress(buffered, _any_csv(compression), where, body.announced) as stream:
                        _leave_with(_beginning(stream, rows))
                except _Read as found:
                    return Beginning(compression, body.bytes_read, size, text=found.text, whole=found.whole)
            case _:
                raise BadFile(f"{where}: found {media.SIGNATURES[kind][1]}, expected {WANTED}; nothing was written")


@contextmanager
def _sought(
    address: str, reach: Reach, buffered: IO[bytes], body: Download
) -> Iterator[tuple[IO[bytes], Download | Remote]]:
    """Give a file that can be read from its end: parts of it where the publisher sends parts, else all of it."""
    size = body.validators.length
    if size is None or size > SMALL_BYTES:
        try:
            remote = Remote(address, reach=reach)
        except NoRanges:
            pass
        else:
            yield cast(IO[bytes], io.BufferedReader(remote)), remote
            return
    with spool(buffered, shown(address)) as file:
        yield file, body


def _text_of_zip(file: IO[bytes], where: str, rows: int) -> _Read:
    with archive.member(file, where) as member:
        try:
            found = _beginning(member, rows)
        except decode.TROUBLE as error:
            raise BadFile(
                f"{where}: found a damaged ZIP ({error}), expected {WANTED}; ask the publisher, nothing was written"
            ) from error
    media.check_inside(found.text[: media.HEAD_BYTES], _any_csv("zip"), where)
    return found


def _beginning(stream: IO[bytes], rows: int) -> _Read:
    text = bytearray()
    while text.count(b"\n") <= rows and len(text) < HEAD_BYTES:
        piece = stream.read(PIECE_BYTES)
        if not piece:
            return _Read(bytes(text), whole=True)
        text += piece
    return _Read(bytes(text), whole=not stream.read(1))


def _leave_with(found: _Read) -> NoReturn:
    raise found


def _any_csv(compression: Literal["none", "gzip", "zip"]) -> Contract:
    """Stand in for a contract where the decoder wants one: all that it asks for is how the file is packed."""
    return Contract(
        name="file",
        revision=1,
        description="",
        owner="",
        source="https://publisher",
        format="csv",
        compression=compression,
        partition="none",
        columns=[Column(name="text", type="STRING")],
    )
