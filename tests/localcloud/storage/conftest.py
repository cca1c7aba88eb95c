"""A local storage server for each test, the real client on it, and plain HTTP for what the client hides."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import urllib3
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from urllib3.response import BaseHTTPResponse

from localcloud.storage import StorageServer, serve


class Http:
    """Speak plain HTTP to a server; every query argument is a parameter of the API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool = urllib3.PoolManager(maxsize=16, retries=False)

    def send(self, method: str, target: str, body: Any = None, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        address = target if target.startswith("http") else self.url + target
        if query:
            address += ("&" if "?" in address else "?") + urlencode(query)
        return self.pool.request(method, address, body=body, headers=headers)

    def object(self, method: str, name: str, suffix: str = "", body: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send(method, f"/storage/v1/b/lake/o/{quote(name, safe='')}{suffix}", body, **query)

    def media(self, name: str, content: bytes, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send(
            "POST", "/upload/storage/v1/b/lake/o", content, headers, uploadType="media", name=name, **query
        )

    def multipart(self, name: str, content: bytes, end: bytes = b"\r\n", **query: Any) -> BaseHTTPResponse:
        metadata = query.pop("metadata", {})
        lines = [
            b"--edge",
            b"Content-Type: application/json",
            b"",
            json.dumps({"name": name, **metadata}).encode(),
            b"--edge",
            b"Content-Type: text/plain",
            b"",
            content,
            b"--edge--",
        ]
        headers = {"Content-Type": 'multipart/related; boundary="edge"'}
        target = "/upload/storage/v1/b/lake/o"
        return self.send("POST", target, end.join(lines), headers, uploadType="multipart", **query)

    def begin(self, name: str, body: Any = None, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        target = "/upload/storage/v1/b/lake/o"
        return self.send("POST", target, body or {}, headers, uploadType="resumable", name=name, **query)

    def part(self, session: str, span: str, content: bytes = b"", **headers: str) -> BaseHTTPResponse:
        return self.send("PUT", session, content, {"Content-Range": f"bytes {span}", **headers})

    def download(self, name: str, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        return self.send("GET", f"/storage/v1/b/lake/o/{quote(name, safe='')}", None, headers, alt="media", **query)

    def names(self) -> list[str]:
        return [each["name"] for each in self.send("GET", "/storage/v1/b/lake/o").json().get("items", [])]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    server = serve(tmp_path / "cloud")
    yield server
    server.close()


@pytest.fixture
def http(server: StorageServer) -> Iterator[Http]:
    """Plain HTTP to a server that has the bucket `lake`."""
    http = Http(server.url)
    assert http.send("POST", "/storage/v1/b", {"name": "lake"}).status == 200
    yield http
    http.pool.clear()


@pytest.fixture
def client(server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[storage.Client]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    client = storage.Client(project="local", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    yield client
    client.close()


@pytest.fixture
def bucket(client: storage.Client, http: Http) -> storage.Bucket:
    """The bucket `lake`, as the real client sees it."""
    assert http.send("GET", "/storage/v1/b/lake").status == 200
    bucket: storage.Bucket = client.bucket("lake")
    return bucket
