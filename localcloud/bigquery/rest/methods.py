"""How a method is declared and answered: its parameters are listed, and everything else is a 501 that names it."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.bigquery.faults import Fault, from_duckdb, not_implemented

PREFIX = "/bigquery/v2"
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
Json = dict[str, object]
_STANDARD = frozenset({"alt", "prettyPrint", "fields"})  # what Google's APIs have in common
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: which method, the names in its path, its parameters, its body."""

    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    if_match: str | None = None

    @property
    def project(self) -> str:
        """The project in the path."""
        return self.path["project"]

    def flag(self, name: str) -> bool:
        """Read a boolean parameter, false by default."""
        return self.query.get(name, "false").lower() == "true"

    def number(self, name: str) -> int | None:
        """Read a number.

        Raises:
            Fault: invalid.
        """
        text = self.query.get(name)
        if text is None or text == "":
            return None
        try:
            return int(text)
        except ValueError as error:
            raise Fault("invalid", f"Invalid value for {name}: {text!r}") from error


Answer = Callable[[Call], Json | None] | Callable[[Call], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class Method:
    """One of Google's methods, with the query parameters that are understood here.

    A plain function runs in a thread; a coroutine is for a method that waits.
    """

    name: str
    verb: str
    path: str
    answer: Answer
    parameters: frozenset[str] = frozenset()


def route(method: Method) -> Route:
    """Serve a method."""

    async def endpoint(request: Request) -> Response:
        return await answered(_answer(method, request))

    return Route(PREFIX + method.path, endpoint, methods=[method.verb], name=method.name)


def unknown() -> list[BaseRoute]:
    """Answer 501 to every other method under BigQuery's paths, naming it."""

    async def endpoint(request: Request) -> Response:
        return JSONResponse(not_implemented(f"The method {request.method} {request.url.path}").body(), 501)

    paths = [PREFIX, f"/upload{PREFIX}", f"/resumable/upload{PREFIX}"]
    return [Route(path + "/{rest:path}", endpoint, methods=VERBS) for path in paths]


async def answered(answer: Awaitable[Response]) -> Response:
    """Word what goes wrong as Google does."""
    try:
        return await answer
    except Fault as fault:
        return JSONResponse(fault.body(), fault.code)
    except duckdb.Error as error:
        _LOG.exception("the engine refused a request")
        refused = from_duckdb(error, "invalid")
        return JSONResponse(refused.body(), refused.code)


async def body_of(request: Request) -> bytes:
    """Read a request's body, unpacked."""
    raw = await request.body()
    return gzip.decompress(raw) if request.headers.get("content-encoding") == "gzip" else raw


def check_parameters(name: str, given: Mapping[str, str], understood: frozenset[str]) -> None:
    """Refuse a query parameter that has no meaning here.

    Raises:
        Fault: notImplemented, naming it.
    """
    for parameter in given:
        if parameter not in understood | _STANDARD:
            raise not_implemented(f"{name}: the parameter {parameter}")


def page(items: Sequence[Json], call: Call, kind: str, name: str) -> Json:
    """Answer one page of a list; its token is a position."""
    start = _position(call.query.get("pageToken"))
    limit = call.number("maxResults")
    end = len(items) if limit is None else start + limit
    answer: Json = {"kind": kind, name: list(items[start:end])}
    if end < len(items):
        answer["nextPageToken"] = str(end)
    return answer


def _position(token: str | None) -> int:
    if token and not token.isdecimal():
        raise Fault("invalid", f"Invalid page token: {token!r}")
    return int(token or 0)


async def _answer(method: Method, request: Request) -> Response:
    check_parameters(method.name, request.query_params, method.parameters)
    call = Call(
        method.name,
        request.path_params,
        request.query_params,
        await body_of(request),
        request.headers.get("if-match"),
    )
    answer = await run_in_threadpool(method.answer, call)
    if isawaitable(answer):
        answer = await answer
    if answer is None:
        return Response(status_code=204)
    return JSONResponse(_masked(answer, call))


def _masked(answer: Json, call: Call) -> Json:
    """Keep the fields that were asked for; only names at the top are understood."""
    wanted = call.query.get("fields")
    if not wanted:
        return answer
    if set(wanted) & set("/()*"):
        raise not_implemented(f"{call.method}: the parameter fields = {wanted!r}")
    return {name: value for name, value in answer.items() if name in wanted.split(",")}
