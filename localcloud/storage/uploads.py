"""Uploads in one request: `media` is the bytes alone, `multipart` has metadata before them.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects/insert
"""

from localcloud.storage import resumable
from localcloud.storage.draft import Draft
from localcloud.storage.errors import Invalid
from localcloud.storage.exchange import Request, Response, parsed_json
from localcloud.storage.intent import Intent
from localcloud.storage.multipart import stream_parts
from localcloud.storage.preconditions import require
from localcloud.storage.resource import linked
from localcloud.storage.store import Store


def insert(store: Store, request: Request) -> Response:
    """Upload an object, or open a session that will."""
    query = request.query
    if "upload_id" in query:  # some clients continue with POST
        return resumable.proceed(store, request)
    kind = query.get("uploadType")
    if kind == "resumable":
        return resumable.begin(store, request)
    if kind == "media":
        return _media(store, request)
    if kind == "multipart":
        return _multipart(store, request)
    raise Invalid(f"Invalid value for uploadType: {kind!r}")


def _media(store: Store, request: Request) -> Response:
    intent = Intent.of(request, {}, request.header("Content-Type"))
    with store.drafting() as draft:
        draft.receive(request.body.pieces())  # raises if the client goes away: half an object is none
        return _publish(store, request, intent, draft)


def _multipart(store: Store, request: Request) -> Response:
    metadata, headers, media = stream_parts(request.body.pieces(), request.header("Content-Type") or "")
    intent = Intent.of(request, parsed_json(metadata.content), headers.get("Content-Type"))
    with store.drafting() as draft:
        draft.receive(media)
        return _publish(store, request, intent, draft)


def _publish(store: Store, request: Request, intent: Intent, draft: Draft) -> Response:
    contents = draft.contents()
    contents.require(intent.promised)
    with store.change() as change:
        require(intent.conditions, store.catalogue.live(intent.bucket, intent.name))
        resource = change.publish(intent.bucket, intent.name, contents, intent.settings)
    return Response(document=linked(resource, request.base_url))
