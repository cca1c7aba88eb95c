"""Google's discovery documents as a judge: what of a request and its answer is not in them.

A request that is refused (4xx, 501) may hold anything: that is what the refusal is for. A request that is served must
hold only parameters and fields that Google's method has, and so must every answer, each of Google's type.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# in no document: the session of an upload, and what Google's own client sends with jobs.get
_UNDOCUMENTED = {"upload_id", "projection"}
_DIGITS = re.compile(r"-?\d+")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
    "array": list,
    "object": dict,
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, as they went over the wire; names of headers are in lower case."""

    verb: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes


@dataclass(frozen=True, slots=True)
class _Method:
    name: str
    verb: str
    path: re.Pattern[str]
    upload: re.Pattern[str] | None
    described: Mapping[str, Any]


class Judge:
    """One service's document, `bigquery.v2` or `storage.v1`."""

    def __init__(self, document: str) -> None:
        path = files("googleapiclient") / "discovery_cache" / "documents" / f"{document}.json"
        self._document = json.loads(path.read_text())
        self._schemas = self._document["schemas"]
        self._base = "/" + self._document["servicePath"]
        self._methods = [self._method(each) for each in _methods(self._document)]

    def deviations(self, exchange: Exchange) -> list[str]:
        """List what of an exchange Google's document does not have; nothing for other paths than the API's."""
        address = urlsplit(exchange.target)
        found = self._find(exchange.verb, address.path)
        said = f"{exchange.verb} {address.path} -> {exchange.status}"
        if found is None:
            is_api = any(address.path.startswith(start + self._base) for start in ("", "/upload", "/resumable/upload"))
            return [f"{said}: no method of Google's"] if is_api and exchange.status < 400 else []
        problems = list(self._answer(found, exchange))
        if exchange.status < 400:
            problems += self._parameters(found, dict(parse_qsl(address.query, keep_blank_values=True)))
            problems += self._request(found, exchange)
        return [f"{found.name}, {said}: {problem}" for problem in problems]

    def _find(self, verb: str, path: str) -> _Method | None:
        for method in self._methods:
            if method.upload and method.upload.fullmatch(path):
                return method
            if method.verb == verb and method.path.fullmatch(path):
                return method
        return None

    def _parameters(self, method: _Method, given: Mapping[str, str]) -> Iterator[str]:
        known = {**self._document["parameters"], **method.described.get("parameters", {})}
        for name, value in given.items():
            described = known.get(name)
            if described is None:
                if name not in _UNDOCUMENTED:
                    yield f"the parameter {name} is none of Google's"
            elif described["type"] == "integer" and not _DIGITS.fullmatch(value):
                yield f"the parameter {name} is {value!r}, expected an integer"
            elif described["type"] == "boolean" and value.lower() not in {"true", "false"}:
                yield f"the parameter {name} is {value!r}, expected a boolean"

    def _request(self, method: _Method, exchange: Exchange) -> Iterator[str]:
        schema = method.described.get("request")
        sent = _json_of(exchange.headers.get("content-type", ""), exchange.body)
        if schema and sent is not None:
            yield from self._check(schema, sent, "request", nulls=True)

    def _answer(self, method: _Method, exchange: Exchange) -> Iterator[str]:
        said = _json_of(exchange.answer_headers.get("content-type", ""), exchange.answer)
        if exchange.status >= 400:
            yield from _error(exchange, said)
            return
        if "alt=media" in exchange.target or exchange.status != 200:
            return
        schema = method.described.get("response")
        if schema and said is None and not (method.upload and method.upload.fullmatch(urlsplit(exchange.target).path)):
            yield "the answer is no JSON"
        elif schema and said is not None:
            yield from self._check(schema, said, "answer", nulls=False)

    def _check(self, schema: Mapping[str, Any], value: Any, where: str, *, nulls: bool) -> Iterator[str]:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema.get("type", "any")
        if value is None:
            if not nulls and kind != "any":
                yield f"{where} is null"
        elif kind != "any" and not _is_a(kind, value, lenient=nulls):
            yield f"{where} is {value!r:.60}, expected {kind}"
        elif schema.get("format") in {"int64", "uint64"} and not _DIGITS.fullmatch(str(value)):
            yield f"{where} is {value!r:.60}, expected digits"
        elif kind == "array":
            for index, item in enumerate(value[:50]):  # the rows of a page are alike
                yield from self._check(schema["items"], item, f"{where}[{index}]", nulls=nulls)
        elif kind == "object":
            yield from self._check_object(schema, value, where, nulls=nulls)

    def _check_object(
        self, schema: Mapping[str, Any], value: Mapping[str, Any], where: str, *, nulls: bool
    ) -> Iterator[str]:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            described = properties.get(name, others)
            if described is None:
                yield f"{where}.{name} is no field of Google's {schema.get('id', 'object')}"
            else:
                yield from self._check(described, inner, f"{where}.{name}", nulls=nulls)

    def _method(self, described: Mapping[str, Any]) -> _Method:
        path = described.get("flatPath", described["path"])
        upload = described.get("mediaUpload")
        return _Method(
            described["id"],
            described["httpMethod"],
            _pattern(self._base + path),
            _pattern("(?:/resumable)?" + upload["protocols"]["simple"]["path"]) if upload else None,
            described,
        )


def _methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)
    yield from resource.get("methods", {}).values()


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]*\}", "[^/]+", template))


def _is_a(kind: str, value: Any, *, lenient: bool) -> bool:
    """Say whether a value is of a document's type; Google takes numbers as texts and texts as numbers in requests."""
    if isinstance(value, bool) and kind != "boolean":
        return False
    if lenient and kind in {"string", "integer", "number"}:
        return isinstance(value, (str, int, float))
    return isinstance(value, _TYPES[kind])


def _error(exchange: Exchange, said: Any) -> Iterator[str]:
    """An error tells its code again, a message, and at least one reason."""
    if exchange.verb == "HEAD" or "alt=media" in exchange.target or exchange.status in {412, 416, 499}:
        return  # what has no body, or speaks of bytes
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, dict):
        yield f"the answer is {exchange.answer!r:.60}, expected Google's error"
    elif error.get("code") != exchange.status or not error.get("message") or not error.get("errors"):
        yield f"the error is {error!r:.200}, expected code, message and errors"


def _json_of(content_type: str, body: bytes) -> Any:
    """Read JSON, also from the first part of a multipart body; None where there is none."""
    if content_type.startswith("multipart/related"):
        message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        parts = message.get_payload()
        body = parts[0].get_payload(decode=True) if isinstance(parts, list) and parts else b""  # type: ignore[union-attr,assignment]
    elif not content_type.startswith("application/json"):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None
