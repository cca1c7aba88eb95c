"""From a publisher's bytes to a file's: each kind of damage and surprise has its own word."""

import gzip
import io
import os
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from flows.etl.contract import Column, Contract
from flows.etl.decode import LIMITS, Limits, decompress
from flows.etl.errors import BadFile, Transient, Unequal
from flows.etl.fetch import Announced
from flows.etl.spool import spool

TEXT = b"id,name\n" + b"".join(b"%d,somebody\n" % number for number in range(20_000))
WHOLE = gzip.compress(TEXT, mtime=0)


class Body(io.RawIOBase):
    """A body that arrives in pieces, and counts them."""

    def __init__(self, data: bytes, piece: int = 10_000) -> None:
        self._rest, self._piece = io.BytesIO(data), piece
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._rest.read(min(len(buffer), self._piece))
        buffer[: len(data)] = data
        self.bytes_read += len(data)
        return len(data)


def contract_of(compression: str, kind: str = "csv") -> Contract:
    return Contract.model_validate(
        {
            "name": "trips",
            "revision": 1,
            "description": "",
            "owner": "",
            "source": "https://publisher.test/{yyyy}{mm}",
            "format": kind,
            "compression": compression,
            "partition": "month",
            "first_partition": "2021-01",
            "columns": [Column(name="id", type="INT64")],
        }
    )


def decoded(
    data: bytes, compression: str, announced: Announced | None = None, limits: Limits = LIMITS, kind: str = "csv"
) -> bytes:
    body = Body(data)
    with decompress(body, contract_of(compression, kind), "file", announced or Announced(), limits) as stream:
        found = b"".join(iter(lambda: stream.read(65_536), b""))
    assert body.bytes_read == len(data)
    return found


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def damaged(data: bytes, at: int, by: bytes) -> bytes:
    at %= len(data)
    return data[:at] + by + data[at + len(by) :]


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        gzip.compress(TEXT[:1000], mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(TEXT[1000:], mtime=0),
        WHOLE + b"\0" * 1000,  # padding, as tapes and some tools write it
        gzip.compress(TEXT[:1000], mtime=0) + b"\0" * 20 + gzip.compress(TEXT[1000:], mtime=0),
    ],
    ids=["one member", "three members", "zero padding", "padding between"],
)
def test_gzip_gives_all_its_members(data: bytes) -> None:
    assert decoded(data, "gzip") == TEXT


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (WHOLE[:-1], "breaks off, expected its end mark"),
        (WHOLE[:-8], "breaks off, expected its end mark"),
        (WHOLE[: len(WHOLE) // 2], "breaks off, expected its end mark"),
        (WHOLE + WHOLE[:100], "breaks off, expected its end mark"),
        (WHOLE + b"garbage behind it, and a lot of it", "found damaged gzip"),
        (WHOLE + b"x", "breaks off"),
        (damaged(WHOLE, -8, b"\1\2\3\4"), "found damaged gzip (CRC check failed"),
        (damaged(WHOLE, -4, b"\1\2\3\4"), "found damaged gzip (Incorrect length"),
        (damaged(WHOLE, 1000, b"\xff" * 50), "found damaged gzip"),
        (damaged(WHOLE, 2, b"\7"), "found damaged gzip (Unknown compression method"),
        (TEXT, "found a file that begins with b'id,name\\n0,somebo', expected a gzip file of CSV; if it is not"),
        (zipped(("a.csv", TEXT)), "found a ZIP file, expected a gzip file of CSV"),
        (b"", "found an empty body, expected a gzip file of CSV"),
        (gzip.compress(WHOLE, mtime=0), "found a gzip file, expected a gzip file of CSV, and not that inside"),
        (gzip.compress(b"<html>sorry</html>", mtime=0), "found an HTML page ('<html>sorry</html>'), expected"),
    ],
)
def test_gzip_that_is_not_whole_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFile, match="nothing was written") as refused:
        decoded(data, "gzip")
    assert why in str(refused.value)
    assert str(refused.value).startswith("file: ")


