"""The publisher's side: what it says of a file, and the file's bytes, hashed and counted as they pass."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import requests
import urllib3.exceptions

from flows.etl.address import shown
from flows.etl.errors import Transient
from flows.etl.reach import PUBLIC, Reach
from flows.etl.request import NO_HEADERS, HeadRefused, ask


@dataclass(frozen=True, slots=True)
class Validators:
    """What a publisher says of a file without sending it; equal validators mean the same content."""

    etag: str | None
    last_modified: str | None
    length: int | None

    @classmethod
    def of(cls, response: requests.Response) -> "Validators":
        """Read them from a response's headers."""
        length = response.headers.get("Content-Length")
        return cls(
            response.headers.get("ETag"),
            response.headers.get("Last-Modified"),
            int(length) if length is not None and length.isdecimal() else None,
        )

    @property
    def tell(self) -> bool:
        """Whether they say enough to be taken for the content itself; a length alone does not."""
        return self.etag is not None or self.last_modified is not None


@dataclass(frozen=True, slots=True)
class Announced:
    """What an answer says of the body that follows.

    `ends` is false where nothing tells the body's end from a connection that broke: neither a length nor chunks.
    """

    content_type: str = ""
    content_encoding: str = ""
    ends: bool = True

    @classmethod
    def by(cls, response: requests.Response) -> "Announced":
        """Read it from a response's headers."""
        return cls(
            response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            response.headers.get("Content-Encoding", "").strip().lower(),
            _is_chunked(response) or Validators.of(response).length is not None,
        )


@dataclass(frozen=True, slots=True)
class Tail:
    """A file's last bytes, asked for before its body, and the size of all of it."""

    data: bytes
    size: int

    @property
    def start(self) -> int:
        """Where in the file they begin."""
        return self.size - len(self.data)


def _is_chunked(response: requests.Response) -> bool:
    return "chunked" in response.headers.get("Transfer-Encoding", "").lower()


class Download(io.RawIOBase):
    """The body of one answer: its bytes are counted and hashed as they are read, and must all arrive.

    A body that is longer than announced is noticed if the surplus has arrived together with the last announced byte.
    What comes later is never read and cannot be noticed; neither can the end of a body with neither a length nor chunks
    (`announced.ends`).

    `tail` is the body's end, where it was asked for before (`ranges.download_after_tail`).
    """

    tail: Tail | None = None

    def __init__(self, response: requests.Response, url: str) -> None:
        self.url = shown(url)  # in messages
        self.validators = Validators.of(response)
        self.announced = Announced.by(response)
        self.bytes_read = 0
        self._length = None if _is_chunked(response) else self.validators.length
        self._hash = hashlib.sha256()
        self._body = response.raw

    @property
    def sha256(self) -> str:
        """The hash of the bytes read so far, in hex."""
        return self._hash.hexdigest()

    def readable(self) -> bool:
        """Say yes: this is a file to read."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to a buffer's length; 0 is the end of a body that arrived whole.

        Raises:
            Transient: the connection broke, stalled, or the body is not as long as announced.
        """
        size = len(buffer)
        if self._length is not None:
            left = self._length - self.bytes_read
            if left == 1:
                self._check_surplus()
            size = min(size, max(left - 1, 1))  # the last byte by itself: behind it the connection is closed
        try:
            data: bytes = self._body.read(size, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            expected = self.validators.length
            raise Transient(
                f"{self.url}: the body broke off after {self.bytes_read} bytes"
                f" ({error}), expected {expected if expected is not None else 'it whole'}; nothing was written"
            ) from error
        buffer[: len(data)] = data
        self._hash.update(data)
        self.bytes_read += len(data)
        return len(data)

    def _check_surplus(self) -> None:
        """Look past the last announced byte, as far as bytes have arrived."""
        arrived = getattr(getattr(self._body, "_fp", None), "fp", None)  # urllib3 has no word for this
        try:
            surplus = len(arrived.peek(2)) - 1 if isinstance(arrived, io.BufferedReader) else 0
        except OSError:
            return  # the read that follows says so
        if surplus > 0:
            raise Transient(
                f"{self.url}: found a body longer than announced, expected {self._length} bytes; is the file being"
                " replaced just now? run again later, nothing was written"
            )


@contextmanager
def download(url: str, headers: Mapping[str, str] = NO_HEADERS, reach: Reach = PUBLIC) -> Iterator[Download]:
    """Ask for a file and give its body to read; headers go with the request and are never shown.

    Raises:
        SourceError: the publisher refuses, or has no such file.
        Transient: it cannot be reached, or is too busy.
    """
    with ask("GET", url, headers, reach=reach) as response:
        yield Download(response, url)


def look(
    url: str, headers: Mapping[str, str] = NO_HEADERS, known: Validators | None = None, reach: Reach = PUBLIC
) -> Validators:
    """Ask what the publisher serves now, with a HEAD request, or a GET without its body where HEAD is not served.

    That GET names the ETag that is *known*, so that an unchanged file is not even begun to be sent. A date is not sent
    (If-Modified-Since): a publisher that goes back to an older file would truthfully answer that it has not changed.

    Raises:
        SourceError, Transient: as for a download.
    """
    try:
        with ask("HEAD", url, headers, reach=reach) as response:
            return Validators.of(response)
    except HeadRefused:
        with ask("GET", url, headers, known.etag if known else None, reach) as response:
            return known if known and response.status_code == 304 else Validators.of(response)
