"""The one server process: storage, BigQuery with the metadata server, the publisher, Cloud Run and Secret Manager."""

import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from localcloud import bigquery, environment, metadata, storage
from localcloud.access import logged, write_log
from localcloud.browsers import closed_to_pages
from localcloud.publisher import Publisher, package_data
from localcloud.run.faults import Faults
from localcloud.run.fleet import Fleet
from localcloud.run.launch import Place
from localcloud.run.operations import Operations
from localcloud.run.rest import routes as run_routes
from localcloud.secrets.rest import routes as secret_routes
from localcloud.secrets.store import Secrets
from localcloud.services import HOST, address

# How long requests in flight may take to end once the process is told to stop.
GRACE_S = 3
# How long an idle connection is kept, as Google's front ends do. Some clients (httplib2, which the Cloud Run worker's
# has below it) fail on one that was closed meanwhile, and look at a job every five seconds: uvicorn's default.
KEEP_ALIVE_S = 600


def serve(data: Path, ports: Mapping[str, int]) -> None:
    """Serve until SIGTERM or SIGINT, then end the requests in flight and close what is open.

    Args:
        data: the data folder.
        ports: by the names of the addresses; `storage` and `bigquery` must be there, others are left out.

    Raises:
        OSError: a port is taken.
    """
    signal.signal(signal.SIGTERM, _leave)  # uvicorn hands a signal on once its part is closed
    signal.signal(signal.SIGINT, _leave)
    logs = data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for service in ports:
        write_log(service, logs)
    lake = storage.serve(data / "storage", ports["storage"])
    try:
        warehouse = bigquery.Warehouse(data / "bigquery", lake.store)
        try:
            served: dict[str, list[BaseRoute]] = {"bigquery": [*metadata.routes(), *bigquery.routes(warehouse)]}
            if "publisher" in ports:
                served["publisher"] = [*Publisher(data / "publisher", package_data()).routes()]
            if "run" in ports:
                served |= _containers(data, ports)
            _listen(
                {ports[name]: logged(name, closed_to_pages(Starlette(routes=each))) for name, each in served.items()}
            )
        finally:
            warehouse.close()
    finally:
        lake.close()


def _containers(data: Path, ports: Mapping[str, int]) -> dict[str, list[BaseRoute]]:
    """Return what Cloud Run and Secret Manager answer: the one reads what the other keeps."""
    kept = Secrets(data / "secretmanager")
    addresses = {name: address(port) for name, port in ports.items()}
    fleet = Fleet(Place(data, environment.for_container(addresses)), kept)
    operations = Operations(data / "cloudrun" / "operations", fleet)
    return {"run": run_routes(fleet, operations, Faults()), "secretmanager": secret_routes(kept)}


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
        by_port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run(sockets)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    # once is enough: what follows closes files
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)
