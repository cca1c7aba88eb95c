"""A Postgres server on loopback, for as long as it is needed."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

START_TIMEOUT_S = 60
USER = "prefect"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: the address that Prefect takes, and its first process."""

    url: str
    process: psutil.Process
    version: str


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Make a database in a folder that is not there yet, as Debian sets it up, and serve it.

    Raises:
        RuntimeError: there is no Postgres here, or it did not come up.
    """
    programs = _programs()
    owner = _owner()
    folder.mkdir(mode=0o700)
    data, password = folder / "data", secrets.token_hex(16)
    (folder / "password").write_text(password)
    for path in (folder, folder / "password"):
        shutil.chown(path, owner)
    initdb = [f"{programs}/initdb", f"--pgdata={data}", f"--username={USER}", "--auth=scram-sha-256"]
    subprocess.run([*initdb, f"--pwfile={folder}/password"], check=True, user=owner, cwd="/", stdout=subprocess.DEVNULL)
    port = _free_port()
    command = [f"{programs}/postgres", "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, user=owner, cwd="/", stdout=log, stderr=log)
    try:
        _wait(programs / "pg_isready", port, folder / "log")
        version = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True)
        url = f"postgresql+asyncpg://{USER}:{password}@127.0.0.1:{port}/postgres"
        yield Postgres(url, psutil.Process(server.pid), version.stdout.split()[2])
    finally:
        server.terminate()
        server.wait()


def _programs() -> Path:
    """Find the newest server: on Debian its programs are on nobody's PATH."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    places = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(places, key=lambda path: int(path.parts[-3]), default=None)
    if newest is None:
        raise RuntimeError("postgres: found none, expected a server's programs; apt-get install postgresql")
    return newest.parent


def _owner() -> str:
    """Postgres refuses to run as root."""
    return "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(ready: Path, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    command = [str(ready), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(command, check=False).returncode:
        if time.monotonic() > deadline:
            raise RuntimeError(f"postgres: no answer within {START_TIMEOUT_S} s; its log:\n{log.read_text()}")
        time.sleep(0.1)
