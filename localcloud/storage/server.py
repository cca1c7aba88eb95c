"""HTTP/1.1 on loopback: a thread for each connection, kept alive, without Nagle's delay."""

import logging
import socket
import threading
import time
import zlib
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from localcloud import browsers
from localcloud.access import say
from localcloud.storage.errors import ApiError
from localcloud.storage.exchange import Body, File, Request, Response, reply_error
from localcloud.storage.router import answer
from localcloud.storage.store import Store

_LOG = logging.getLogger(__name__)
_LONGEST_FAREWELL_S = 5
_POLL_S = 0.02  # how soon a closing server notices


class StorageServer:
    """Serve one folder until `close`; `url` is what STORAGE_EMULATOR_HOST takes."""

    def __init__(self, root: Path, port: int) -> None:
        self.store = Store(root)
        try:
            self._http = _Http(("127.0.0.1", port), partial(_Connection, self.store))
        except OSError:
            self.store.close()
            raise
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_POLL_S,), daemon=True, name="storage")
        self._thread.start()

    def close(self) -> None:
        """Cut all connections, as a kill would, and release port and folder."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._http.cut_connections()
        self.store.close()


def serve(root: Path, port: int = 0) -> StorageServer:
    """Serve the objects in a folder on 127.0.0.1, in a daemon thread; port 0 takes a free one.

    Raises:
        FolderInUse: another process serves this folder.
        LostBytes: the folder is damaged; the message says what to do.
        OSError: the port is taken.
    """
    return StorageServer(root.resolve(), port)


class _Http(ThreadingHTTPServer):
    daemon_threads = True  # an idle connection must not keep the process alive
    request_queue_size = 128  # fans of tasks connect at once; the default of 5 makes some wait a second

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()
        super().__init__(address, handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open[request] = threading.current_thread()
        try:
            super().finish_request(request, client_address)
        finally:
            with self._open_lock:
                del self._open[request]

    def cut_connections(self) -> None:
        """End every connection and wait for the requests at work."""
        with self._open_lock:
            connections = list(self._open.items())
        for connection, _ in connections:
            with suppress(OSError):  # its client was faster
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in connections:
            thread.join(_LONGEST_FAREWELL_S)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, store: Store, *args: Any) -> None:
        self._store = store
        self._began = time.monotonic()
        super().__init__(*args)

    def _reply(self) -> None:
        self._began = time.monotonic()
        if browsers.is_a_pages(self.headers.get):
            self.send_error(browsers.REFUSED, "Forbidden", browsers.WHY)
            return
        chunked = "chunked" in (self.headers.get("Transfer-Encoding") or "").lower()
        announced = self.headers.get("Content-Length") or "0"
        if not announced.isdecimal():
            self.send_error(400, f"Invalid Content-Length: {announced}")
            return
        length = None if chunked else int(announced)
        base_url = f"http://{self.headers.get('Host') or '127.0.0.1'}"
        request = Request(self.command, self.path, base_url, self.headers, Body(self.rfile, length))
        try:
            self._send(self._answer(request))
        except (OSError, EOFError, zlib.error):
            # the client went away, or a file's gzip breaks off in its middle: a cut reply is all that is left to say
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _reply  # noqa: N815  # http.server's names

    def _answer(self, request: Request) -> Response:
        try:
            return answer(self._store, request)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001  # a bug of ours must reach the client as Google's 500, not as silence
            _LOG.exception("%s %s failed in a way that this server does not know", self.command, self.path)
            self.close_connection = True  # whatever of the body is unread
            return reply_error(ApiError(500, "internalError", repr(error)))

    def _send(self, response: Response) -> None:
        body = response.body
        self.send_response(response.status, response.phrase)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        if isinstance(body, bytes):
            if response.status not in {204, 304}:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        elif isinstance(body, File):
            self.send_header("Content-Length", str(body.length))
            with body.file:
                self.end_headers()
                if body.length and self.command != "HEAD":
                    self.connection.sendfile(body.file, body.start, body.length)
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if self.command == "HEAD":
                return
            for piece in filter(None, body):  # an empty chunk would be the last
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

    def log_request(self, code: int | str = "-", _size: int | str = "-") -> None:
        """Write the request's line into the service's log."""
        say(_LOG, f"{self.command} {self.path}", int(code), self._began)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Say nothing else: a rehearsal's output is the flow's."""
