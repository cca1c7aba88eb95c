"""Many calls in one request; each is answered on its own, preconditions and all.

Source: https://cloud.google.com/storage/docs/batch
"""

import io
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import uuid4

from localcloud.storage.errors import Invalid
from localcloud.storage.exchange import Body, Request, Response
from localcloud.storage.multipart import Part, parsed_headers, split_head, split_parts
from localcloud.storage.store import Store


def answer_batch(store: Store, request: Request, answer: Callable[[Store, Request], Response]) -> Response:
    """Answer the parts in their order; they are no transaction, on Google's side neither."""
    boundary = f"batch_{uuid4().hex}"
    replies = b""
    for part in split_parts(request.body.read(), request.header("Content-Type") or ""):
        reply = answer(store, _inner(part, request.base_url))
        replies += f"--{boundary}\r\nContent-Type: application/http\r\n".encode()
        if name := part.headers.get("Content-ID"):
            replies += f"Content-ID: <response-{name.strip('<> ')}>\r\n".encode()
        replies += b"\r\n" + _serialised(reply) + b"\r\n"
    headers = {"Content-Type": f"multipart/mixed; boundary={boundary}"}
    return Response(200, headers, replies + f"--{boundary}--\r\n".encode())


def _inner(part: Part, base_url: str) -> Request:
    line, _, rest = part.content.lstrip().replace(b"\r\n", b"\n", 1).partition(b"\n")
    words = line.decode().split()
    if len(words) not in {2, 3}:
        raise Invalid(f"Malformed request line in a batch: {line!r}")
    target = urlsplit(words[1])._replace(scheme="", netloc="").geturl()
    if not target.startswith("/storage/v1/") or "alt=media" in target:
        raise Invalid(f"A batch takes no uploads and no downloads: {target}")
    head, content = split_head(rest)
    content = content.strip()
    return Request(words[0], target, base_url, parsed_headers(head), Body(io.BytesIO(content), len(content)))


def _serialised(reply: Response) -> bytes:
    body = reply.body
    if not isinstance(body, bytes):
        raise TypeError(f"a batch cannot carry {type(body)}")
    headers = {**reply.headers, "Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {reply.status} {reply.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
