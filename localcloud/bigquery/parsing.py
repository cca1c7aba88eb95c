"""JSON from a client into a resource; what is not understood becomes a 501 that names method and field."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from localcloud.bigquery.faults import Fault, not_implemented
from localcloud.bigquery.resources import Resource

R = TypeVar("R", bound=Resource)


def parse(model: type[R], raw: bytes | str, method: str, *, keep_nulls: bool = False) -> R:
    """Read a request's body.

    A null means nothing outside a patch, so it is dropped unless `keep_nulls`.

    Raises:
        Fault: notImplemented for an unknown field or value at any depth, required for a missing field, invalid for
            everything else.
    """
    try:
        given = json.loads(raw) if raw else {}
    except ValueError as error:
        raise Fault("invalid", f"Invalid JSON payload received: {error}") from error
    try:
        return model.model_validate(given if keep_nulls else _without_nulls(given), by_alias=True, by_name=False)
    except ValidationError as error:
        raise _fault(error.errors(), method) from error


def restore(model: type[R], stored: str) -> R:
    """Read back what this server wrote."""
    return model.model_validate_json(stored, by_alias=True, by_name=False)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


def _fault(errors: list[ErrorDetails], method: str) -> Fault:
    """Choose the error to tell: what this server lacks comes before what the client did wrong."""
    for error in errors:
        path = _path(error)
        if error["type"] == "extra_forbidden":
            return not_implemented(f"{method}: the field {path}")
        if error["type"] == "not_implemented":
            return not_implemented(f"{method}: {path} = {error['msg']}")
    first = errors[0]
    if first["type"] == "missing":
        return Fault("required", f"Required parameter is missing: {_path(first)}")
    return Fault("invalid", f"Invalid value at {_path(first)}: {first['msg']}")


def _path(error: ErrorDetails) -> str:
    return ".".join(to_camel(part) if isinstance(part, str) else str(part) for part in error["loc"])
