"""The object resource: what clients may set, what the server makes of it, how a change shows.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects#resource
"""

import base64
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, cast
from urllib.parse import quote

from localcloud.storage.draft import Contents
from localcloud.storage.errors import Invalid, NotImplementedHere

_TEXTS = (
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "storageClass",
)
_SETTABLE = frozenset((*_TEXTS, "metadata"))
# Google takes whole resources back and ignores what only the server says; hashes are checked elsewhere
_IGNORED = frozenset(
    {
        "kind",
        "id",
        "selfLink",
        "mediaLink",
        "name",
        "bucket",
        "generation",
        "metageneration",
        "etag",
        "size",
        "crc32c",
        "md5Hash",
        "timeCreated",
        "updated",
        "timeFinalized",
        "timeStorageClassUpdated",
        "componentCount",
        "owner",
    }
)
_LONGEST_NAME_BYTES = 1024


class Settings(TypedDict, total=False):
    """What a client may set on an object; `None` in a patch removes."""

    cacheControl: str | None
    contentDisposition: str | None
    contentEncoding: str | None
    contentLanguage: str | None
    contentType: str | None
    customTime: str | None
    storageClass: str | None
    metadata: dict[str, str | None] | None


class ObjectResource(Settings):
    """One live generation as it is stored: Google's resource without the links, which name a port."""

    kind: str
    id: str
    bucket: str
    name: str
    generation: str
    metageneration: str
    etag: str
    size: str
    crc32c: str
    md5Hash: NotRequired[str]
    componentCount: NotRequired[int]
    timeCreated: str
    updated: str
    timeFinalized: str
    timeStorageClassUpdated: str


def settings_in(body: dict[str, Any]) -> Settings:
    """Take what a client sets from a request's body.

    Raises:
        Invalid: a value has the wrong type.
        NotImplementedHere: a field that Google has and the local cloud has not (holds, ACLs, encryption keys).
    """
    for field, value in body.items():
        if field in _TEXTS and not isinstance(value, str | None):
            raise Invalid(f"Invalid value for {field}: {value!r}")
        if field not in _SETTABLE | _IGNORED and value:
            raise NotImplementedHere(f"the object field {field!r}")
    metadata = body.get("metadata")
    if metadata is not None and not (
        isinstance(metadata, dict) and all(isinstance(value, str | None) for value in metadata.values())
    ):
        raise Invalid(f"Invalid value for metadata: {metadata!r}")
    return cast("Settings", {field: body[field] for field in body.keys() & _SETTABLE})


def settings_of(resource: ObjectResource) -> Settings:
    """Take what a copy inherits."""
    return cast("Settings", {field: value for field, value in resource.items() if field in _SETTABLE})


def promised_hashes(body: dict[str, Any]) -> dict[str, str]:
    """Take the hashes that a client gave beside its metadata."""
    return {field: str(body[field]) for field in ("crc32c", "md5Hash") if body.get(field)}


def valid_name(name: object) -> str:
    """Return an object's name, or refuse what Google refuses.

    Source: https://cloud.google.com/storage/docs/naming-objects
    """
    if not isinstance(name, str) or not name:
        raise Invalid("Required parameter: name", "required")
    taken = name in {".", ".."} or name.startswith(".well-known/acme-challenge/")
    if len(name.encode()) > _LONGEST_NAME_BYTES or taken or "\n" in name or "\r" in name:
        raise Invalid(f"Invalid object name: {name!r}")
    return name


def new_resource(
    bucket: str,
    name: str,
    generation: int,
    contents: Contents,
    settings: Settings,
) -> ObjectResource:
    """Describe a new generation."""
    now = _now()
    resource: ObjectResource = {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{generation}",
        "bucket": bucket,
        "name": name,
        "generation": str(generation),
        "metageneration": "1",
        "etag": etag(generation, 1),
        "size": str(contents.size),
        "crc32c": contents.crc32c,
        "contentType": "application/octet-stream",
        "storageClass": "STANDARD",
        "timeCreated": now,
        "updated": now,
        "timeFinalized": now,
        "timeStorageClassUpdated": now,
    }
    if contents.md5 is not None:
        resource["md5Hash"] = contents.md5
    if contents.components is not None:
        resource["componentCount"] = contents.components
    return _with(resource, settings)


def changed(resource: ObjectResource, changes: Settings, *, whole: bool) -> ObjectResource:
    """Return the resource one metageneration later.

    A patch (`whole=False`) merges metadata key by key; an update replaces all that a client may set.

    Raises:
        Invalid: a custom time would be removed or moved back, which Google forbids.
    """
    old_time, new_time = resource.get("customTime"), changes.get("customTime")
    if old_time and (whole or "customTime" in changes) and (new_time is None or new_time < old_time):
        raise Invalid("Custom time cannot be removed or set to an earlier date and time.")
    base = resource.copy()
    if whole:
        kept = {"storageClass"}
        base = cast("ObjectResource", {k: v for k, v in resource.items() if k not in _SETTABLE - kept})
    later = _with(base, changes)
    metageneration = int(resource["metageneration"]) + 1
    later["metageneration"] = str(metageneration)
    later["etag"] = etag(int(resource["generation"]), metageneration)
    later["updated"] = _now()
    return later


def linked(resource: ObjectResource, base_url: str) -> dict[str, Any]:
    """Return the resource as clients get it: with links to the server that they asked."""
    path = f"/storage/v1/b/{resource['bucket']}/o/{quote(resource['name'], safe='')}"
    media = f"{base_url}/download{path}?generation={resource['generation']}&alt=media"
    return {**resource, "selfLink": base_url + path, "mediaLink": media}


def etag(generation: int, metageneration: int) -> str:
    """Return a tag that is another for each generation and metageneration."""
    return base64.b64encode(f"{generation}/{metageneration}".encode()).decode()


def _with(resource: ObjectResource, settings: Settings) -> ObjectResource:
    fields: dict[str, Any] = {**resource, **settings}
    if settings.get("metadata"):
        merged = {**(resource.get("metadata") or {}), **(settings["metadata"] or {})}
        fields["metadata"] = {key: value for key, value in merged.items() if value is not None}
    return cast("ObjectResource", {field: value for field, value in fields.items() if value not in (None, {})})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
