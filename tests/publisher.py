"""A publisher that a test can change and break: files by path, served with validators, every request noted."""

import email.utils
import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit


@dataclass
class File:
    """What is served at a path; `body` may be cut short of its announced length, `status` may refuse."""

    body: bytes
    status: int = 200
    announced: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Publisher:
    """Files by path; `requests` holds (method, path) in order."""

    files: dict[str, File] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    head_status: int | None = None  # of a publisher that does not serve HEAD

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, path: str, body: bytes) -> None:
        self.files[path] = File(body)

    def asked(self, method: str) -> list[str]:
        return [path for how, path in self.requests if how == method]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _handler(publisher: Publisher) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            publisher.requests.append((self.command, path))
            file = publisher.files.get(path, File(b"not here", status=404))
            body = file.body if file.announced is None else file.body[: file.announced]
            headers = {
                "ETag": f'"{hashlib.sha256(file.body).hexdigest()[:16]}"',
                "Last-Modified": email.utils.formatdate(1_400_000_000, usegmt=True),
                "Content-Length": str(len(file.body) if file.announced is None else file.announced),
                **file.headers,
            }
            refused = publisher.head_status if self.command == "HEAD" else None
            self.send_response(refused or file.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)
                self.close_connection = len(body) != int(headers["Content-Length"])

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing: a test asserts on `requests`."""

    return Handler
