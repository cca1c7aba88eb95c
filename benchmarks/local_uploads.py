"""Measure the local cloud as its users get it: how fast 128 MiB go up, and what memory its process takes.

Usage: python -m benchmarks.local_uploads [--runs 5]; prints a table, and exits 1 if a target is missed.

Google's own client uploads over loopback to `python -m localcloud up`. The wall clock is the target's, but on a busy
machine it says little: CPU seconds of server and client are beside it.
"""

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import urllib3
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from localcloud import supervisor
from localcloud.state import State

SIZE_BYTES = 128 << 20
LEAST_MB_PER_S = 100
MOST_MEMORY_MB = 400
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: seconds on the wall, and CPU seconds of either side."""

    wall_s: float
    server_cpu_s: float
    client_cpu_s: float


def main() -> int:
    """Measure and print; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts (default: %(default)s)")
    runs: int = parser.parse_args().runs
    content = os.urandom(1 << 20) * (SIZE_BYTES >> 20)
    with tempfile.TemporaryDirectory() as folder, local_cloud(Path(folder)) as (address, server):
        client = storage.Client(
            project="local",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": address},
        )
        uploads = ways(address, client.create_bucket("benchmark"), content)
        print(f"{'128 MiB':<26}{'MB/s':>8}{'wall s':>8}{'server CPU s':>14}{'client CPU s':>14}{'server MB':>11}")
        slowest, memory = float("inf"), 0.0
        for name, upload in uploads.items():
            upload()  # to warm up
            median, most = measure(upload, server, runs)
            speed = SIZE_BYTES / _MB / median.wall_s
            slowest, memory = min(slowest, speed), max(memory, most)
            cpu = f"{median.server_cpu_s:>14.2f}{median.client_cpu_s:>14.2f}"
            print(f"{name:<26}{speed:>8.0f}{median.wall_s:>8.2f}{cpu}{most:>11.0f}")
    print(f"slowest {slowest:.0f} MB/s (target {LEAST_MB_PER_S}), memory {memory:.0f} MB (target {MOST_MEMORY_MB})")
    return 0 if slowest >= LEAST_MB_PER_S and memory < MOST_MEMORY_MB else 1


@contextmanager
def local_cloud(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Start a local cloud of its own; yield storage's address and the process that serves it."""
    data = folder / "cloud"
    command = [sys.executable, "-m", "localcloud"]
    subprocess.run([*command, "up", "--no-prefect", "--data", str(data)], check=True, stdout=subprocess.DEVNULL)
    try:
        (record,) = State(data).records()
        leader = psutil.Process(record.identity.pid)
        yield supervisor.addresses_of(data)["storage"], leader
    finally:
        subprocess.run([*command, "down", "--data", str(data)], check=True, stdout=subprocess.DEVNULL)


def ways(address: str, bucket: storage.Bucket, content: bytes) -> dict[str, Callable[[], object]]:
    """Return each way to upload, by name; all of them write the same object."""
    pool = urllib3.PoolManager()
    target = f"{address}/upload/storage/v1/b/{bucket.name}/o?name=x&uploadType="
    edge = b"--edge\r\nContent-Type: application/json\r\n\r\n{}\r\n--edge\r\nContent-Type: a/b\r\n\r\n"
    multipart = {"Content-Type": "multipart/related; boundary=edge"}

    def resumable(chunk_bytes: int) -> Callable[[], object]:
        return lambda: bucket.blob("x", chunk_size=chunk_bytes).upload_from_file(io.BytesIO(content))

    return {
        "simple (media)": lambda: pool.request("POST", f"{target}media", body=content),
        "multipart": lambda: pool.request(
            "POST", f"{target}multipart", body=edge + content + b"\r\n--edge--", headers=multipart
        ),
        "resumable, the client's": lambda: bucket.blob("x").upload_from_file(io.BytesIO(content)),
        "resumable, parts of 8 MiB": resumable(8 << 20),
        "resumable, parts of 1 MiB": resumable(1 << 20),
    }


def measure(upload: Callable[[], object], server: psutil.Process, runs: int) -> tuple[Measured, float]:
    """Return the median of the runs, each number for itself, and the server's largest memory in MB."""
    measured, memory = [], 0.0
    for _ in range(runs):
        before, mine, start = _cpu_s(server), time.process_time(), time.perf_counter()
        upload()
        wall = time.perf_counter() - start
        measured.append(Measured(wall, _cpu_s(server) - before, time.process_time() - mine))
        memory = max(memory, server.memory_info().rss / _MB)
    median = Measured(
        statistics.median(run.wall_s for run in measured),
        statistics.median(run.server_cpu_s for run in measured),
        statistics.median(run.client_cpu_s for run in measured),
    )
    return median, memory


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
