"""A storage that takes resumable uploads and keeps none, in a process of its own: what sending costs without storing.

Usage: python -m benchmarks.null_storage; prints its address and serves until it is ended.
"""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPAN = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
PIECE_BYTES = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """Answers as Cloud Storage does to an upload where nothing goes wrong."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Open a session."""
        self._drain()
        self._answer(200, {"Location": f"http://{self.headers['Host']}/session"})

    def do_PUT(self) -> None:
        """Take a part, and believe the checksum that comes with the last."""
        self._drain()
        span = SPAN.fullmatch(self.headers["Content-Range"])
        if not span or span[3] == "*":
            self._answer(308, {"Range": f"bytes=0-{span[2] if span else 0}"})
            return
        crc32c = self.headers.get("x-goog-hash", "").removeprefix("crc32c=")
        self._answer(200, {}, json.dumps({"crc32c": crc32c, "generation": "1"}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _drain(self) -> None:
        left = int(self.headers.get("Content-Length", 0))
        while left > 0 and (piece := self.rfile.read(min(left, PIECE_BYTES))):
            left -= len(piece)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve on a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
