"""A request and its reply, apart from the socket they travel on: a batch holds many in one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qsl, urlsplit

from localcloud.storage.draft import PIECE_BYTES
from localcloud.storage.errors import ApiError, BodyCutShort, Invalid

JSON_HEADERS = {"Content-Type": "application/json; charset=UTF-8"}


class Stream(Protocol):
    """What a body is read from: a buffered socket or a BytesIO."""

    def read1(self, size: int, /) -> bytes:
        """Return what is there, at most `size` bytes; nothing at the end."""

    def readline(self, size: int = ..., /) -> bytes:
        """Return one line."""


class Body:
    """Read a request's body piece by piece, by its length or chunked."""

    def __init__(self, stream: Stream, length: int | None) -> None:
        self._stream = stream
        self._chunked = length is None
        self._left = length or 0  # of the body, or of the present chunk
        self._ended = length == 0

    def pieces(self) -> Iterator[bytes]:
        """Yield what has not been read yet.

        Raises:
            BodyCutShort: the client sent less than it announced; what came was yielded.
        """
        while not self._ended:
            if self._chunked and not self._left and not self._next_chunk():
                return
            piece = self._stream.read1(min(PIECE_BYTES, self._left))
            if not piece:
                raise BodyCutShort(f"{self._left} bytes of the body are missing")
            self._left -= len(piece)
            if not self._left:
                if self._chunked:
                    self._stream.readline()  # the line end after a chunk
                self._ended = not self._chunked
            yield piece

    def read(self) -> bytes:
        """Return the whole body; for metadata and small objects."""
        return b"".join(self.pieces())

    def drain(self) -> None:
        """Read what a refused request still has to say, or the next one would begin in its middle."""
        for _ in self.pieces():
            pass

    def _next_chunk(self) -> bool:
        line = self._stream.readline().split(b";")[0].strip()
        try:
            self._left = int(line, 16)
        except ValueError as error:
            raise BodyCutShort(f"no chunk size in {line!r}") from error
        if not self._left:
            while self._stream.readline().strip():
                pass  # trailers
            self._ended = True
        return not self._ended


@dataclass(slots=True)
class Request:
    """One call: what was asked, in the client's own words."""

    method: str
    target: str  # path and query as sent
    base_url: str  # scheme and host as the client knows them
    headers: Message
    body: Body
    params: dict[str, str] = field(default_factory=dict)  # from the path; the router fills it

    @property
    def path(self) -> str:
        """Return the path, still quoted."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """Return the query; the last of equal names counts."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def query_all(self, name: str) -> list[str]:
        """Return every value of a parameter that may come more than once."""
        return [value for key, value in parse_qsl(urlsplit(self.target).query) if key == name]

    def header(self, name: str) -> str | None:
        """Return a header's value; headers of one name are joined as HTTP says."""
        values = self.headers.get_all(name)
        return ",".join(map(str, values)) if values else None

    def json(self) -> dict[str, Any]:
        """Return the body's JSON object; an empty body is an empty object.

        Raises:
            Invalid: the body is something else.
        """
        return parsed_json(self.body.read())


@dataclass(slots=True)
class File:
    """Part of an open file as a reply's body; whoever sends it closes it."""

    file: BinaryIO
    start: int
    length: int


@dataclass(slots=True)
class Response:
    """A reply: a resource, bytes, a part of a file, or pieces of a length that nobody knows yet."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | File | Iterator[bytes] = b""
    document: dict[str, Any] | None = None  # becomes the body when the asked fields are selected

    @property
    def phrase(self) -> str:
        """Return the words after the status."""
        googles = {308: "Resume Incomplete", 499: "Client Closed Request"}
        return googles.get(self.status) or HTTPStatus(self.status).phrase


def reply_error(error: ApiError) -> Response:
    """Reply with an error; "not modified" has no body."""
    if error.status == HTTPStatus.NOT_MODIFIED:
        return Response(error.status)
    return Response(error.status, {**JSON_HEADERS, **error.headers}, error.body())


def parsed_json(text: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty text is an empty one.

    Raises:
        Invalid: it is something else.
    """
    try:
        document = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise Invalid(f"Parse Error: {error}", "parseError") from error
    if not isinstance(document, dict):
        raise Invalid("Parse Error: expected a JSON object", "parseError")
    return document
