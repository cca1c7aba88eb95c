"""A file at its publisher, read from where it matters: Range requests, a block at a time, or the end before all."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import requests
import urllib3.exceptions

from flows.etl.address import shown
from flows.etl.errors import Transient
from flows.etl.fetch import Download, Tail, Validators, download
from flows.etl.random_access import RandomAccess
from flows.etl.reach import PUBLIC, Reach
from flows.etl.request import NO_HEADERS, ask

BLOCK_BYTES = 256 << 10
BLOCKS = 64  # that are kept
TAIL_BYTES = 64 << 10  # what pyarrow asks a Parquet file's end for; a month of taxi trips has a footer of 10 to 40 KB
# https://www.rfc-editor.org/rfc/rfc9110#section-14.4
CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")

NOTHING_KNOWN = Validators(None, None, None)

log = logging.getLogger(__name__)


class NoRanges(Exception):
    """No error: this publisher sends whole files only."""


class Remote(RandomAccess):
    """A file at its publisher, to be read and sought in; `bytes_read` is what has come over the network.

    Raises:
        NoRanges: when it is made: the publisher sends no parts of files.
        SourceError, Transient: as for a download.
    """

    def __init__(self, url: str, headers: Mapping[str, str] = NO_HEADERS, reach: Reach = PUBLIC) -> None:
        super().__init__(0)  # the first answer says how large it is
        self._url, self._headers, self._reach = url, headers, reach
        self._blocks: dict[int, bytes] = {}
        self.bytes_read = 0
        self._validators: Validators | None = None  # of the content that all parts must be of
        self._block(0)

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
            part = _Part.of(answer, self._url)
            if part is None:
                raise NoRanges
            if self._validators is None:
                self._validators, self.size = part.validators, part.size
            end = min(start + BLOCK_BYTES, self.size)
            if (part.first, part.last, part.validators) != (start, end - 1, self._validators):
                raise Transient(
                    f"{shown(self._url)}: found bytes {part} of another content, expected {start} and on of"
                    f" {self.size}; is the file being replaced just now? run again later, nothing was written"
                )
            data = part.read()
        self.bytes_read += len(data)
        return data


@dataclass(frozen=True, slots=True)
class _Part:
    """An answer with a part of a file, unread; `last` is the last byte's number."""

    answer: requests.Response
    url: str
    first: int
    last: int
    size: int

    @classmethod
    def of(cls, answer: requests.Response, url: str) -> "_Part | None":
        """Take an answer for a part of a file; None if it is none."""
        said = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status_code != 206 or not said:
            return None
        return cls(answer, shown(url), *map(int, said.groups()))

    def __str__(self) -> str:
        return f"{self.first}-{self.last}/{self.size}"

    @property
    def validators(self) -> Validators:
        """What the answer says of the whole file."""
        return Validators(self.answer.headers.get("ETag"), self.answer.headers.get("Last-Modified"), self.size)

    def read(self) -> bytes:
        """Read the part.

        Raises:
            Transient: it does not arrive whole.
        """
        try:
            data: bytes = self.answer.raw.read(self.last - self.first + 1, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise Transient(
                f"{self.url}: the body broke off ({error}), expected bytes {self.first} to {self.last}; nothing was"
                " written"
            ) from error
        if len(data) != self.last - self.first + 1:
            raise Transient(
                f"{self.url}: found {len(data)} bytes, expected {self.first} to {self.last}; nothing was written"
            )
        return data


@contextmanager
def download_after_tail(
    url: str, headers: Mapping[str, str], reach: Reach, needed: Callable[[bytes], int]
) -> Iterator[Download]:
    """Ask for a file's end and then for the file; give the body, which has its `tail` if the two are of one content.

    A publisher that sends no parts answers the first request with the file, and is not asked again. The end is asked
    for before the body and not beside it: nobody waits for a connection while holding another.

    Args:
        url: Where.
        headers: As for a download.
        reach: As for a download.
        needed: Says by a file's last bytes how many of them are needed; if they are more, they are asked for as well.

    Raises:
        SourceError, Transient: as for a download.
    """
    with ask("GET", url, headers, reach=reach, span=f"-{TAIL_BYTES}") as answer:
        if answer.status_code == 200:
            yield Download(answer, url)
            return
        tail, validators = _tail(answer, url, TAIL_BYTES)
    if tail and len(tail.data) < (more := needed(tail.data)):
        with ask("GET", url, headers, reach=reach, span=f"-{more}") as answer:
            tail, validators = _tail(answer, url, more)
    with download(url, headers, reach) as body:
        if tail and body.validators in (validators, replace(validators, length=None)):
            body.tail = tail
        elif tail:
            log.info("%s: found another content than when its end was asked for", shown(url))
        yield body


def _tail(answer: requests.Response, url: str, wanted: int) -> tuple[Tail | None, Validators]:
    """Read a file's last *wanted* bytes, and what the answer says of the file; None if that is not what it brings."""
    part = _Part.of(answer, url)
    if part is None or (part.first, part.last) != (max(part.size - wanted, 0), part.size - 1):
        return None, NOTHING_KNOWN
    return Tail(part.read(), part.size), part.validators
