"""How a method of a Google API is declared and answered, by the API's discovery document.

A field or parameter that Google does not have is refused with 400, as Google does; one that Google has and the local
cloud does not understand is a 501 that names it, and so is every other method.
"""

import gzip
import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.discovery import Described, Document

Json = dict[str, Any]
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# https://cloud.google.com/apis/design/errors
CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}
_STANDARD = frozenset({"alt", "prettyPrint"})  # what Google's APIs have in common
_LOG = logging.getLogger(__name__)


class Refused(Exception):
    """A request that Google would refuse, or that the local cloud does not understand."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        """Word it as Google does."""
        code = CODES[self.status]
        return JSONResponse({"error": {"code": code, "message": self.message, "status": self.status}}, code)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the names in its path in their order, its parameters, its body without what only Google sets."""

    names: tuple[str, ...]
    query: Mapping[str, str]
    body: Json


@dataclass(frozen=True, slots=True)
class Method:
    """One of Google's methods, by its id, with the parameters and fields that are understood.

    A field's name stands for it and for all that is below it, unless one below it is named as well: `a`, `a.b`
    leaves `a.c` out. A plain function runs in a thread; a coroutine is for a method that waits.
    """

    id: str
    answer: Callable[[Call], Json] | Callable[[Call], Awaitable[Json]]
    parameters: Collection[str] = frozenset()
    fields: Collection[str] = field(default_factory=frozenset)


class Around:
    """What may happen to a request around its method; nothing, unless it is overridden."""

    async def arrived(self, method: str) -> None:
        """Let the method answer, or raise Refused in its place."""

    async def answered(self, method: str, request: Request) -> None:
        """Let the answer go out, or raise Refused in its place, when the method has done its work."""


def routes(name: str, document: Document, methods: Collection[Method], around: Around | None = None) -> list[BaseRoute]:
    """Serve the methods; the document's others answer 501, and so does every other path.

    Args:
        name: how the service is called in a refusal.
        document: of the API.
        methods: those that are understood.
        around: what may happen to a request beside.
    """
    declared = {method.id: method for method in methods}
    made = [
        _served(name, document, described, declared[described.id], around or Around())
        if described.id in declared
        else _refused(name, described)
        for described in document.methods.values()
    ]
    made.sort(key=lambda route: ":" not in route.path.rpartition("/")[2])  # `x/{id}` would match `x/{id}:run` too
    return [*made, Route("/{rest:path}", _unknown(name), methods=VERBS)]


def page(items: Sequence[Json], call: Call, name: str, *, total: bool = False) -> Json:
    """Answer one page of a list, whose token is a position, and with `total` how many there are."""
    start, limit = _number(call, "pageToken") or 0, _number(call, "pageSize") or None
    end = len(items) if limit is None else start + limit
    answer: Json = {name: list(items[start:end])} if items[start:end] else {}  # as protobuf's JSON leaves it out
    if end < len(items):
        answer["nextPageToken"] = str(end)
    if total and items:
        answer["totalSize"] = len(items)
    return answer


def _number(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    if not text:
        return None
    if not text.isdecimal():
        raise Refused("INVALID_ARGUMENT", f"Invalid value at {name}: found {text!r}, expected a number")
    return int(text)


def _served(name: str, document: Document, described: Described, method: Method, around: Around) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            await around.arrived(method.id)
            answer = await _answer(name, document, described, method, request)
            await around.answered(method.id, request)
        except Refused as refused:
            return refused.response()
        return JSONResponse(answer)

    return Route(_path(described), endpoint, methods=[described.verb], name=method.id)


async def _answer(name: str, document: Document, described: Described, method: Method, request: Request) -> Json:
    call = await _call(name, document, described, method, request)
    answer: Any = await run_in_threadpool(method.answer, call)
    said: Json = await answer if isawaitable(answer) else answer
    if described.response:
        problems = [
            *document.unknown(described.response, said, "answer"),
            *document.problems(described.response, said, "answer", lenient=False),
        ]
        if problems:  # a bug of ours must not look like Google's answer
            _LOG.error("%s answered what Google does not: %s", method.id, problems)
            raise Refused("INTERNAL", f"{method.id}: a bug of the local cloud: {problems[0]}")
    return said


async def _call(name: str, document: Document, described: Described, method: Method, request: Request) -> Call:
    for parameter in request.query_params:
        if parameter not in described.parameters and parameter not in _STANDARD:
            raise Refused(
                "INVALID_ARGUMENT",
                f'Invalid JSON payload received. Unknown name "{parameter}": Cannot bind query parameter. Field '
                f"'{parameter}' could not be found in request message.",
            )
        if parameter not in method.parameters and parameter not in _STANDARD:
            raise _not_implemented(name, f"{method.id}: the parameter {parameter}")
    body = _parsed(await _body(request))
    if described.request:
        body = _checked(name, document, described.request, method, body)
    elif body:
        raise Refused("INVALID_ARGUMENT", f"{method.id}: found a body, expected none")
    return Call(tuple(request.path_params.values()), request.query_params, body)


def _checked(name: str, document: Document, schema: str, method: Method, body: Json) -> Json:
    for path in document.unknown(schema, body, "request"):
        where, _dot, last = path.rpartition(".")
        at = where.removeprefix("request").removeprefix(".")
        raise Refused(
            "INVALID_ARGUMENT",
            f'Invalid JSON payload received. Unknown name "{last}"{f" at {at!r}" if at else ""}: Cannot find field.',
        )
    sent: Json = document.writable(schema, body)
    for problem in document.problems(schema, sent, "request", lenient=True):
        raise Refused("INVALID_ARGUMENT", f"Invalid value at {problem.removeprefix('request.')}")
    for field_path in document.fields(schema, sent):
        if not _understood(".".join(field_path), method.fields):
            raise _not_implemented(name, f"{method.id}: the field {'.'.join(field_path)}")
    return sent


def _understood(path: str, known: Collection[str]) -> bool:
    """Say whether a field is named, or one above it that no other name details."""
    while path not in known:
        path, _dot, _last = path.rpartition(".")
        if not path or any(each.startswith(f"{path}.") for each in known):
            return False
    return True


async def _body(request: Request) -> bytes:
    raw = await request.body()
    return gzip.decompress(raw) if request.headers.get("content-encoding") == "gzip" else raw


def _parsed(raw: bytes) -> Json:
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise Refused("INVALID_ARGUMENT", f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise Refused("INVALID_ARGUMENT", "Invalid JSON payload received. Expected an object.")
    return body


def _refused(name: str, described: Described) -> Route:
    async def endpoint(_request: Request) -> Response:
        return _not_implemented(name, f"The method {described.id}").response()

    return Route(_path(described), endpoint, methods=[described.verb], name=described.id)


def _unknown(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return _not_implemented(name, f"The method {request.method} {request.url.path}").response()

    return endpoint


def _path(described: Described) -> str:
    return "/" + re.sub(r"\{(\w+)\}", r"{\1}", described.path)


def _not_implemented(name: str, what: str) -> Refused:
    return Refused("UNIMPLEMENTED", f"{what} is not part of the local {name}")
