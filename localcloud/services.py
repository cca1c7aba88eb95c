"""The services: which there are, how each is started, and when it is well."""

import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3

HOST = "127.0.0.1"
PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Service:
    """One process that serves one or more addresses.

    `probes` holds for each address the path that answers 200 when it is well; `command` and `folder` say what is
    started where, from the data folder and a port for each address.
    """

    name: str
    probes: Mapping[str, str]
    command: Callable[[Path, Mapping[str, int]], list[str]]
    folder: Callable[[Path], Path]

    def choose_ports(self, last: Mapping[str, int]) -> dict[str, int]:
        """Return a free port for each address, the last one where it is free."""
        return {name: _free_port(last.get(name, 0)) for name in self.probes}


def _cloud(data: Path, ports: Mapping[str, int]) -> list[str]:
    options = [f"--{name}-port={port}" for name, port in ports.items()]
    return [sys.executable, "-m", "localcloud", "serve", f"--data={data}", *options]


def _prefect(_data: Path, ports: Mapping[str, int]) -> list[str]:
    return [sys.executable, "-m", "prefect", "server", "start", f"--host={HOST}", f"--port={ports['prefect']}"]


CLOUD = Service(
    "cloud",
    {
        "storage": "/storage/v1/b?project=local",
        "bigquery": "/bigquery/v2/projects/local/datasets",  # and the metadata server
        "publisher": "/airlines.csv",
    },
    command=_cloud,
    folder=lambda _data: Path(__file__).parents[1],  # where `-m localcloud` is found, installed or not
)
PREFECT = Service(
    "prefect",
    {"prefect": "/api/health"},
    command=_prefect,
    folder=lambda data: data / "prefect",  # with no prefect.toml or .env of a project to read
)
SERVICES = (CLOUD, PREFECT)


def address(port: int) -> str:
    """Return the address of what listens on that port."""
    return f"http://{HOST}:{port}"


def unwell(service: Service, addresses: Mapping[str, str]) -> list[str]:
    """Return the names of the service's addresses that do not answer as they should, asked one after the other."""
    with urllib3.PoolManager(retries=False, timeout=PROBE_TIMEOUT_S) as pool:
        return [name for name, path in service.probes.items() if not _answers(pool, addresses[name] + path)]


def _answers(pool: urllib3.PoolManager, url: str) -> bool:
    try:
        return pool.request("GET", url).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket() as listener:
            # as servers do it: a port whose last connections are still closing counts as free
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
            chosen: int = listener.getsockname()[1]
            return chosen
    raise OSError(f"{HOST}: no free port")
