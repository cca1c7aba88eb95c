"""A proxy on loopback before storage or BigQuery: it notes each request, and holds, drops or refuses some.

Faults come from outside in this way; the code under test has no hook for them.
"""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


def is_middle_part(asked: Asked) -> bool:
    """Tell whether it is a part of an upload behind which others come."""
    return asked.method == "PUT" and asked.headers.get("Content-Range", "").endswith("/*")


def is_last_part(asked: Asked) -> bool:
    """Tell whether it is the part that ends an upload."""
    span = asked.headers.get("Content-Range", "")
    return asked.method == "PUT" and span.startswith("bytes ") and not span.endswith("*")


@dataclass
class Fault:
    """What befalls the requests that `meets` chooses, `times` times; `fired` counts them.

    `before` runs ahead of the upstream (it may wait); `lose_reply` lets the upstream work and then cuts the line;
    `rewrite` changes what it answers; `status` answers in the upstream's place.
    """

    meets: Callable[[Asked], bool]
    times: int = 1
    before: Callable[[], object] | None = None
    lose_reply: bool = False
    rewrite: Callable[[bytes], bytes] | None = None
    status: int | None = None
    fired: int = 0


@dataclass
class Proxy:
    """Passes everything to `upstream`, but for its faults."""

    upstream: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    def meet(self, asked: Asked) -> Fault | None:
        with self._lock:
            self.seen.append(asked)
            for fault in self.faults:
                if fault.fired < fault.times and fault.meets(asked):
                    fault.fired += 1
                    return fault
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that were killed in the middle of a request: that is what these tests do."""


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class in a closure, counted as one
    upstream = urlsplit(proxy.upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _meet(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.meet(Asked(self.command, self.path, body, dict(self.headers)))
            if fault and fault.before:
                fault.before()
            if fault and fault.status:
                self._answer(fault.status, [("Content-Type", "application/json")], b'{"error": {"code": 0}}')
            else:
                self._pass(body, fault)

        def _pass(self, body: bytes, fault: Fault | None) -> None:
            connection = http.client.HTTPConnection(str(upstream.hostname), upstream.port, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            answer = response.read()
            length = response.getheader("Content-Length") if self.command == "HEAD" else None
            connection.close()
            if fault and fault.rewrite:
                answer = fault.rewrite(answer)
            if fault and fault.lose_reply:
                self.close_connection = True
                self.connection.close()
                return
            self._answer(response.status, response.getheaders(), answer, length)

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, length: str | None = None) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _meet

        def log_message(self, *_: object) -> None:
            """Say nothing: a test asserts on `seen`."""

    return Handler
