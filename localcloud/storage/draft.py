"""Bytes on their way in, invisible until they are published."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import google_crc32c

from localcloud.storage.errors import Invalid

PIECE_BYTES = 1 << 20


class Readable(Protocol):
    """A file, or what unpacks one."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; nothing at the end."""


def pieces_of(file: Readable) -> Iterator[bytes]:
    """Read a file to its end in pieces of at most `PIECE_BYTES`."""
    while piece := file.read(PIECE_BYTES):
        yield piece


@dataclass(frozen=True, slots=True)
class Contents:
    """Name finished bytes and what the server knows of them; hashes are base64, as in the API."""

    path: Path
    size: int
    crc32c: str
    md5: str | None
    components: int | None = None  # how many uploads a composed object is made of; it has no md5

    def require(self, promised: dict[str, str]) -> None:
        """Compare with the hashes that the client gave.

        Raises:
            Invalid: one of them is another; nothing may be published then.
        """
        for field, computed in (("crc32c", self.crc32c), ("md5Hash", self.md5)):
            given = promised.get(field)
            if given is not None and given != computed:
                raise Invalid(f"Provided {field} {given!r} doesn't match calculated {field} {computed!r}.")


class Draft:
    """Append to one file and hash what is appended; a file that is there already is continued."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0
        path.touch()
        with path.open("rb") as file:  # an upload that outlived a restart
            for piece in pieces_of(file):
                self._count(piece)

    def receive(self, pieces: Iterable[bytes]) -> None:
        """Append the pieces; when their source breaks off, what came before is kept."""
        with self.path.open("ab") as file:
            for piece in pieces:
                file.write(piece)
                self._count(piece)

    def contents(self) -> Contents:
        """Say what has arrived so far."""
        return Contents(self.path, self.size, _base64(self._crc32c.to_bytes(4, "big")), _base64(self._md5.digest()))

    def discard(self) -> None:
        """Forget the bytes; what was published from them has a file of its own."""
        self.path.unlink(missing_ok=True)

    def _count(self, piece: bytes) -> None:
        self._md5.update(piece)
        self._crc32c = google_crc32c.extend(self._crc32c, piece)
        self.size += len(piece)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
