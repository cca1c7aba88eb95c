"""Calls on one object's metadata.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from localcloud.storage.exchange import Request, Response
from localcloud.storage.preconditions import conditions_in, require, require_etag
from localcloud.storage.resource import ObjectResource, changed, linked, settings_in
from localcloud.storage.store import Store


def readable(store: Store, request: Request) -> ObjectResource:
    """Return the object that a reader names, if its conditions hold; under the store's lock."""
    resource = _named(store, request)
    require(conditions_in(request.query), resource, reading=True)
    require_etag(request.header("If-Match"), request.header("If-None-Match"), resource["etag"])
    return resource


def describe(store: Store, request: Request) -> Response:
    """Send an object's metadata."""
    with store.lock:
        resource = readable(store, request)
    return Response(document=linked(resource, request.base_url))


def patch(store: Store, request: Request) -> Response:
    """Change what the body names; null removes."""
    return _change(store, request, whole=False)


def update(store: Store, request: Request) -> Response:
    """Replace all that a client may set."""
    return _change(store, request, whole=True)


def delete(store: Store, request: Request) -> Response:
    """Delete the live object; there are no other versions, and no soft deletion."""
    with store.change() as change:
        resource = _named(store, request)
        require(conditions_in(request.query), resource)
        change.remove(resource)
    return Response(204)


def _change(store: Store, request: Request, *, whole: bool) -> Response:
    settings = settings_in(request.json())
    with store.change() as change:
        resource = _named(store, request)
        require(conditions_in(request.query), resource)
        later = changed(resource, settings, whole=whole)
        change.replace(later)
    return Response(document=linked(later, request.base_url))


def _named(store: Store, request: Request) -> ObjectResource:
    return store.find(request.params["bucket"], request.params["object"], request.query.get("generation"))