@pytest.mark.parametrize("compression", ["none", "gzip", "zip"])
@pytest.mark.parametrize(
    ("page", "content_type", "what"),
    [
        (b"<!DOCTYPE html><p>No such file", "", "an HTML page"),
        (b"\xef\xbb\xbf\n <HTML lang=en>", "", "an HTML page"),
        (b"<!-- built by x -->\n<html>", "text/html", "an HTML page"),
        (b"<p>sorry", "text/html", "an HTML page"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "application/xml", "an XML document"),
    ],
)
def test_a_page_with_status_200_is_called_a_page(compression: str, page: bytes, content_type: str, what: str) -> None:
    with pytest.raises(BadFile, match=f"file: found {what} .*, expected .*CSV; open the address and see"):
        decoded(page, compression, Announced(content_type))


def test_a_header_line_in_angle_brackets_is_no_page() -> None:
    text = b"<DATE>,<TIME>\n1,2\n"
    assert decoded(text, "none", Announced("text/csv")) == text
    assert decoded(WHOLE, "gzip", Announced("text/html")) == TEXT  # a publisher who labels everything so


@pytest.mark.parametrize("data", [WHOLE, zipped(("a.csv", TEXT)), b"PAR1\x15\0", b"BZh91AY&SY", b"%PDF-1.7"])
def test_a_file_of_another_kind_is_named(data: bytes) -> None:
    with pytest.raises(
        BadFile, match=r"file: found a (gzip|ZIP|Parquet|bzip2|PDF) file, expected CSV; correct the con"
    ):
        decoded(data, "none")


def test_an_encoding_on_the_way_is_refused_unless_it_is_only_the_files_own_label() -> None:
    gzipped = Announced(content_encoding="gzip")
    assert decoded(WHOLE, "gzip", gzipped) == TEXT
    for data, compression, said in ((WHOLE, "none", "gzip"), (TEXT, "none", "br"), (WHOLE, "gzip", "br")):
        with pytest.raises(BadFile, match=f"file: found the Content-Encoding '{said}', expected .* as it is stored"):
            decoded(data, compression, Announced(content_encoding=said))


def test_text_whose_end_cannot_be_told_is_refused_and_a_gzip_file_tells_its_own() -> None:
    endless = Announced(ends=False)
    assert decoded(WHOLE, "gzip", endless) == TEXT
    assert decoded(zipped(("a.csv", TEXT)), "zip", endless) == TEXT
    with pytest.raises(BadFile, match="found neither a Content-Length nor chunks, expected one of them"):
        decoded(TEXT, "none", endless)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_gives_its_one_file(method: int) -> None:
    assert decoded(zipped(("trips 2021.csv", TEXT), method=method), "zip") == TEXT


def test_a_zip64_and_one_with_a_comment_give_their_file() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.comment = b"of 2021"
        with archive.open("a.csv", "w", force_zip64=True) as inside:
            inside.write(TEXT)
    assert decoded(made.getvalue(), "zip") == TEXT


ZIPPED = zipped(("a.csv", TEXT))
ONE_DIRECTORY = zipped(("trips/", b""))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped(("a.csv", TEXT), ("b.csv", TEXT)), "found a ZIP with 2 files ('a.csv', 'b.csv'), expected exactly one"),
        (zipped(), "found a ZIP with 0 files, expected exactly one"),
        (ONE_DIRECTORY, "found a ZIP with 0 files, expected exactly one"),
        (
            zipped(("../a.csv", TEXT)),
            "found a ZIP whose file has a path in its name, '../a.csv', expected a name alone",
        ),
        (zipped(("/etc/a.csv", TEXT)), "path in its name, '/etc/a.csv'"),
        (zipped(("trips/a.csv", TEXT)), "path in its name, 'trips/a.csv'"),
        (zipped(("a\\b.csv", TEXT)), "path in its name, 'a\\\\b.csv'"),
        (
            zipped(("a.csv", TEXT), method=zipfile.ZIP_BZIP2),
            "compressed by method 12, expected deflate (8) or none (0)",
        ),
        (zipped(("a.csv", TEXT), method=zipfile.ZIP_LZMA), "compressed by method 14, expected deflate (8) or none (0)"),
        (damaged(damaged(ZIPPED, 6, b"\1"), ZIPPED.index(b"PK\1\2") + 8, b"\1"), "found an encrypted ZIP"),
        (damaged(ZIPPED, ZIPPED.index(b"PK\1\2") + 16, b"\1\2\3\4"), "found damaged zip (Bad CRC-32 for file 'a.csv')"),
        (damaged(ZIPPED, 200, b"\xff" * 50), "found damaged zip"),
        (ZIPPED[:-30], "found no whole ZIP file (File is not a zip file), expected one"),
        (ZIPPED[: len(ZIPPED) // 2], "found no whole ZIP file"),
        (ZIPPED + b"more", "found other bytes around a ZIP"),
        (zipped(("b.csv", b"id\n1\n")) + ZIPPED, "found other bytes around a ZIP, expected nothing else"),
        (WHOLE, "found a gzip file, expected a ZIP file with one file of CSV"),
        (TEXT, "found no whole ZIP file"),
        (b"", "found an empty body"),
        (zipped(("a.csv", WHOLE)), "found a gzip file, expected a ZIP file with one file of CSV, and not that inside"),
        (zipped(*((f"{number}", b"") for number in range(25_000))), "its directory is longer than 1,048,576 bytes"),
    ],
)
def test_a_zip_that_is_not_one_whole_file_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFile, match="nothing was written") as refused:
        decoded(data, "zip")
    assert why in str(refused.value)
    assert str(refused.value).startswith("file: ")


