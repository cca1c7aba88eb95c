"""One log a service: a line for each request, and what went wrong, in `logs/<service>.log`."""

import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG_BYTES = 10 << 20  # then it is kept as `<service>.log.1`, in place of the one before


def write_log(service: str, folder: Path) -> None:
    """Let what the modules `localcloud.<service>` say go to that service's file, which goes on over all starts."""
    handler = RotatingFileHandler(folder / f"{service}.log", maxBytes=LOG_BYTES, backupCount=1)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger(f"localcloud.{service}")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def say(logger: logging.Logger, request: str, status: int, began: float) -> None:
    """Write one request's line: what was asked, what was answered, and after how many milliseconds it began to be.

    Args:
        logger: the service's.
        request: method and target.
        status: of the answer.
        began: when the request came, by `time.monotonic`.
    """
    logger.info("%d %s %.0f ms", status, request, (time.monotonic() - began) * 1000)


def logged(service: str, app: ASGIApp) -> ASGIApp:
    """Return the application with a line for each answer."""
    logger = logging.getLogger(f"localcloud.{service}")

    async def with_lines(scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        query = scope["query_string"].decode("latin-1")
        request = f"{scope['method']} {scope['raw_path'].decode('latin-1')}{'?' if query else ''}{query}"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                say(logger, request, message["status"], began)
            await send(message)

        await app(scope, receive, sending)

    return with_lines
