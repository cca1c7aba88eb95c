"""Patch and update: how a request changes what is kept."""

from __future__ import annotations

import json
from typing import TypeVar

from localcloud.bigquery.faults import Fault
from localcloud.bigquery.parsing import parse
from localcloud.bigquery.resources import Dataset, Table
from localcloud.bigquery.rest.methods import Call

R = TypeVar("R", Dataset, Table)


def without(given: R, output_only: frozenset[str]) -> R:
    """Drop what a request repeats from an earlier answer: only the server says it."""
    return given.model_copy(update=dict.fromkeys(output_only))


def patched(model: type[R], call: Call, old: R, output_only: frozenset[str], reference: str) -> R:
    """Merge a patch: a null removes, labels merge one by one, everything else is replaced.

    An update (PUT) is a patch that removes what it does not mention.

    Raises:
        Fault: notImplemented or invalid, as for any body.
    """
    body = json.loads(call.body or b"{}")
    if isinstance(body, dict):
        body.setdefault(reference, old.to_json()[reference])
    given = parse(model, json.dumps(body), call.method, keep_nulls=True)
    mentioned = set(model.model_fields) if call.method.endswith(".update") else given.model_fields_set
    update = {name: getattr(given, name) for name in mentioned - output_only}
    if given.labels is not None:
        kept = {} if call.method.endswith(".update") else old.labels or {}
        update["labels"] = {key: value for key, value in {**kept, **given.labels}.items() if value is not None}
    return old.model_copy(update=update)


def check_etag(call: Call, etag: str | None) -> None:
    """Refuse a change of something that has changed since the caller read it.

    Raises:
        Fault: conditionNotMet.
    """
    if call.if_match not in {None, "*", etag}:
        raise Fault("conditionNotMet", "Precondition Failed")
