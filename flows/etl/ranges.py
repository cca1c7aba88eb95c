"""A file at its publisher, read from where it matters: Range requests, a block at a time."""

import io
import re
from collections.abc import Mapping

import urllib3.exceptions

from flows.etl.address import shown
from flows.etl.errors import Transient
from flows.etl.fetch import Validators
from flows.etl.reach import PUBLIC, Reach
from flows.etl.request import NO_HEADERS, ask

BLOCK_BYTES = 256 << 10
BLOCKS = 64  # that are kept
# https://www.rfc-editor.org/rfc/rfc9110#section-14.4
CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")


class NoRanges(Exception):
    """No error: this publisher sends whole files only."""


class Remote(io.RawIOBase):
    """A file at its publisher, to be read and sought in; `bytes_read` is what has come over the network.

    Raises:
        NoRanges: when it is made: the publisher sends no parts of files.
        SourceError, Transient: as for a download.
    """

    def __init__(self, url: str, headers: Mapping[str, str] = NO_HEADERS, reach: Reach = PUBLIC) -> None:
        self._url, self._headers, self._reach = url, headers, reach
        self._blocks: dict[int, bytes] = {}
        self._at = 0
        self.bytes_read = 0
        self.size = 0
        self._validators: Validators | None = None  # of the content that all parts must be of
        self._block(0)

    def readable(self) -> bool:
        """Say yes: this is a file to read."""
        return True

    def seekable(self) -> bool:
        """Say yes, and in any order."""
        return True

    def tell(self) -> int:
        """Tell where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to where the next read begins; nothing is fetched."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to a buffer's length, and only at the end less."""
        view = memoryview(buffer)
        given = 0
        while given < len(view) and self._at < self.size:
            number, offset = divmod(self._at, BLOCK_BYTES)
            data = self._block(number)[offset : offset + len(view) - given]
            view[given : given + len(data)] = data
            given += len(data)
            self._at += len(data)
        return given

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if len(self._blocks) == BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = self._fetch(number * BLOCK_BYTES)
        return self._blocks[number]

    def _fetch(self, start: int) -> bytes:
        with ask(
            "GET", self._url, self._headers, reach=self._reach, span=f"{start}-{start + BLOCK_BYTES - 1}"
        ) as answer:
            said = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if answer.status_code != 206 or not said:
                raise NoRanges
            first, last, size = map(int, said.groups())
            validators = Validators(answer.headers.get("ETag"), answer.headers.get("Last-Modified"), size)
            if self._validators is None:
                self._validators, self.size = validators, size
            if first != start or last != min(start + BLOCK_BYTES, self.size) - 1 or validators != self._validators:
                raise Transient(
                    f"{shown(self._url)}: found bytes {said[0][6:]} of another content, expected {start} and on of"
                    f" {self.size}; is the file being replaced just now? run again later, nothing was written"
                )
            try:
                data: bytes = answer.raw.read(last - first + 1, decode_content=False)
            except urllib3.exceptions.HTTPError as error:
                raise Transient(
                    f"{shown(self._url)}: the body broke off ({error}), expected bytes {first} to {last}; nothing was"
                    " written"
                ) from error
        if len(data) != last - first + 1:
            raise Transient(
                f"{shown(self._url)}: found {len(data)} bytes, expected {first} to {last}; nothing was written"
            )
        self.bytes_read += len(data)
        return data
