"""Who is told: a chat's webhook and a mail server on this machine, each noting what it gets."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler


@contextmanager
def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    """Serve on a free port of this machine until the end."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def chat() -> Iterator[tuple[str, list[str]]]:
    """A webhook as Slack's: its address, and the texts that it got."""
    texts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            texts.append(f"{self.path} {json.loads(body)['text']}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}", texts


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """An SMTP server: its port, and each mail's recipient, subject and text."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            to = ""
            for line in self.rfile:
                word = line[:4].upper()
                if word == b"DATA":
                    self._say("354 go on")
                    data = b"".join(iter(self.rfile.readline, b".\r\n"))
                    mail = message_from_bytes(data, policy=policy.default)
                    text = mail.get_body(("plain", "html"))
                    mails.append(f"{to} {mail['Subject']}\n{text.get_content() if text else ''}")
                elif word == b"RCPT":
                    to = line.partition(b"<")[2].partition(b">")[0].decode()
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                self._say("250 so be it")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with serving(Handler) as port:
        yield port, mails
