"""The publisher's side: what it says of a file, and the file's bytes, hashed and counted as they pass."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import requests
import urllib3.exceptions

from flows.etl.errors import NETWORK, SourceError, Transient

TIMEOUT_S = (10, 60)  # to connect, and between two reads
REDIRECTS = 5
HEADERS = {
    "User-Agent": f"landfall/{version('landfall')}",
    "Accept-Encoding": "identity",  # the file as it is stored: its own gzip is ours to undo
}


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


class Download(io.RawIOBase):
    """The body of one answer: its bytes are counted and hashed as they are read, and must all arrive."""

    def __init__(self, response: requests.Response, url: str) -> None:
        self.url = url
        self.validators = Validators.of(response)
        self.bytes_read = 0
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
            Transient: the connection broke, stalled, or ended before the announced length.
        """
        try:
            data: bytes = self._body.read(len(buffer), decode_content=False)
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


@contextmanager
def download(url: str) -> Iterator[Download]:
    """Ask for a file and give its body to read.

    Raises:
        SourceError: the publisher refuses, or has no such file.
        Transient: it cannot be reached, or is too busy.
    """
    with _answer("GET", url) as response:
        yield Download(response, url)


def look(url: str) -> Validators:
    """Ask what the publisher serves now, with a HEAD request, or a GET without its body where HEAD is not served.

    Raises:
        SourceError, Transient: as for a download.
    """
    try:
        with _answer("HEAD", url) as response:
            return Validators.of(response)
    except _HeadRefusedError:
        with _answer("GET", url) as response:
            return Validators.of(response)


class _HeadRefusedError(SourceError):
    """This publisher answers GET only."""


@contextmanager
def _answer(method: str, url: str) -> Iterator[requests.Response]:
    with requests.Session() as session:
        session.max_redirects = REDIRECTS
        try:
            response = session.request(
                method, url, headers=HEADERS, stream=True, timeout=TIMEOUT_S, allow_redirects=True
            )
        except NETWORK as error:
            raise Transient(f"{url}: no answer ({error}); is the publisher up? nothing was written") from error
        except requests.RequestException as error:
            raise SourceError(f"{url}: {error}, expected an address that answers; nothing was written") from error
        with response:
            _check_status(method, url, response)
            yield response


def _check_status(method: str, url: str, response: requests.Response) -> None:
    found = f"{url}: found {response.status_code} {response.reason}, expected 200"
    match response.status_code:
        case 200:
            return
        case 405 | 501 if method == "HEAD":
            raise _HeadRefusedError(found)
        case 408 | 425 | 429 | 500 | 502 | 503 | 504:
            raise Transient(f"{found}; the publisher is busy, run again later, nothing was written")
        case 403 | 404 | 410:
            raise SourceError(
                f"{found}; the publisher does not serve this period (yet), or the contract's source is wrong;"
                " nothing was written"
            )
        case _:
            raise SourceError(f"{found}; check the contract's source, nothing was written")
