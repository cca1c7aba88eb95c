"""Uploads in many requests, which a client can take up again after any failure.

Source: https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from uuid import uuid4

from localcloud.storage.draft import Draft
from localcloud.storage.errors import ApiError, Invalid
from localcloud.storage.exchange import Request, Response
from localcloud.storage.intent import Intent, header_hashes
from localcloud.storage.preconditions import require
from localcloud.storage.resource import ObjectResource, linked
from localcloud.storage.session import Session
from localcloud.storage.store import Store

QUANTUM_BYTES = 256 << 10  # "multiples of 256 KiB", all parts but the last
_TURN_TIMEOUT_S = 10  # a part that is sent anew while the lost one still hangs in its socket
_RANGE = re.compile(r"bytes (?:\*|(?P<start>\d+)-(?P<end>\d+|\*))/(?P<total>\d+|\*)")


@dataclass(frozen=True, slots=True)
class Span:
    """Say which of the object's bytes a request carries; `None` is what its client does not know yet."""

    start: int | None  # None asks for the status
    end: int | None  # exclusive
    total: int | None

    @classmethod
    def of(cls, request: Request) -> "Span":
        """Read Content-Range; a request without one carries the whole object.

        Raises:
            Invalid: it makes no sense, or a part that is not the last has a length that Google refuses.
        """
        header = request.header("Content-Range")
        if header is None:
            return cls(0, None, None)
        found = _RANGE.fullmatch(header.strip())
        if found is None:
            raise Invalid(f"Failed to parse Content-Range header: {header!r}")
        start, last, total = (int(value) if (value or "*") != "*" else None for value in found.groups())
        end = last + 1 if last is not None else None
        if start is not None and end is not None:
            if end <= start or (total is not None and end > total):
                raise Invalid(f"Invalid Content-Range: {header!r}")
            if end != total and (end - start) % QUANTUM_BYTES:
                raise Invalid(f"{header!r}: a part that is not the last must be a multiple of {QUANTUM_BYTES} bytes")
        return cls(start, end, total)

    def ends(self, size: int) -> bool:
        """Say whether the object is whole when `size` bytes have come."""
        if self.start is None or self.end is not None or self.total is not None:
            return size == self.total
        return True  # all of the rest was to come in this request, and it came to its end


def begin(store: Store, request: Request) -> Response:
    """Open a session; preconditions that fail already are not worth an upload."""
    intent = Intent.of(request, request.json(), request.header("X-Upload-Content-Type"))
    declared = request.header("X-Upload-Content-Length")
    if declared is not None and not declared.isdecimal():
        raise Invalid(f"Invalid value for X-Upload-Content-Length: {declared!r}")
    session = Session(uuid4().hex, intent, int(declared) if declared else None)
    with store.change() as change:
        require(intent.conditions, store.catalogue.live(intent.bucket, intent.name))
        change.open_session(session)
    location = f"{request.base_url}{request.target}&upload_id={session.id}"
    return Response(headers={"Location": location, "X-GUploader-UploadID": session.id})


def proceed(store: Store, request: Request) -> Response:
    """Take a part or answer how far the upload is; a finished one answers with what it became."""
    with _turn(store, request) as session:
        result = session.result
        if result is None:
            span = Span.of(request)
            draft = store.draft_of(session)
            _take(span, draft, request)
            if not span.ends(draft.size):
                return _incomplete(request, draft.size)
            result = _finish(store, request, session)
    return Response(document=linked(result, request.base_url))


def cancel(store: Store, request: Request) -> Response:
    """Give up an upload; Google answers with 499."""
    with _turn(store, request) as session, store.change() as change:
        change.drop_session(session)
    return Response(499)


def _take(span: Span, draft: Draft, request: Request) -> None:
    """Append what is new in a part; when the client goes away in its middle, what came is kept."""
    if span.start is not None:
        length = request.header("Content-Length")
        if length is not None and span.end is not None and int(length) != span.end - span.start:
            raise Invalid(f"Content-Length is {length}, Content-Range {request.header('Content-Range')!r}")
        if span.start > draft.size:
            raise ApiError(503, "backendError", f"bytes {draft.size}-{span.start - 1} have not come yet")
        draft.receive(_from(draft.size - span.start, request.body.pieces()))
    if span.total is not None and span.total < draft.size:
        raise Invalid(f"{draft.size} bytes have come, more than the {span.total} announced")


def _finish(store: Store, request: Request, session: Session) -> ObjectResource:
    intent, contents = session.intent, store.draft_of(session).contents()
    try:
        if session.declared_size not in (None, contents.size):
            raise Invalid(f"{contents.size} bytes have come, X-Upload-Content-Length was {session.declared_size}")
        contents.require(intent.promised)
        contents.require(header_hashes(request))
        with store.change() as change:
            require(intent.conditions, store.catalogue.live(intent.bucket, intent.name))
            result = change.publish(intent.bucket, intent.name, contents, intent.settings)
            change.finish_session(session, result)
    except ApiError:
        with store.change() as change:
            change.drop_session(session)  # the bytes are refused for good: there is nothing to resume
        raise
    return result


@contextmanager
def _turn(store: Store, request: Request) -> Iterator[Session]:
    """Lend the session to one request at a time."""
    upload_id = request.query.get("upload_id", "")
    session = store.sessions.get(upload_id)
    if session is None or session.expired:
        raise ApiError(404, "notFound", f"No such upload session: {upload_id!r}")
    if not session.turn.acquire(timeout=_TURN_TIMEOUT_S):
        raise ApiError(503, "backendError", "Another request of this upload is still at work")
    try:
        if upload_id not in store.sessions:
            raise ApiError(404, "notFound", f"The upload session has ended: {upload_id!r}")
        yield session
    finally:
        session.turn.release()


def _from(offset: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Leave out what a part repeats: the bytes that came first count, as on Google's side."""
    for piece in pieces:
        fresh = piece[offset:]
        offset = max(0, offset - len(piece))
        if fresh:
            yield fresh


def _incomplete(request: Request, size: int) -> Response:
    headers = {"Range": f"bytes=0-{size - 1}"} if size else {}
    if request.header("X-GUploader-No-308") == "yes":  # Go's client: its transport would follow a 308
        return Response(HTTPStatus.OK, {**headers, "X-HTTP-Status-Code-Override": "308"})
    return Response(HTTPStatus.PERMANENT_REDIRECT, headers)
