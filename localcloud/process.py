"""The one server process: storage, BigQuery with the metadata server, and the publisher."""

import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from localcloud import bigquery, metadata, storage
from localcloud.access import logged, write_log
from localcloud.publisher import Publisher, package_data
from localcloud.services import HOST

# How long requests in flight may take to end once the process is told to stop.
GRACE_S = 3


def serve(data: Path, *, storage_port: int, bigquery_port: int, publisher_port: int | None) -> None:
    """Serve until SIGTERM or SIGINT, then end the requests in flight and close what is open.

    Without a port for it there is no publisher.

    Raises:
        OSError: a port is taken.
    """
    signal.signal(signal.SIGTERM, _leave)  # uvicorn hands a signal on once its part is closed
    signal.signal(signal.SIGINT, _leave)
    logs = data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for service in ("storage", "bigquery", "publisher"):
        write_log(service, logs)
    lake = storage.serve(data / "storage", storage_port)
    try:
        warehouse = bigquery.Warehouse(data / "bigquery", lake.store)
        try:
            routes = [*metadata.routes(), *bigquery.routes(warehouse)]
            apps = {bigquery_port: logged("bigquery", Starlette(routes=routes))}
            if publisher_port is not None:
                publisher = Publisher(data / "publisher", package_data())
                apps[publisher_port] = logged("publisher", Starlette(routes=publisher.routes()))
            _listen(apps)
        finally:
            warehouse.close()
    finally:
        lake.close()


def _listen(apps: dict[int, ASGIApp]) -> None:
    """Serve each application on its port with one event loop."""

    async def by_port(scope: Scope, receive: Receive, send: Send) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    sockets = [socket.create_server((HOST, port), backlog=2048) for port in apps]
    for listening in sockets:
        # accepted sockets inherit it; asyncio sets it itself only where a socket names its protocol, and without it
        # each answer on a connection that is kept waits 40 ms for the client's acknowledgement
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        by_port, lifespan="off", log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_S
    )
    uvicorn.Server(config).run(sockets)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    # once is enough: what follows closes files
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)
