"""The XML API's reads: an object by its plain address, and a bucket's list; what is not Google's reads this way.

DuckDB, Polars and whatever opens `https://storage.googleapis.com/<bucket>/<object>` use it.
Source: https://cloud.google.com/storage/docs/xml-api/reference-methods
"""

import base64
from datetime import datetime
from email.utils import format_datetime

# it writes XML and reads none
from xml.etree.ElementTree import Element, SubElement, tostring  # nosec B405

from localcloud.storage import downloads
from localcloud.storage.errors import ApiError, Invalid
from localcloud.storage.exchange import Request, Response
from localcloud.storage.listing import next_token, page_of
from localcloud.storage.resource import ObjectResource
from localcloud.storage.store import Store

LIST_PARAMETERS = (
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "start-after",
    "continuation-token",
    "encoding-type",
)
_HEADERS = {"Content-Type": "application/xml; charset=UTF-8"}
# as Google names them: https://cloud.google.com/storage/docs/xml-api/reference-status
_CODES = {400: "InvalidArgument", 404: "NoSuchKey", 412: "PreconditionFailed", 416: "InvalidRange"}


def get(store: Store, request: Request) -> Response:
    """Send an object's bytes, to HEAD its headers alone; a refusal is XML too."""
    try:
        with store.lock:
            resource = store.find(request.params["bucket"], request.params["object"])
            response = downloads.download(store, request)
    except ApiError as error:
        if error.status in {304, 501}:
            raise
        return _refusal(error)
    response.headers |= {"ETag": _etag(resource), "Last-Modified": _http_date(resource["updated"])}
    return response


def list_bucket(store: Store, request: Request) -> Response:
    """Send one page of a bucket's objects, in the list's second version."""
    query = request.query
    try:
        if query.get("list-type") != "2":
            raise Invalid(f"list-type is {query.get('list-type')!r}, the local cloud knows 2")
        asked = {"prefix": query.get("prefix", ""), "delimiter": query.get("delimiter", "")}
        if "max-keys" in query:
            asked["maxResults"] = query["max-keys"]
        if token := query.get("continuation-token"):
            asked["pageToken"] = token
        elif after := query.get("start-after"):
            asked["pageToken"] = next_token(after)
        page = page_of(store, request.params["bucket"], asked)
    except ApiError as error:
        return _refusal(error)
    root = Element("ListBucketResult", xmlns="http://doc.s3.amazonaws.com/2006-03-01")
    _add(root, "Name", request.params["bucket"])
    _add(root, "Prefix", asked["prefix"])
    _add(root, "KeyCount", str(len(page.objects) + len(page.prefixes)))
    _add(root, "IsTruncated", "true" if page.token else "false")
    if page.token:
        _add(root, "NextContinuationToken", page.token)
    for resource in page.objects:
        row = SubElement(root, "Contents")
        _add(row, "Key", resource["name"])
        _add(row, "Generation", resource["generation"])
        _add(row, "MetaGeneration", resource["metageneration"])
        _add(row, "LastModified", resource["updated"])
        _add(row, "ETag", _etag(resource))
        _add(row, "Size", resource["size"])
    for prefix in page.prefixes:
        _add(SubElement(root, "CommonPrefixes"), "Prefix", prefix)
    return Response(headers=dict(_HEADERS), body=_document(root))


def _refusal(error: ApiError) -> Response:
    root = Element("Error")
    _add(root, "Code", _CODES.get(error.status, "InternalError"))
    _add(root, "Message", str(error))
    return Response(error.status, {**_HEADERS, **error.headers}, _document(root))


def _etag(resource: ObjectResource) -> str:
    """Return the tag of the XML API: the MD5 of the bytes where there is one."""
    known = resource.get("md5Hash")
    return f'"{base64.b64decode(known).hex() if known else resource["etag"]}"'


def _http_date(time: str) -> str:
    return format_datetime(datetime.fromisoformat(time), usegmt=True)


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _document(root: Element) -> bytes:
    return b"<?xml version='1.0' encoding='UTF-8'?>" + tostring(root)
