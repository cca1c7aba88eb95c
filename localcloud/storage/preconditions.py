"""Google's preconditions on generation and metageneration: the base of every safe retry.

Source: https://cloud.google.com/storage/docs/request-preconditions
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from localcloud.storage.errors import Invalid, PreconditionFailed

KINDS = ("GenerationMatch", "GenerationNotMatch", "MetagenerationMatch", "MetagenerationNotMatch")
PARAMETERS = tuple(f"if{kind}" for kind in KINDS)
SOURCE_PARAMETERS = tuple(f"ifSource{kind}" for kind in KINDS)

Conditions: TypeAlias = dict[str, int]  # by kind; plain, so that an upload session can be stored with its own


def conditions_in(query: Mapping[str, Any], prefix: str = "if") -> Conditions:
    """Take the preconditions from a query or a JSON object.

    Raises:
        Invalid: one of them is not a number.
    """
    conditions: Conditions = {}
    for kind in KINDS:
        value = query.get(prefix + kind)
        if value is None:
            continue
        if not str(value).isdecimal():
            raise Invalid(f"Invalid value for {prefix}{kind}: {value!r}")
        conditions[kind] = int(value)
    return conditions


def exclusive(conditions: Conditions) -> Conditions:
    """Return the conditions of a move, which takes none together with its opposite.

    Raises:
        Invalid: it has both.
    """
    for what in ("Generation", "Metageneration"):
        if {f"{what}Match", f"{what}NotMatch"} <= conditions.keys():
            raise Invalid(f"if{what}Match and if{what}NotMatch are mutually exclusive")
    return conditions


def require(conditions: Conditions, live: Mapping[str, Any] | None, *, reading: bool = False) -> None:
    """Hold the preconditions against what is live now; generation 0 stands for "no live object".

    "If no live object exists", says Google, the condition on what the generation is not "fails" too.

    The caller holds the store's lock until its change is committed: that makes one winner of many racers.

    Raises:
        PreconditionFailed: with 412, or 304 where a reader has asked for "only if it changed".
    """
    generation = int(live.get("generation", 0)) if live is not None else 0
    metageneration = int(live["metageneration"]) if live is not None else None
    found = f"generation {generation}, metageneration {metageneration}"
    for what, is_ in (("Generation", generation), ("Metageneration", metageneration)):
        wanted, unwanted = conditions.get(f"{what}Match"), conditions.get(f"{what}NotMatch")
        if wanted is not None and wanted != is_:
            raise PreconditionFailed(found)
        missing = what == "Generation" and live is None
        if unwanted is not None and (unwanted == is_ or missing):
            raise PreconditionFailed(found, status=304 if reading else 412)


def require_etag(wanted: str | None, unwanted: str | None, etag: str) -> None:
    """Hold a reader's If-Match and If-None-Match against an object's etag.

    Raises:
        PreconditionFailed: with 412 for If-Match, 304 for If-None-Match.
    """
    if wanted is not None and etag not in _tags(wanted) and wanted.strip() != "*":
        raise PreconditionFailed(f"etag {etag}")
    if unwanted is not None and (etag in _tags(unwanted) or unwanted.strip() == "*"):
        raise PreconditionFailed(f"etag {etag}", status=304)


def _tags(header: str) -> set[str]:
    return {tag.strip().strip('"') for tag in header.split(",")}
