"""A relay on loopback before a server: it counts requests and bytes, and may make each of them wait.

    python -m benchmarks.relay ADDRESS [--delay-ms 200]

prints its own address, and ends with whoever started it. Each request waits once before it is passed on, and the first
of a connection twice, as over a network whose round trip takes that long. `GET /relay` answers with the counts, and
counts anew from then on.
"""

import argparse
import http.client
import json
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
Counts = dict[str, Any]


class Relay(ThreadingHTTPServer):
    """Passes requests on, each connection in a thread with a connection of its own to the server behind."""

    daemon_threads, request_queue_size = True, 128

    def __init__(self, upstream: str, delay_s: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.delay_s = urlsplit(upstream).netloc, delay_s
        self._lock = threading.Lock()
        self.counts = _nothing()

    def count(self, method: str, path: str, sent: int, received: int) -> None:
        """Note one exchange; bytes are those of bodies and heads."""
        with self._lock:
            self.counts["first"] = self.counts["first"] or time.time()
            self.counts["sent"] += sent
            self.counts["received"] += received
            self.counts["requests"].append(f"{method} {path.partition('?')[0]}")

    def take(self) -> Counts:
        """Give the counts, and begin anew."""
        with self._lock:
            taken, self.counts = self.counts, _nothing()
        return taken


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Relay

    def setup(self) -> None:
        super().setup()
        self.behind = http.client.HTTPConnection(self.server.upstream, timeout=300)
        self.is_new = True

    def finish(self) -> None:
        self.behind.close()
        super().finish()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _relay(self) -> None:
        if self.path == "/relay":
            self._answer(200, [], json.dumps(self.server.take()).encode())
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.server.delay_s * (2 if self.is_new else 1))
        self.is_new = False
        self.behind.request(self.command, self.path, body or None, dict(self.headers))
        answer = self.behind.getresponse()
        content = answer.read()
        heads = len(str(self.headers)) + len(self.requestline), len(str(answer.headers))
        self.server.count(self.command, self.path, heads[0] + len(body), heads[1] + len(content))
        self._answer(answer.status, answer.getheaders(), content)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        kept = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
        if not any(name.lower() == "content-length" for name, _ in kept):
            kept.append(("Content-Length", str(len(content))))
        for name, value in kept:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _relay  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _nothing() -> Counts:
    return {"first": None, "sent": 0, "received": 0, "requests": []}


class Counted:
    """What a relay counts in a `with`: `requests` as method and path, bytes `sent` and `received`, `first` when."""

    def __init__(self, *relays: str) -> None:
        self._relays = relays
        self.requests: list[str] = []
        self.sent = self.received = 0
        self.first: float | None = None

    def __enter__(self) -> Self:
        for relay in self._relays:
            _take(relay)
        return self

    def __exit__(self, *_: object) -> None:
        for relay in self._relays:
            taken = _take(relay)
            self.requests += taken["requests"]
            self.sent += taken["sent"]
            self.received += taken["received"]
            self.first = min((moment for moment in (self.first, taken["first"]) if moment), default=None)


def _take(relay: str) -> Counts:
    with urllib.request.urlopen(f"{relay}/relay", timeout=30) as answer:  # noqa: S310 - on this machine
        counts: Counts = json.load(answer)
    return counts


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream")
    parser.add_argument("--delay-ms", type=float, default=0)
    options = parser.parse_args()
    relay = Relay(options.upstream, options.delay_ms / 1000)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{relay.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