@pytest.mark.parametrize("compression", ["gzip", "zip"])
def test_a_bomb_is_given_up_long_before_its_end(compression: str) -> None:
    zeros = b"0" * (30 << 20)
    bomb = gzip.compress(zeros) if compression == "gzip" else zipped(("a.csv", zeros))
    limits = Limits(free=1 << 20)
    given = 0

    def read_on() -> None:
        nonlocal given
        with decompress(Body(bomb), contract_of(compression), "file", limits=limits) as stream:
            while data := stream.read(1 << 18):
                given += len(data)

    with pytest.raises(BadFile, match=r"bytes decompressed from [\d,]+, expected at most 250 times as many; it looks"):
        read_on()
    assert given < len(zeros) / 2


def test_more_bytes_than_the_limits_are_not_read() -> None:
    with pytest.raises(BadFile, match="found more than 1,000 bytes, expected no larger file"):
        decoded(TEXT, "none", limits=Limits(compressed=1_000))
    with pytest.raises(BadFile, match="found more than 100,000 decompressed bytes, expected fewer"):
        decoded(WHOLE, "gzip", limits=Limits(decompressed=100_000))
    assert decoded(WHOLE, "gzip", limits=Limits(compressed=len(WHOLE), decompressed=len(TEXT))) == TEXT


def test_a_reader_that_stops_early_is_noticed() -> None:
    for data, compression in ((TEXT, "none"), (WHOLE, "gzip"), (ZIPPED, "zip")):
        with (
            pytest.raises(Unequal, match="file: found bytes that were not read"),
            decompress(Body(data), contract_of(compression), "file") as stream,
        ):
            stream.read(100)


def test_a_full_disk_is_passing_trouble_with_a_word_for_what_to_do() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no disk that is always full")

    def full() -> io.FileIO:
        return io.FileIO("/dev/full", "r+")

    with (
        pytest.raises(
            Transient, match=r"file: found no room for a temporary file after 0 bytes \(No space left"
        ) as why,
        spool(io.BytesIO(os.urandom(100)), "file", make=full),
    ):
        pass
    assert "set TMPDIR to a larger disk, nothing was written" in str(why.value)


def test_a_disk_that_cannot_be_written_to_is_the_same_trouble() -> None:
    def refuses() -> io.FileIO:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(Transient, match="Permission denied"), spool(io.BytesIO(b"x"), "file", make=refuses):
        pass


def test_every_truncation_of_a_small_file_is_refused() -> None:
    chance = random.Random(1)
    text = b"id\n" + b"\n".join(b"%d" % chance.randrange(10**9) for _ in range(40)) + b"\n"
    for data, compression in ((gzip.compress(text), "gzip"), (zipped(("a.csv", text)), "zip")):
        for length in range(len(data)):
            with pytest.raises(BadFile):
                decoded(data[:length], compression)


def test_the_size_that_a_zip_announces_is_not_believed() -> None:
    directory = ZIPPED.index(b"PK\1\2")
    short = damaged(damaged(ZIPPED, directory + 24, struct.pack("<L", 100)), 22, struct.pack("<L", 100))
    with pytest.raises(BadFile, match="found damaged zip"):
        decoded(short, "zip")
