"""A BigQuery server on a free port, a lake that is a folder, and Google's own client.

Run as a program, this module serves a warehouse until it is killed.
"""

from __future__ import annotations

import fnmatch
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import uvicorn
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from starlette.applications import Starlette

from localcloud.bigquery import Warehouse, routes


@dataclass(frozen=True)
class FolderFile:
    name: str
    path: Path
    size: int


class FolderLake:
    """Objects are files under `<root>/<bucket>/`; writing one replaces it, as an object's new generation does."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def matching(self, uri: str) -> list[FolderFile]:
        bucket, _, pattern = uri.removeprefix("gs://").partition("/")
        folder = self.root / bucket
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        found = [
            FolderFile(path.relative_to(folder).as_posix(), path, path.stat().st_size)
            for path in files
            if fnmatch.fnmatchcase(path.relative_to(folder).as_posix(), pattern)
        ]
        if not found:
            raise LookupError(uri)
        return found

    def put(self, uri: str, path: Path) -> None:
        target = self.root / uri.removeprefix("gs://")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target.with_suffix(".part"))
        target.with_suffix(".part").replace(target)

    def write(self, name: str, content: pa.Table | str | bytes) -> str:
        """Put Parquet or text into the bucket `lake`; give its address."""
        target = self.root / "lake" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, target)
        else:
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        return f"gs://lake/{name}"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def server(warehouse: Warehouse, port: int) -> uvicorn.Server:
    app = Starlette(routes=routes(warehouse))
    return uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))


@contextmanager
def running(root: Path, lake: FolderLake, job_delay_s: float = 0.0) -> Iterator[str]:
    """Serve a warehouse from a thread; give its address."""
    warehouse = Warehouse(root, lake, job_delay_s=job_delay_s)
    port = free_port()
    serving = server(warehouse, port)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    while not serving.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        serving.should_exit = True
        thread.join(10)
        warehouse.close()


def client_of(address: str) -> bigquery.Client:
    return bigquery.Client("local", AnonymousCredentials(), client_options={"api_endpoint": address})  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    folder, objects, chosen, delay = sys.argv[1:]
    server(Warehouse(Path(folder), FolderLake(Path(objects)), job_delay_s=float(delay)), int(chosen)).run()
