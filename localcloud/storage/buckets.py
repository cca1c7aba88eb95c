"""Calls on buckets; the resource and IAM policies are the emulator's, which stores them and enforces none.

Versioning, lifecycle, soft deletion and the like are kept and shown, not acted on.
Source: https://cloud.google.com/storage/docs/json_api/v1/buckets
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from gcp_storage_emulator.exceptions import Conflict
from gcp_storage_emulator.handlers import buckets as emulator

from localcloud.storage.errors import ApiError, Invalid, NoSuchBucket, NotImplementedHere
from localcloud.storage.exchange import Request, Response
from localcloud.storage.listing import next_token, page_size, page_token
from localcloud.storage.preconditions import conditions_in, require
from localcloud.storage.store import Store

_KEPT = frozenset(
    {
        "autoclass",
        "billing",
        "cors",
        "defaultEventBasedHold",
        "encryption",
        "iamConfiguration",
        "labels",
        "lifecycle",
        "location",
        "logging",
        "rpo",
        "softDeletePolicy",
        "storageClass",
        "versioning",
        "website",
    }
)
_MERGED = ("labels", "iamConfiguration")  # key by key in a patch
_IGNORED = frozenset(
    {
        "kind",
        "id",
        "selfLink",
        "projectNumber",
        "name",
        "timeCreated",
        "updated",
        "metageneration",
        "locationType",
        "etag",
        "owner",
        "generation",
        "satisfiesPZI",
        "satisfiesPZS",
    }
)
# gcsfs always asks for these; they keep everything within the project, which is all that there is here
DEFAULT_ACLS = {"predefinedAcl": "projectPrivate", "predefinedDefaultObjectAcl": "bucketOwnerFullControl"}
_MULTI_REGIONS = ("US", "EU", "ASIA")
_UNSHOWN = ("acl", "defaultObjectAcl")  # the emulator's empty ones; Google shows none under uniform access


def list_buckets(store: Store, request: Request) -> Response:
    """Send one page of all buckets; every project is the same here."""
    query = request.query
    prefix, after = query.get("prefix", ""), page_token(query)
    with store.lock:
        known = store.catalogue.buckets
        left = sorted(name for name in known if name.startswith(prefix) and name > after)
        page = left[: page_size(query)]
        body: dict[str, Any] = {"kind": "storage#buckets", "items": [known[name] for name in page]}
    if len(left) > len(page):
        body["nextPageToken"] = next_token(page[-1])
    return Response(document=body)


def insert(store: Store, request: Request) -> Response:
    """Make a bucket.

    Raises:
        ApiError: with 409 when there is one of the name.
    """
    asked = request.json()
    name = asked.get("name")
    if not isinstance(name, str) or not _is_name(name):
        raise Invalid(f"Invalid bucket name: {name!r}")
    settings = _settings_in(asked)
    for parameter, default in DEFAULT_ACLS.items():
        if request.query.get(parameter, default) != default:
            raise NotImplementedHere(f"{parameter}={request.query[parameter]}")
    with store.change() as change:
        plain = emulator.create_bucket(name, store.catalogue)
        if not plain:
            raise ApiError(409, "conflict", f"You already own the bucket {name}. Please select another name.")
        made = _with(plain, settings, metageneration=1)
        store.catalogue.buckets[name] = made
        change.save_buckets()
    return Response(document=made)


def get(store: Store, request: Request) -> Response:
    """Send a bucket's resource."""
    with store.lock:
        bucket = _named(store, request)
        require(conditions_in(request.query), bucket, reading=True)
    return Response(document=bucket)


def patch(store: Store, request: Request) -> Response:
    """Change what the body names; null removes, also a single label."""
    settings = _settings_in(request.json())
    with store.change() as change:
        bucket = _named(store, request)
        require(conditions_in(request.query), bucket)
        later = _with(bucket, settings, metageneration=int(bucket["metageneration"]) + 1)
        if later["location"] != bucket["location"]:
            raise Invalid(f"The location of {bucket['name']} is {bucket['location']} and cannot be changed")
        store.catalogue.buckets[bucket["name"]] = later
        change.save_buckets()
    return Response(document=later)


