"""Downloads: ranges, hashes and generation in headers, and Google's transcoding of gzip.

Source: https://cloud.google.com/storage/docs/transcoding
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO
from urllib.parse import quote

from localcloud.storage.draft import pieces_of
from localcloud.storage.errors import ApiError
from localcloud.storage.exchange import File, Request, Response
from localcloud.storage.objects import describe, readable
from localcloud.storage.resource import ObjectResource
from localcloud.storage.store import Store


def get(store: Store, request: Request) -> Response:
    """Send an object's metadata, or its bytes when they are asked for."""
    return download(store, request) if request.query.get("alt") == "media" else describe(store, request)


def download(store: Store, request: Request) -> Response:
    """Send a generation's bytes; an overwrite meanwhile does not reach an open file."""
    with store.lock:
        resource = readable(store, request)
        file = store.open(resource)
    headers = _headers(resource)
    encoding = resource.get("contentEncoding")
    if encoding == "gzip" and not _may_stay_gzipped(resource, request):
        # no length and no range: the size of what comes out is not known
        headers |= {"Warning": "214 UploadServer gunzipped", "Vary": "Accept-Encoding"}
        return Response(200, headers, _gunzipped(file, resource))
    if encoding:
        headers["Content-Encoding"] = encoding
    size = int(resource["size"])
    span = _range(request.header("Range") or "", size)
    if span is None:
        return Response(200, headers, File(file, 0, size))
    start, end = span
    if start >= size:
        file.close()
        unsatisfiable = {"Content-Range": f"bytes */{size}"}
        raise ApiError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", unsatisfiable)
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return Response(206, headers, File(file, start, end - start))


def _headers(resource: ObjectResource) -> dict[str, str]:
    hashes = [f"crc32c={resource['crc32c']}"]
    if "md5Hash" in resource:
        hashes.append(f"md5={resource['md5Hash']}")
    headers = {
        "Content-Type": resource.get("contentType") or "application/octet-stream",
        "ETag": resource["etag"],
        "Accept-Ranges": "bytes",
        "x-goog-hash": ",".join(hashes),
        "x-goog-generation": resource["generation"],
        "x-goog-metageneration": resource["metageneration"],
        "x-goog-storage-class": resource.get("storageClass") or "STANDARD",
        "x-goog-stored-content-length": resource["size"],
        "x-goog-stored-content-encoding": resource.get("contentEncoding") or "identity",
    }
    told = {
        "Cache-Control": resource.get("cacheControl"),
        "Content-Disposition": resource.get("contentDisposition"),
        "Content-Language": resource.get("contentLanguage"),
    }
    told |= {f"x-goog-meta-{key}": value for key, value in (resource.get("metadata") or {}).items()}
    # header values are latin-1; Google percent-encodes what is beyond, and a line break must not make a new header
    return headers | {name: quote(value, safe=_PLAIN) for name, value in told.items() if value}


_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F))


def _may_stay_gzipped(resource: ObjectResource, request: Request) -> bool:
    fixed = "no-transform" in (resource.get("cacheControl") or "")
    return fixed or "gzip" in (request.header("Accept-Encoding") or "")


def _gunzipped(file: BinaryIO, resource: ObjectResource) -> Iterator[bytes]:
    pieces = _unpacked(file)
    try:
        first = next(pieces, b"")
    except (OSError, EOFError, zlib.error) as error:
        name = f"{resource['bucket']}/{resource['name']}"
        raise ApiError(503, "backendError", f"{name} says gzip in contentEncoding, its bytes do not") from error
    return chain([first], pieces)


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    with file, gzip.GzipFile(fileobj=file) as plain:
        yield from pieces_of(plain)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last; None sends everything, as for a malformed range."""
    found = re.fullmatch(r"\s*bytes=(\d*)-(\d*)\s*", header)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size
    start, end = int(found[1]), int(found[2]) + 1 if found[2] else size
    return None if found[2] and end <= start else (start, min(end, size))
