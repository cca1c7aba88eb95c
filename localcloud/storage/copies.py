"""Server-side copies: copy, rewrite, move and compose.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from localcloud.storage.change import Change
from localcloud.storage.draft import pieces_of
from localcloud.storage.errors import Invalid
from localcloud.storage.exchange import Request, Response
from localcloud.storage.preconditions import conditions_in, exclusive, require
from localcloud.storage.resource import ObjectResource, linked, settings_in, settings_of, valid_name
from localcloud.storage.store import Store

_MOST_SOURCES = 32  # of one compose call


def copy(store: Store, request: Request) -> Response:
    """Make a new object of another's bytes and metadata; what the body sets wins."""
    with store.change() as change:
        resource = _copied(store, request, change, request.params["toBucket"])
    return Response(document=linked(resource, request.base_url))


def rewrite(store: Store, request: Request) -> Response:
    """Copy in one call, as Google does where location and storage class stay."""
    with store.change() as change:
        resource = _copied(store, request, change, request.params["toBucket"])
    progress = {"totalBytesRewritten": resource["size"], "objectSize": resource["size"], "done": True}
    body = {"kind": "storage#rewriteResponse", **progress, "resource": linked(resource, request.base_url)}
    return Response(document=body)


def move(store: Store, request: Request) -> Response:
    """Rename an object: nobody ever sees two or none."""
    bucket, name, target = (request.params[key] for key in ("bucket", "object", "toObject"))
    if name == target:
        raise Invalid(f"The source and destination objects are the same: {bucket}/{name}")
    with store.change() as change:
        source = store.find(bucket, name)
        for prefix in ("if", "ifSource"):
            exclusive(conditions_in(request.query, prefix))
        resource = _copied(store, request, change, bucket)
        change.remove(source)
    return Response(document=linked(resource, request.base_url))


def compose(store: Store, request: Request) -> Response:
    """Concatenate objects of one bucket; the sources are pinned before their bytes are read."""
    bucket, target = request.params["bucket"], valid_name(request.params["object"])
    body = request.json()
    named, conditions = body.get("sourceObjects") or [], conditions_in(request.query)
    settings = settings_in(body.get("destination") or {})
    if not 1 <= len(named) <= _MOST_SOURCES:
        raise Invalid(f"{len(named)} source objects given, expected 1 to {_MOST_SOURCES}")
    with ExitStack() as open_files, store.drafting() as draft:
        with store.lock:
            require(conditions, store.catalogue.live(bucket, target))
            sources = [_source(store, bucket, each) for each in named]
            files = [open_files.enter_context(store.open(source)) for source in sources]
        if len({source.get("storageClass") for source in sources}) > 1:
            raise Invalid("The source objects must have the same storage class")
        for file in files:
            draft.receive(pieces_of(file))
        components = sum(source.get("componentCount", 1) for source in sources)
        settings.setdefault("contentType", sources[0].get("contentType"))
        settings.setdefault("storageClass", sources[0].get("storageClass"))
        with store.change() as change:
            require(conditions, store.catalogue.live(bucket, target))
            contents = replace(draft.contents(), md5=None, components=components)
            if body.get("deleteSourceObjects"):
                for source in {source["name"]: source for source in sources}.values():
                    if source["name"] != target and store.catalogue.live(bucket, source["name"]) == source:
                        change.remove(source)
            resource = change.publish(bucket, target, contents, settings)
    return Response(document=linked(resource, request.base_url))


def _copied(store: Store, request: Request, change: Change, to_bucket: str) -> ObjectResource:
    query, target = request.query, valid_name(request.params["toObject"])
    settings = settings_in(request.json())
    source = store.find(request.params["bucket"], request.params["object"], query.get("sourceGeneration"))
    require(conditions_in(query, "ifSource"), source)
    require(conditions_in(query), store.catalogue.live(to_bucket, target))
    inherited = settings_of(source)
    inherited.update(settings)
    return change.publish(to_bucket, target, store.contents(source), inherited)


def _source(store: Store, bucket: str, named: dict[str, Any]) -> ObjectResource:
    generation = named.get("generation")
    source = store.find(bucket, valid_name(named.get("name")), str(generation) if generation else None)
    require(conditions_in(named.get("objectPreconditions") or {}), source)
    return source
