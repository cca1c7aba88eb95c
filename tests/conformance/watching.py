"""A proxy on loopback before a service: everything passes, and every exchange is judged by Google's document."""

import gzip
import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.conformance.discovery import Exchange, Judge

DOCUMENTS = {"storage": "storage.v1", "bigquery": "bigquery.v2"}
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}
_LONGEST_ANSWER_S = 300


class Watch:
    """Where clients go in the service's place, and what they and it did beside Google's document."""

    def __init__(self, upstream: str, judge: Judge) -> None:
        self._judge = judge
        self._found: list[str] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self, upstream))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def see(self, exchange: Exchange) -> None:
        """Judge one exchange."""
        found = self._judge.deviations(exchange)
        with self._lock:
            self._found += found

    def take(self) -> list[str]:
        """Give what was found since the last time."""
        with self._lock:
            found, self._found = self._found, []
        return found

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def watched(addresses: Mapping[str, str]) -> Iterator[dict[str, Watch]]:
    """Listen before the services while the block runs; give a watch for each name."""
    watches = {name: Watch(address, Judge(DOCUMENTS[name])) for name, address in addresses.items()}
    try:
        yield watches
    finally:
        for watch in watches.values():
            watch.close()


class _Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


def _handler(watch: Watch, upstream: str) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class in a closure
    address = urlsplit(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _pass(self) -> None:
            body = self._body()
            if body is None:  # the client is gone: the service must see the same
                self.close_connection = True
                return
            chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            if chunked:
                headers["Transfer-Encoding"] = "chunked"
            elif self.headers.get("Content-Length") is not None:
                headers["Content-Length"] = str(len(body))
            # one for each request: an idle one is closed by the service sooner than by the client
            connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=_LONGEST_ANSWER_S)
            # the client's own Host: what the service says of its address leads here again
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders([body] if chunked else body or None, encode_chunked=chunked)
            answered = connection.getresponse()
            answer = answered.read()
            connection.close()
            self._see(body, answered, answer)
            self._reply(answered, answer)

        def _body(self) -> bytes | None:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                return body if len(body) == length else None
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def _see(self, body: bytes, answered: http.client.HTTPResponse, answer: bytes) -> None:
            sent = {name.lower(): value for name, value in self.headers.items()}
            got = {name.lower(): value for name, value in answered.getheaders()}
            watch.see(
                Exchange(
                    self.command,
                    self.path,
                    sent,
                    _unpacked(sent, body),
                    answered.status,
                    got,
                    _unpacked(got, answer),
                )
            )

        def _reply(self, answered: http.client.HTTPResponse, answer: bytes) -> None:
            self.send_response_only(answered.status, answered.reason)
            for name, value in answered.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            length = answered.getheader("Content-Length")
            if length is not None:
                self.send_header("Content-Length", length if self.command == "HEAD" else str(len(answer)))
            elif answer:  # without a length as it came
                self.send_header("Transfer-Encoding", "chunked")
                answer = b"%x\r\n%b\r\n0\r\n\r\n" % (len(answer), answer)
            elif answered.status not in {204, 304}:
                self.send_header("Content-Length", "0")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _pass

        def log_message(self, *_: object) -> None:
            """Say nothing: what is worth saying fails a test."""

    return Handler


def _unpacked(headers: dict[str, str], body: bytes) -> bytes:
    is_json = headers.get("content-type", "").startswith("application/json")
    return gzip.decompress(body) if is_json and headers.get("content-encoding") == "gzip" and body else body
