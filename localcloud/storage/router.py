"""Which call is answered by what, and which parameters it knows: all others answer 501 and are named."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from gcp_storage_emulator.handlers import buckets as emulator

from localcloud.storage import batch, buckets, copies, downloads, listing, objects, resumable, uploads, xml_api
from localcloud.storage.errors import ApiError, NotImplementedHere
from localcloud.storage.exchange import JSON_HEADERS, Request, Response, reply_error
from localcloud.storage.fields import parse_mask, select
from localcloud.storage.preconditions import PARAMETERS, SOURCE_PARAMETERS
from localcloud.storage.store import Store

Handler = Callable[[Store, Request], Response]

# these change nothing that a local cloud could do otherwise
_ANYWHERE = frozenset(
    {"alt", "fields", "key", "oauth_token", "prettyPrint", "projection", "quotaUser", "userIp", "userProject"}
)
_BUCKET_CONDITIONS = ("ifMetagenerationMatch", "ifMetagenerationNotMatch")
_REFUSED_HEADERS = ("If-Match", "If-None-Match", "Content-Encoding")
_LISTING = (
    "prefix",
    "delimiter",
    "startOffset",
    "endOffset",
    "maxResults",
    "pageToken",
    "matchGlob",
    "includeTrailingDelimiter",
    "includeFoldersAsPrefixes",  # a flat bucket has none
)


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path; `known` names its query parameters, and the headers that change its meaning."""

    method: str
    path: re.Pattern[str]
    handler: Handler
    known: frozenset[str]


def _route(method: str, template: str, handler: Handler, *known: str) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return Route(method, re.compile(pattern), handler, _ANYWHERE.union(known))


_BUCKET = "/storage/v1/b/{bucket}"
_OBJECT = _BUCKET + "/o/{object}"
# the XML API: what the JSON API begins with is no bucket's name there
_PLAIN_BUCKET = "/(?!(?:storage|upload|resumable|download|batch)/)(?P<bucket>[^/]+)"
_PLAIN_OBJECT = _PLAIN_BUCKET + "/(?P<object>.+)"
_UPLOAD = "(?:/resumable)?/upload/storage/v1/b/{bucket}/o"  # gcloud's uploads say so before /upload
_READ = (*PARAMETERS, "generation", "If-Match", "If-None-Match")
_INSERT = (*PARAMETERS, "uploadType", "upload_id", "name", "contentEncoding")
_COPY = (*PARAMETERS, *SOURCE_PARAMETERS, "sourceGeneration")
_REWRITE = (*_COPY, "maxBytesRewrittenPerCall")  # counts only between locations or storage classes, says Google

ROUTES = (
    _route("GET", "/storage/v1/b", buckets.list_buckets, "project", "prefix", "maxResults", "pageToken"),
    _route("POST", "/storage/v1/b", buckets.insert, "project", *buckets.DEFAULT_ACLS),
    _route("GET", _BUCKET, buckets.get, *_BUCKET_CONDITIONS),
    _route("PATCH", _BUCKET, buckets.patch, *_BUCKET_CONDITIONS),
    _route("DELETE", _BUCKET, buckets.delete, *_BUCKET_CONDITIONS),
    _route("GET", _BUCKET + "/storageLayout", buckets.storage_layout, "prefix"),
    _route("GET", _BUCKET + "/iam", buckets.by_emulator(emulator.get_iam_policy), "optionsRequestedPolicyVersion"),
    _route("PUT", _BUCKET + "/iam", buckets.by_emulator(emulator.set_iam_policy)),
    _route(
        "GET",
        _BUCKET + "/iam/testPermissions",
        buckets.by_emulator(emulator.test_iam_permissions),
        "permissions",
    ),
    _route("GET", _BUCKET + "/o", listing.list_objects, *_LISTING),
    _route("GET", _OBJECT, downloads.get, *_READ),
    _route("PATCH", _OBJECT, objects.patch, *PARAMETERS, "generation"),
    _route("PUT", _OBJECT, objects.update, *PARAMETERS, "generation"),
    _route("DELETE", _OBJECT, objects.delete, *PARAMETERS, "generation"),
    _route("POST", _OBJECT + "/copyTo/b/{toBucket}/o/{toObject}", copies.copy, *_COPY),
    _route("POST", _OBJECT + "/rewriteTo/b/{toBucket}/o/{toObject}", copies.rewrite, *_REWRITE),
    _route("POST", _OBJECT + "/moveTo/o/{toObject}", copies.move, *PARAMETERS, *SOURCE_PARAMETERS),
    _route("POST", _OBJECT + "/compose", copies.compose, "ifGenerationMatch", "ifMetagenerationMatch"),
    _route("GET", "/download" + _OBJECT, downloads.download, *_READ),
    _route("POST", _UPLOAD, uploads.insert, *_INSERT),
    _route("PUT", _UPLOAD, resumable.proceed, *_INSERT),
    _route("DELETE", _UPLOAD, resumable.cancel, *_INSERT),
    _route("GET", _PLAIN_OBJECT, xml_api.get, "generation"),
    _route("HEAD", _PLAIN_OBJECT, xml_api.get, "generation"),
    _route("GET", _PLAIN_BUCKET + "/?", xml_api.list_bucket, *xml_api.LIST_PARAMETERS),
    _route("POST", "/batch/storage/v1", lambda store, request: batch.answer_batch(store, request, answer)),
)


def answer(store: Store, request: Request) -> Response:
    """Answer a request; what it is refused with is an answer too. The body is read to its end."""
    try:
        fields = request.query.get("fields")
        mask = parse_mask(fields) if fields else {}  # before anything is done
        response = _handler(request)(store, request)
        if response.document is not None:
            document = select(response.document, mask) if mask else response.document
            response.headers |= JSON_HEADERS
            response.body = json.dumps(document).encode()
    except ApiError as error:
        response = reply_error(error)
    request.body.drain()
    return response


def _handler(request: Request) -> Handler:
    call = f"{request.method} {request.path}"
    for route in ROUTES:
        found = route.path.fullmatch(request.path)
        if found is None or route.method != request.method:
            continue
        for parameter, value in request.query.items():
            # what is switched off, as gcloud sends it, is what the local cloud does anyway
            if parameter not in route.known and value.lower() != "false":
                raise NotImplementedHere(f"the parameter {parameter}={value} of {call}")
        for header in request.headers:
            if _changes_meaning(header) and header.title() not in route.known:
                raise NotImplementedHere(f"the header {header!r} of {call}")
        request.params = {name: unquote(value) for name, value in found.groupdict().items()}
        return route.handler
    raise NotImplementedHere(call)


def _changes_meaning(header: str) -> bool:
    return header.title() in _REFUSED_HEADERS or header.lower().startswith("x-goog-encryption")
