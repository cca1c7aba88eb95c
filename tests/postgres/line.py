"""A line to Postgres that a test can watch, cut and hold: a proxy that reads the client's messages, and changes none.

Faults come from outside in this way; the code under test has no hook for them.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Fault:
    """What befalls the first message that holds *meets*: something happens before it goes on, or after its answer.

    `lost` is the answer that never comes: the line is cut once Postgres has given it. A single letter meets messages
    of that kind: `c` is the end of a COPY's data.
    """

    meets: bytes
    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None
    lost: bool = False
    fired: threading.Event = field(default_factory=threading.Event)

    def is_met(self, kind: bytes, body: bytes) -> bool:
        return kind == self.meets if len(self.meets) == 1 else self.meets in kind + body


class Line:
    """Passes all to a server on a loopback port; its fault comes true once."""

    def __init__(self, port: int, fault: Fault) -> None:
        self._to, self._fault = port, fault
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._to))
        answered, cut = threading.Event(), threading.Event()
        back = threading.Thread(target=self._back, args=(server, client, answered, cut), daemon=True)
        back.start()
        with client, server, contextlib.suppress(OSError):
            self._forth(client, server, answered, cut)
            server.shutdown(socket.SHUT_WR)
            back.join(10)

    def _forth(
        self, client: socket.socket, server: socket.socket, answered: threading.Event, cut: threading.Event
    ) -> None:
        stream, started = client.makefile("rb"), False
        while head := stream.read(5 if started else 4):
            kind, size = (head[:1], head[1:]) if started else (b"", head)
            body = stream.read(struct.unpack("!i", size)[0] - 4)
            started = True
            fault = self._fault
            if not fault.fired.is_set() and fault.is_met(kind, body):
                fault.fired.set()
                if fault.before:
                    fault.before()
                if fault.lost or fault.after:
                    cut.set()
                    answered.clear()
                    server.sendall(head + body)
                    while kind == b"P" and head[:1] != b"S":  # the rest of one question, up to its Sync
                        head = stream.read(5)
                        body = stream.read(struct.unpack("!i", head[1:])[0] - 4)
                        server.sendall(head + body)
                    answered.wait(10 if kind in b"QPc" else 0.2)  # data is not answered
                    if fault.after:
                        fault.after()
                    return
            server.sendall(head + body)

    @staticmethod
    def _back(server: socket.socket, client: socket.socket, answered: threading.Event, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if not cut.is_set():
                    client.sendall(data)
                answered.set()
            client.shutdown(socket.SHUT_RDWR)
