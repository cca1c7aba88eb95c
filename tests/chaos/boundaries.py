"""The boundaries of the chain, as matches of what is asked and answered, seen from outside.

The names are those of a landing's steps, in their order. Each is met once a landing, but where it says otherwise: a
trap strikes at the first.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tests.chaos.proxy import Answered, Asked

PUBLISHER, STORAGE, WAREHOUSE, PREFECT = "publisher", "storage", "warehouse", "prefect"
HOPS = (PUBLISHER, STORAGE, WAREHOUSE, PREFECT)

World = Literal["re-published", "first"]


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place in the chain.

    `asks` tells it by its request, `answers` by what comes back; `at` gives which byte of a body it is. `since` must
    have been asked before by the same landing, `until` not yet. `world` is what a landing must find for the boundary to
    be there: an older content in the table, or a dataset without tables.
    """

    name: str
    hop: str
    asks: Callable[[Asked], bool]
    answers: Callable[[Answered], bool] | None = None
    at: Callable[[int], int] | None = None
    since: Callable[[Asked], bool] | None = None
    until: Callable[[Asked], bool] | None = None
    world: World = "re-published"

    def __str__(self) -> str:
        return self.name


def _path(asked: Asked) -> str:
    return unquote(urlsplit(asked.path).path)


def _is_file(method: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.method == method and _path(asked).endswith((".csv.gz", ".zip"))


def _opens_upload(asked: Asked) -> bool:
    return asked.method == "POST" and "uploadType=resumable" in asked.path


def _is_part(*, last: bool) -> Callable[[Asked], bool]:
    def asks(asked: Asked) -> bool:
        span = asked.headers.get("content-range", "")
        return asked.method == "PUT" and span.startswith("bytes ") and span.endswith("/*") != last

    return asks


def _lists_log(asked: Asked) -> bool:
    # one partition's: the plan lists the log of the whole contract
    prefix = parse_qs(urlsplit(asked.path).query).get("prefix", [""])[0]
    return asked.method == "GET" and prefix.startswith("log/") and prefix.count("/") == 3


def is_claim(asked: Asked) -> bool:
    """Tell whether a request writes an entry of the log."""
    return asked.method == "POST" and "/upload/" in asked.path and b'"log/' in asked.body


def _supersedes(method: str) -> Callable[[Asked], bool]:
    def asks(asked: Asked) -> bool:
        path = _path(asked)
        if method == "DELETE":
            return asked.method == "DELETE" and "/o/lake/" in path
        return asked.method == "POST" and "superseded/" in path and ("/rewriteTo/" in path or "/copyTo/" in path)

    return asks


def _makes_table(name: bytes) -> Callable[[Asked], bool]:
    return lambda asked: asked.method == "POST" and _path(asked).endswith("/tables") and name in asked.body


def is_load(asked: Asked) -> bool:
    """Tell whether a request sends a load job."""
    return asked.method == "POST" and _path(asked).endswith("/jobs") and b'"load"' in asked.body


def asks_for_job(asked: Asked) -> bool:
    """Tell whether a request asks how a load job is."""
    return asked.method == "GET" and "/jobs/landfall-landfall_" in _path(asked)


def is_done(answered: Answered) -> bool:
    """Tell whether a job is done, by BigQuery's answer."""
    return answered.status == 200 and json.loads(answered.body)["status"]["state"] == "DONE"


def _queries(words: bytes) -> Callable[[Asked], bool]:
    return lambda asked: asked.method == "POST" and words in asked.body


def _flow_is(state: bytes) -> Callable[[Asked], bool]:
    return lambda asked: (
        asked.method == "POST"
        and "/flow_runs/" in asked.path
        and asked.path.endswith("/set_state")
        and state in asked.body
    )


def _task_is(state: str, name: str) -> Callable[[Asked], bool]:
    def asks(asked: Asked) -> bool:
        resource = asked.event.get("resource", {})
        return asked.event.get("event") == f"prefect.task-run.{state}" and str(
            resource.get("prefect.resource.name", "")
        ).startswith(name)

    return asks


BOUNDARIES = (
    Boundary("flow run begins", PREFECT, _flow_is(b"RUNNING")),
    Boundary("look at the source", PUBLISHER, _is_file("HEAD")),
    Boundary("request", PUBLISHER, _is_file("GET")),
    Boundary("first byte", PUBLISHER, _is_file("GET"), at=lambda _size: 0),
    Boundary("middle of body", PUBLISHER, _is_file("GET"), at=lambda size: size // 2),
    Boundary("last byte", PUBLISHER, _is_file("GET"), at=lambda size: size - 1),
    Boundary("upload opened", STORAGE, _opens_upload),
    Boundary("upload part", STORAGE, _is_part(last=False)),
    Boundary("last part", STORAGE, _is_part(last=True)),
    Boundary("finalised", STORAGE, _lists_log, since=_is_part(last=True)),
    Boundary("second look", PUBLISHER, _is_file("HEAD"), since=_is_file("GET")),
    Boundary("claim", STORAGE, is_claim),
    Boundary("superseded object copied", STORAGE, _supersedes("POST")),
    Boundary("superseded object deleted", STORAGE, _supersedes("DELETE")),
    Boundary("older job waited for", WAREHOUSE, asks_for_job, until=is_load),
    Boundary("table made", WAREHOUSE, _makes_table(b'"parcels"'), world="first"),
    Boundary("job sent", WAREHOUSE, is_load),
    Boundary("job running", WAREHOUSE, asks_for_job, since=is_load),
    Boundary("job done", WAREHOUSE, asks_for_job, answers=is_done, since=is_load),
    Boundary("rows counted", WAREHOUSE, _queries(b"SELECT COUNT(*) FROM")),
    Boundary("ledger made", WAREHOUSE, _makes_table(b'"landings"'), world="first"),
    Boundary("ledger written", WAREHOUSE, _queries(b"INSERT INTO")),
    Boundary("task state reported", PREFECT, _task_is("Completed", "parcels ")),
    Boundary("flow run ends", PREFECT, _flow_is(b"COMPLETED")),
)
BY_NAME = {boundary.name: boundary for boundary in BOUNDARIES}
