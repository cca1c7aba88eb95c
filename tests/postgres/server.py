"""A Postgres server of the tests' own, from the binaries that are installed: its data in a temporary folder."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WANTED = ("initdb", "pg_ctl", "postgres")
# a test's database need not outlive a power cut; what is killed here are landings, not the server
FAST = "-c fsync=off -c full_page_writes=off -c shared_buffers=64MB -c max_connections=80 -c autovacuum=off"


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens: on loopback, and on a socket in its folder. Anybody on this machine may come in."""

    port: int
    folder: Path

    def address(self, **more: object) -> dict[str, object]:
        """Give libpq's keywords for its database."""
        return {"host": "127.0.0.1", "port": self.port, "user": "landfall", "dbname": "postgres", **more}


def binaries() -> Path | None:
    """Find the folder of the newest Postgres that is installed; None without."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = [Path(found).parent for found in [shutil.which("initdb")] if found]
    found = [each for each in [*on_path, *reversed(versions)] if all((each / name).exists() for name in WANTED)]
    return found[0] if found else None


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """Start a server whose binaries are in a folder, and stop it in the end."""
    # a socket's path may have 107 characters, which pytest's folders are near to
    with tempfile.TemporaryDirectory(prefix="landfall-pg-") as name:
        data = Path(name) / "data"
        other = _other_user(Path(name))
        _call(folder / "initdb", "-D", data, "-U", "landfall", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", **other)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"{FAST} -c listen_addresses=127.0.0.1 -p {port} -k {name}"
        control = (folder / "pg_ctl", "-D", data, "-s", "-w")
        _call(*control, "-l", Path(name) / "log", "-o", options, "start", **other)
        try:
            yield Server(port, Path(name))
        finally:
            _call(*control, "-m", "immediate", "stop", **other)


def _other_user(folder: Path) -> dict[str, int]:
    """Choose who runs it: Postgres refuses to be root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _call(*command: str | Path, **other: int) -> None:
    groups = {"extra_groups": list[int]()} if other else {}
    done = subprocess.run(  # type: ignore[call-overload]
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
        **other,
        **groups,
    )
    assert done.returncode == 0, done.stderr


def make_database(running: Server, name: str) -> None:
    """Make one more database."""
    import psycopg  # noqa: PLC0415 - who measures processes starts a server, and must stay small

    with psycopg.connect(**running.address(), autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name}")
