"""Every call on the objects of one bucket, as plain HTTP; keywords are the calls' parameters."""

import base64
import hashlib
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import google_crc32c
from urllib3.response import BaseHTTPResponse

from tests.conformance.calls import Http

PART = 256 << 10  # "multiples of 256 KB"


class Objects:
    """A bucket's objects; each method is one call of the API and returns its reply, whatever that is."""

    def __init__(self, http: Http, address: str, bucket: str) -> None:
        self._http = http
        self._address = address
        self.bucket = bucket
        self._list = f"/storage/v1/b/{bucket}/o"
        self._upload = f"/upload/storage/v1/b/{bucket}/o"

    def send(self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        return self._http.send(method, path, body, headers, **query)

    # uploads

    def media(self, name: str, content: bytes | Iterator[bytes], headers: Any = None, **query: Any) -> BaseHTTPResponse:
        heads = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self.send("POST", self._upload, content, heads, uploadType="media", name=name, **query)

    def multipart(self, named: str, content: bytes, metadata: Any = None, **query: Any) -> BaseHTTPResponse:
        lines = [
            b"--edge",
            b"Content-Type: application/json",
            b"",
            json.dumps({"name": named, **(metadata or {})}).encode(),
            b"--edge",
            b"Content-Type: text/plain",
            b"",
            content,
            b"--edge--",
        ]
        headers = {"Content-Type": 'multipart/related; boundary="edge"'}
        return self.send("POST", self._upload, b"\r\n".join(lines), headers, uploadType="multipart", **query)

    def begin(self, name: str, metadata: Any = None, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send("POST", self._upload, metadata or {}, headers, uploadType="resumable", name=name, **query)

    def session(self, name: str, metadata: Any = None, **query: Any) -> str:
        """Begin a resumable upload and return its address."""
        return str(self.begin(name, metadata, **query).headers["Location"])

    def part(self, session: str, span: str, content: bytes = b"", headers: Any = None) -> BaseHTTPResponse:
        return self.send("PUT", session, content, {"Content-Range": f"bytes {span}", **(headers or {})})

    def resumable(self, name: str, content: bytes, **query: Any) -> BaseHTTPResponse:
        """Upload in a session with one part; a session that is refused is the reply."""
        begun = self.begin(name, **query)
        if begun.status != 200:
            return begun
        return self.part(begun.headers["Location"], f"0-{len(content) - 1}/{len(content)}", content)

    def cut(self, target: str, content: bytes, headers: dict[str, str]) -> None:
        """Send a request whose body is shorter than it says, and go away."""
        address = urlsplit(target if target.startswith("http") else self._address + target)
        lines = [f"{name}: {value}" for name, value in {"Host": address.netloc, **headers}.items()]
        method = "PUT" if "upload_id" in target else "POST"
        head = "\r\n".join([f"{method} {address.path}?{address.query} HTTP/1.1", *lines, "", ""])
        port = address.port or (443 if address.scheme == "https" else 80)
        with socket.create_connection((address.hostname or "", port)) as plain:
            secure = address.scheme == "https"
            wired = (
                ssl.create_default_context().wrap_socket(plain, server_hostname=address.hostname) if secure else plain
            )
            wired.sendall(head.encode() + content)
            wired.shutdown(socket.SHUT_WR)
            wired.settimeout(10)
            while wired.recv(4096):  # until the server has noticed
                pass

    def cut_media(self, name: str, content: bytes, said: int) -> None:
        query = urlencode({"uploadType": "media", "name": name})
        self.cut(f"{self._upload}?{query}", content, {"Content-Length": str(said)})

    # metadata

    def get(self, name: str, **query: Any) -> BaseHTTPResponse:
        return self.send("GET", self._of(name), **query)

    def patch(self, name: str, body: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send("PATCH", self._of(name), {"metadata": {"by": "patch"}} if body is None else body, **query)

    def update(self, name: str, body: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send("PUT", self._of(name), {"metadata": {"by": "update"}} if body is None else body, **query)

    def delete(self, name: str, **query: Any) -> BaseHTTPResponse:
        return self.send("DELETE", self._of(name), **query)

    # bytes

    def download(self, name: str, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send("GET", self._of(name), None, headers, alt="media", **query)

    # other objects

    def copy(self, source: str, name: str, body: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send("POST", f"{self._of(source)}/copyTo/b/{self.bucket}/o/{_quoted(name)}", body or {}, **query)

    def rewrite(self, source: str, name: str, body: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send("POST", f"{self._of(source)}/rewriteTo/b/{self.bucket}/o/{_quoted(name)}", body or {}, **query)

    def move(self, source: str, name: str, **query: Any) -> BaseHTTPResponse:
        return self.send("POST", f"{self._of(source)}/moveTo/o/{_quoted(name)}", {}, **query)

    def compose(self, sources: list[str] | list[dict[str, Any]], name: str, **query: Any) -> BaseHTTPResponse:
        named = [{"name": each} if isinstance(each, str) else each for each in sources]
        return self.send("POST", f"{self._of(name)}/compose", {"sourceObjects": named}, **query)

    # lists

    def listed(self, **query: Any) -> BaseHTTPResponse:
        return self.send("GET", self._list, **query)

    def names(self) -> list[str]:
        """Return the names of all objects, in the list's order."""
        return [each["name"] for each in self.listed().json().get("items", [])]

    # many calls

    def batch(self, calls: list[str]) -> None:
        """Make calls without a body, a hundred in a request."""
        for start in range(0, len(calls), 100):
            parts = "".join(
                f"--edge\r\nContent-Type: application/http\r\n\r\n{call} HTTP/1.1\r\n\r\n\r\n"
                for call in calls[start : start + 100]
            )
            headers = {"Content-Type": "multipart/mixed; boundary=edge"}
            reply = self.send("POST", "/batch/storage/v1", f"{parts}--edge--".encode(), headers)
            assert (reply.status, reply.data.count(b"HTTP/1.1 20")) == (200, len(calls[start : start + 100]))

    # what a case compares

    def state(self, name: str) -> tuple[Any, bytes | None]:
        """Return an object's metadata and bytes; a missing one has neither."""
        found = self.get(name)
        return (found.json(), self.download(name).data) if found.status == 200 else (None, None)

    def generation(self, name: str) -> int:
        return int(self.get(name).json()["generation"])

    def _of(self, name: str) -> str:
        return f"{self._list}/{_quoted(name)}"


def _quoted(name: str) -> str:
    return quote(name, safe="")


def crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
