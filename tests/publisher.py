"""A publisher that a test can change and break: files by path, served with validators, every request noted."""

import email.utils
import hashlib
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from flows.etl.reach import Reach


@dataclass
class File:
    """What is served at a path; `body` may be cut short of its announced length, `status` may refuse.

    `first` are refusals (status and headers) that come before it, once each. `chunked` sends it in chunks, and
    `breaks` does not send the last of them; `endless` sends neither a length nor chunks. `held` keeps the body back
    until it is set. `silent` leaves headers out, such as ETag.
    """

    body: bytes
    status: int = 200
    announced: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    surplus: bytes = b""  # sent behind the announced length
    first: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    chunked: bool = False
    breaks: bool = False
    endless: bool = False
    held: threading.Event | None = None
    silent: tuple[str, ...] = ()  # headers that it does not send
    ranges: bool = False  # it sends parts when asked for them

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    def part(self, span: str) -> "File":
        """Give the part that `bytes=0-99` asks for, or `bytes=-100`, the last of them."""
        first, _, last = span.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(len(self.body) - int(last), 0)
        body = self.body[start : int(last) + 1 if first else None]
        if not body:
            return replace(self, status=416, headers={"Content-Range": f"bytes */{len(self.body)}"})
        place = f"bytes {start}-{start + len(body) - 1}/{len(self.body)}"
        return replace(self, body=body, status=206, headers={"ETag": self.etag, "Content-Range": place} | self.headers)


@dataclass
class Publisher:
    """Files by path; `requests` holds (method, path) in order, `headers` what came with each, and `queries` theirs.

    `busiest` is the highest number of requests that were answered at the same time.
    """

    files: dict[str, File] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)  # of those that had one
    head_status: int | None = None  # of a publisher that does not serve HEAD
    busy: int = 0
    busiest: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def reach(self) -> Reach:
        """What it takes to ask this publisher, as a run that is given its address by the setting has it."""
        return Reach.of(self.url, (), [self.url])

    def serve(self, path: str, body: bytes) -> None:
        self.files[path] = File(body)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        """Redirect a path, and give its address."""
        self.files[path] = File(b"", status=status, headers={"Location": to})
        return f"{self.url}{path}"

    def asked(self, method: str) -> list[str]:
        return [path for how, path in self.requests if how == method]

    def begin(self) -> None:
        with self._lock:
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)

    def end(self) -> None:
        with self._lock:
            self.busy -= 1

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __repr__(self) -> str:
        return f"<publisher at {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _handler(publisher: Publisher) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class in a closure, counted as one
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            publisher.begin()
            try:
                self._answer()
            finally:
                publisher.end()

        do_HEAD = do_GET

        def _answer(self) -> None:
            _, _, path, query, _ = urlsplit(self.path)
            publisher.queries += [query] if query else []
            publisher.requests.append((self.command, path))
            publisher.headers.append(dict(self.headers))
            file = publisher.files.get(path, File(b"not here", status=404))
            if file.ranges and (span := self.headers.get("Range")):
                file = file.part(span)
            status, headers = self._said(file)
            has_body = self.command == "GET" and status not in (204, 304)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if has_body:
                self._send(file)

        def _said(self, file: File) -> tuple[int, dict[str, str]]:
            if file.first:
                status, headers = file.first.pop(0)
                return status, {"Content-Length": str(len(file.body)), **headers}
            headers = {
                "ETag": file.etag,
                "Last-Modified": email.utils.formatdate(1_400_000_000, usegmt=True),
                **file.headers,
            }
            headers = {name: value for name, value in headers.items() if name not in file.silent}
            status = (publisher.head_status if self.command == "HEAD" else None) or file.status
            if status == 200 and headers.get("ETag", "-") == self.headers.get("If-None-Match"):
                return 304, headers
            if file.chunked:
                headers["Transfer-Encoding"] = "chunked"
            elif file.endless:
                headers["Connection"] = "close"
            elif status != 204:
                headers["Content-Length"] = str(len(file.body) if file.announced is None else file.announced)
            return status, headers

        def _send(self, file: File) -> None:
            if file.held:
                file.held.wait(120)
            if file.chunked:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(file.body), file.body))
                if not file.breaks:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                body = file.body if file.announced is None else file.body[: file.announced]
                self.wfile.write(body + file.surplus)
            announced = len(file.body) if file.announced is None else file.announced
            self.close_connection = bool(
                file.endless or file.breaks or file.surplus or (announced > len(file.body) and not file.chunked)
            )

        def log_message(self, *_: object) -> None:
            """Say nothing: a test asserts on `requests`."""

    return Handler
