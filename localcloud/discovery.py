"""Google's discovery documents: which methods an API has, and what its requests and answers hold.

google-api-python-client carries them, so no network is needed:
https://developers.google.com/discovery/v1/reference/apis
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
_DIGITS = re.compile(r"-?\d+")
_DURATION = re.compile(r"\d+(\.\d{1,9})?s")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
    "array": list,
    "object": dict,
}
_TYPE_URL = "type.googleapis.com/google."


@dataclass(frozen=True, slots=True)
class Described:
    """One of Google's methods."""

    id: str
    verb: str
    path: str  # `v2/projects/{projectsId}/...`
    parameters: Mapping[str, Schema]
    request: str | None
    response: str | None


class Document:
    """One API's document, `run.v2` say."""

    def __init__(self, name: str) -> None:
        client = find_spec("googleapiclient")  # not imported: only its files are wanted
        if client is None or client.origin is None:
            raise ModuleNotFoundError(f"{name}: google-api-python-client, which carries Google's document, is missing")
        path = Path(client.origin).parent / "discovery_cache" / "documents" / f"{name}.json"
        document = json.loads(path.read_text())
        self._schemas: Mapping[str, Schema] = document["schemas"]
        self.methods = {each["id"]: _described(each) for each in _methods(document)}

    def unknown(self, schema: str, value: Any, where: str) -> Iterator[str]:
        """Name the fields at any depth that Google does not have."""
        for path, _schema, known in self._walk({"$ref": schema}, value, where):
            if not known:
                yield path

    def problems(self, schema: str, value: Any, where: str, *, lenient: bool) -> Iterator[str]:
        """Say what of a value is not of Google's types; a request may write numbers as texts (`lenient`)."""
        for path, described, inner in self._values({"$ref": schema}, value, where):
            if problem := _problem(described, inner, lenient=lenient):
                yield f"{path}: {problem}"

    def fields(self, schema: str, value: Any) -> Iterator[tuple[str, ...]]:
        """Yield the path of every field that is set, without positions in lists and keys of maps."""
        yield from self._fields({"$ref": schema}, value, ())

    def writable(self, schema: str, value: Any) -> Any:
        """Drop what only Google sets: it ignores it in requests."""
        return self._writable({"$ref": schema}, value)

    def _resolved(self, schema: Schema, value: Any) -> Schema:
        if "$ref" in schema:
            return self._schemas[schema["$ref"]]
        named = value.get("@type", "") if isinstance(value, dict) else ""
        if isinstance(named, str) and named.startswith(_TYPE_URL):  # metadata and response of an operation
            name = "Google" + "".join(word[:1].upper() + word[1:] for word in named[len(_TYPE_URL) :].split("."))
            return self._schemas.get(name, schema)
        return schema

    def _values(self, schema: Schema, value: Any, where: str) -> Iterator[tuple[str, Schema, Any]]:
        schema = self._resolved(schema, value)
        yield where, schema, value
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._values(schema.get("items", {}), item, f"{where}[{index}]")
        elif isinstance(value, dict):
            properties, others = schema.get("properties", {}), schema.get("additionalProperties")
            for name, inner in value.items():
                described = properties.get(name, others)
                if described is not None:
                    yield from self._values(described, inner, f"{where}.{name}")

    def _walk(self, schema: Schema, value: Any, where: str) -> Iterator[tuple[str, Schema, bool]]:
        for path, described, inner in self._values(schema, value, where):
            if isinstance(inner, dict) and described.get("type") == "object":
                properties = described.get("properties", {})
                for name in inner:
                    known = name in properties or "additionalProperties" in described or name == "@type"
                    yield f"{path}.{name}", described, known

    def _fields(self, schema: Schema, value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        schema = self._resolved(schema, value)
        if isinstance(value, list):
            for item in value:
                yield from self._fields(schema.get("items", {}), item, path)
        elif isinstance(value, dict) and "properties" in schema:
            for name, inner in value.items():
                yield (*path, name)
                yield from self._fields(schema["properties"].get(name, {}), inner, (*path, name))

    def _writable(self, schema: Schema, value: Any) -> Any:
        schema = self._resolved(schema, value)
        if isinstance(value, list):
            return [self._writable(schema.get("items", {}), item) for item in value]
        if isinstance(value, dict) and "properties" in schema:
            properties = schema["properties"]
            return {
                name: self._writable(properties.get(name, {}), inner)
                for name, inner in value.items()
                if inner is not None and not properties.get(name, {}).get("readOnly")
            }
        return value


def _methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)
    yield from resource.get("methods", {}).values()


def _described(method: Mapping[str, Any]) -> Described:
    return Described(
        method["id"],
        method["httpMethod"],
        method["flatPath"],
        method.get("parameters", {}),
        method.get("request", {}).get("$ref"),
        method.get("response", {}).get("$ref"),
    )


def _problem(schema: Schema, value: Any, *, lenient: bool) -> str | None:
    kind = schema.get("type", "any")
    if kind == "any" or (value is None and lenient):
        return None
    if not _is_a(kind, value, lenient=lenient):
        return f"found {value!r:.60}, expected {kind}"
    form = schema.get("format")
    if form in {"int64", "uint64", "int32"} and not _DIGITS.fullmatch(str(value)):
        return f"found {value!r:.60}, expected digits"
    if form == "google-duration" and not _DURATION.fullmatch(str(value)):
        return f"found {value!r:.60}, expected seconds, as in 3.5s"
    if "enum" in schema and value not in schema["enum"]:
        return f"found {value!r:.60}, expected one of {', '.join(schema['enum'])}"
    return None


def _is_a(kind: str, value: Any, *, lenient: bool) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    if lenient and kind in {"integer", "number"}:
        return isinstance(value, (str, int, float))
    return isinstance(value, _TYPES[kind])