def delete(store: Store, request: Request) -> Response:
    """Delete an empty bucket.

    Raises:
        ApiError: with 409 when it is not empty.
    """
    with store.change() as change:
        bucket = _named(store, request)
        require(conditions_in(request.query), bucket)
        try:
            store.catalogue.delete_bucket(bucket["name"])
        except Conflict as error:
            raise ApiError(409, "conflict", "The bucket you tried to delete is not empty.") from error
        change.save_buckets()
    return Response(204)


def storage_layout(store: Store, request: Request) -> Response:
    """Send where the bucket lies; gcloud asks before it lists."""
    with store.lock:
        bucket = _named(store, request)
    place = {key: bucket[key] for key in ("location", "locationType")}
    layout = {"kind": "storage#storageLayout", "bucket": bucket["name"], **place}
    return Response(document={**layout, "hierarchicalNamespace": {"enabled": False}})


class _Asked:
    """What the emulator's handlers read of a request."""

    def __init__(self, request: Request) -> None:
        self.params = {"bucket_name": request.params["bucket"]}
        self.query = {"permissions": request.query_all("permissions")}
        self.data = request.json()


class _Answer:
    """What the emulator's handlers write of a reply."""

    status = HTTPStatus.OK

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}

    def json(self, document: dict[str, Any]) -> None:
        """Take the reply's body."""
        self.document = document


def by_emulator(handler: Callable[[_Asked, _Answer, Any], None]) -> Callable[[Store, Request], Response]:
    """Let one of the emulator's own handlers answer; it knows one refusal, a missing bucket."""

    def answer(store: Store, request: Request) -> Response:
        asked, answered = _Asked(request), _Answer()
        with store.change() as change:
            handler(asked, answered, store.catalogue)
            if answered.status == HTTPStatus.NOT_FOUND:
                raise NoSuchBucket(request.params["bucket"])
            change.save_buckets()
        return Response(document=answered.document)

    return answer


def _named(store: Store, request: Request) -> dict[str, Any]:
    bucket = store.catalogue.buckets.get(request.params["bucket"])
    if bucket is None:
        raise NoSuchBucket(request.params["bucket"])
    return bucket


def _is_name(name: str) -> bool:
    """Say whether Google would take a bucket's name: https://cloud.google.com/storage/docs/naming."""
    long = len(name) > 222 or any(len(component) > 63 for component in name.split("."))
    taken = name.startswith("goog") or "google" in name or re.fullmatch(r"\d+(\.\d+){3}", name) is not None
    return re.fullmatch(r"[a-z0-9][-_.a-z0-9]+[a-z0-9]", name) is not None and not long and not taken


def _settings_in(asked: dict[str, Any]) -> dict[str, Any]:
    for field, value in asked.items():
        if field not in _KEPT | _IGNORED and value:
            raise NotImplementedHere(f"the bucket field {field!r}")
    return {field: asked[field] for field in asked.keys() & _KEPT}


def _with(bucket: dict[str, Any], settings: dict[str, Any], metageneration: int) -> dict[str, Any]:
    """Return another resource, since readers may be sending the present one."""
    later = {**bucket, **settings, "metageneration": str(metageneration), "etag": f"bucket-{metageneration}"}
    for field in _MERGED:
        if settings.get(field):
            merged = {**(bucket.get(field) or {}), **settings[field]}
            later[field] = {key: value for key, value in merged.items() if value is not None}
    later["location"] = str(later["location"] or "US").upper()
    later["locationType"] = _location_type(later["location"])
    return {field: value for field, value in later.items() if value is not None and field not in _UNSHOWN}


def _location_type(location: str) -> str:
    if location in _MULTI_REGIONS:
        return "multi-region"
    return "region" if "-" in location else "dual-region"  # EUROPE-WEST1, NAM4
