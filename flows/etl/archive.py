"""A ZIP archive that holds one file."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from flows.etl.errors import BadFile

DIRECTORY_BYTES = 1 << 20  # of one member it has 200 at most, of a million members it would fill the memory
END = struct.Struct("<4s4H2LH")  # the record at an archive's end, without its comment
TROUBLE = (  # what zipfile raises on bytes that are no archive
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


@contextmanager
def member(file: IO[bytes], url: str) -> Iterator[IO[bytes]]:
    """Give the one file of an archive to read, decompressed; its checksum is held against it at its end.

    Raises:
        BadFile: there is not exactly one file, it has a path, is encrypted or compressed in a rare way, or the archive
            is damaged or surrounded by other bytes.
    """
    try:
        with zipfile.ZipFile(cast(IO[bytes], _Careful(file))) as opened:
            found = _only(opened.infolist(), url)
            _check_surroundings(file, opened, found, url)
            inside = opened.open(found)
    except TROUBLE as error:
        raise BadFile(
            f"{url}: found no whole ZIP file ({error}), expected one; ask the publisher, or land a whole copy with"
            " --source; nothing was written"
        ) from error
    with inside:
        yield inside


def _only(members: list[zipfile.ZipInfo], url: str) -> zipfile.ZipInfo:
    files = [each for each in members if not each.is_dir()]
    if len(files) != 1:
        names = ", ".join(repr(each.orig_filename) for each in files[:5])
        raise BadFile(
            f"{url}: found a ZIP with {len(files)} files{f' ({names})' if files else ''}, expected exactly one; land a"
            " copy with one file with --source, nothing was written"
        )
    found = files[0]
    name = found.orig_filename
    if any(mark in name for mark in ("/", "\\", "\0", ":")) or name in ("", ".", ".."):
        raise BadFile(
            f"{url}: found a ZIP whose file has a path in its name, {name!r}, expected a name alone; ask the publisher,"
            " nothing was written"
        )
    if found.flag_bits & ENCRYPTED:
        raise BadFile(f"{url}: found an encrypted ZIP, expected one without a password; nothing was written")
    if found.compress_type not in METHODS:
        raise BadFile(
            f"{url}: found a ZIP compressed by method {found.compress_type}, expected deflate (8) or none (0); ask the"
            " publisher, nothing was written"
        )
    return found


def _check_surroundings(file: IO[bytes], opened: zipfile.ZipFile, found: zipfile.ZipInfo, url: str) -> None:
    """Refuse an archive that begins or ends with something else: two archives in one file would land as the last."""
    start = END.size + len(opened.comment)
    file.seek(-start, 2)
    if found.header_offset != 0 or file.read(4) != b"PK\5\6":
        raise BadFile(
            f"{url}: found other bytes around a ZIP, expected nothing else; are these two archives in one file? ask the"
            " publisher, nothing was written"
        )


class _Careful:
    """A file that gives no more at a time than a sensible archive asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, lambda: None

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"its directory is longer than {DIRECTORY_BYTES:,} bytes")
        return self._file.read(size if size >= 0 else DIRECTORY_BYTES)
