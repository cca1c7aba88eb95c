"""A fault proxy on loopback before one server: it passes every request on, and strikes where a trap says so.

Faults come from outside in this way; the code under test has no hook for them. One event loop in one thread serves
the proxies of all scenarios.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from tests.chaos.websocket import Messages

Result = TypeVar("Result")

HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "upgrade")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; header names are in lower case. `event` is what a websocket's message says."""

    hop: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    event: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer as it came from upstream, its body whole."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def head(self, length: int) -> bytes:
        """Give the head of an answer whose body is *length* bytes long."""
        kept = [(name, value) for name, value in self.headers if name.lower() not in HOP_BY_HOP]
        if self.status not in (204, 304):
            kept.append(("Content-Length", str(length)))
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in kept)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True, slots=True)
class Blow:
    """What befalls one request.

    `hook` runs first. Then: `pass` goes on as if nothing had been; `reset` breaks the connection; `close` ends it
    early; `hold` says nothing until the other side gives up; `answer` gives `instead` in the upstream's place. `at`
    bytes of the answer's body are passed before all that.
    """

    then: str = "pass"
    hook: Callable[[], Awaitable[object]] | None = None
    instead: Answered | None = None
    at: int | None = None


class Trap(Protocol):
    """What decides about requests: called in the proxies' thread, for every request on every hop."""

    def before(self, asked: Asked, /) -> Blow | None:
        """Decide about a request that has come and has not been passed on."""

    def after(self, asked: Asked, answered: Answered, /) -> Blow | None:
        """Decide about an answer that has come from upstream and has not been passed back."""


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@dataclass
class Proxy:
    """Passes everything to `upstream`, but for what the trap says."""

    loop: Loop
    hop: str
    upstream: str
    trap: Trap

    def __enter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = self.loop.run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.run(self._close())

    @property
    def url(self) -> str:
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            # the other side is killed in the middle of requests: that is what these proxies are for
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass one request and its answer; tells whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, headers = _head(head)
        method, path, _ = first.split(" ", 2)
        if headers.get("upgrade", "").lower() == "websocket":
            await self._tunnel(path, head, reader, writer)
            return False
        asked = Asked(self.hop, method, path, headers, await _body(reader, headers))
        blow = self.trap.before(asked)
        answered: Answered | None = None
        if blow is None or blow.then == "pass":
            if blow and blow.hook:
                await blow.hook()
            answered = await self._ask(asked)
            blow = self.trap.after(asked, answered)
        return await self._strike(blow, asked, answered, reader, writer)

    async def _strike(
        self,
        blow: Blow | None,
        asked: Asked,
        answered: Answered | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        if blow is None:
            assert answered
            return await _reply(writer, asked, answered)
        passed = 0
        if blow.at is not None:
            assert answered
            passed = min(blow.at, len(answered.body))
            writer.write(answered.head(len(answered.body)) + answered.body[:passed])
            await writer.drain()
        if blow.hook:
            await blow.hook()
        match blow.then:
            case "pass":
                assert answered
                if blow.at is None:
                    return await _reply(writer, asked, answered)
                writer.write(answered.body[passed:])
                await writer.drain()
                return True
            case "answer":
                assert blow.instead
                return await _reply(writer, asked, blow.instead)
            case "hold":
                await reader.read()  # until the other side closes
            case "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            case "close":
                writer.close()
        return False

    async def _ask(self, asked: Asked) -> Answered:
        """Ask the upstream over a connection of its own."""
        address = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 20)
        try:
            kept = [f"{name}: {value}" for name, value in asked.headers.items() if name not in HOP_BY_HOP]
            length = [f"content-length: {len(asked.body)}"] if asked.body or asked.method not in ("GET", "HEAD") else []
            lines = [f"{asked.method} {asked.path} HTTP/1.1", *kept, *length, "connection: close"]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + asked.body)
            await writer.drain()
            first, headers = _head(await reader.readuntil(b"\r\n\r\n"), lower=False)
            _, status, reason = (*first.split(" ", 2), "")[:3]
            folded = {name.lower(): value for name, value in headers.items()}
            bodiless = asked.method == "HEAD" or status in ("204", "304")
            body = b"" if bodiless else await _body(reader, folded, to_the_end=True)
            if asked.method == "HEAD" and "content-length" in folded:
                body = bytes(int(folded["content-length"]))  # only its length is passed
            return Answered(int(status), reason, list(headers.items()), body)
        finally:
            writer.close()

    async def _tunnel(self, path: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass a websocket's bytes both ways, and show its messages to the trap as they go up."""
        address = urlsplit(self.upstream)
        up_reader, up_writer = await asyncio.open_connection(address.hostname, address.port)
        kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"sec-websocket-extensions")]
        up_writer.write(b"\r\n".join(kept))
        down = asyncio.create_task(_pour(up_reader, writer))
        messages = Messages()
        try:
            while data := await reader.read(1 << 16):
                blows = []
                for event in messages.feed(data):
                    asked = Asked(self.hop, "WS", path, event=event)
                    blows.append((asked, self.trap.before(asked)))
                lost = any(blow and blow.then in ("reset", "close", "hold") for _, blow in blows)
                for _, blow in blows:
                    if blow and blow.hook:
                        await blow.hook()
                if lost:
                    return
                up_writer.write(data)
                await up_writer.drain()
                for asked, _ in blows:
                    if (blow := self.trap.after(asked, Answered(101, "", [], b""))) and blow.hook:
                        await blow.hook()
        finally:
            down.cancel()
            up_writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()


async def _reply(writer: asyncio.StreamWriter, asked: Asked, answered: Answered) -> bool:
    bodiless = asked.method == "HEAD" or answered.status in (204, 304)
    writer.write(answered.head(len(answered.body)) + (b"" if bodiless else answered.body))
    await writer.drain()
    return asked.headers.get("connection", "").lower() != "close"


def _head(head: bytes, *, lower: bool = True) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return first, {name.lower() if lower else name: value.strip() for name, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str], *, to_the_end: bool = False) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return body
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read() if to_the_end else b""
