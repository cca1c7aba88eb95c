"""What the local cloud costs: its start, its transfers, its loads and its memory, with Google's own clients.

python -m benchmarks.local_cloud

The table goes into docs/local-cloud.md, between its markers. On a busy machine the figures are that machine's.
"""

import io
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from localcloud import supervisor
from localcloud.services import CLOUD, SERVICES, Service
from localcloud.state import State

PAGE = Path(__file__).parents[1] / "docs" / "local-cloud.md"
BEGIN, END = "<!-- figures: generated -->\n", "<!-- figures: end -->"
UPLOAD_BYTES = 128 << 20
PART_BYTES = 8 << 20
ROWS = 1_500_000
RUNS = 3

Figure = tuple[str, str, str]


def main() -> None:
    """Measure everything, print the table and write it into the page."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        starts = [_start(data / "cloud", CLOUD) for _ in range(RUNS + 1)]
        both = [_start(data / "whole", *SERVICES) for _ in range(2)]
        figures: list[Figure] = [
            ("start", f"{_median(starts[1:]):.2f} s", "under 3 s"),
            ("start, with a Prefect server beside it", f"{both[1]:.1f} s", ""),
            ("the very first start with Prefect, which makes its database", f"{both[0]:.1f} s", ""),
        ]
        with _running(data / "cloud") as pid:
            idle_mb = _rss_mb(pid)
            figures += [*_transfers(), *_loads(pid)]
            figures += [
                ("memory after the start", f"{idle_mb:.0f} MB", ""),
                ("peak memory after all of this", f"{_peak_mb(pid):.0f} MB", "under 400 MB"),
            ]
    lines = ["| | median | target |", "|---|---:|---|", *(f"| {' | '.join(figure)} |" for figure in figures)]
    busy = f"{os.getloadavg()[0]:.1f} processes at work at the end, ours among them"
    said = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} CPUs, {busy}; median of {RUNS}; MB are 10^6 bytes."
    text = "\n".join([*lines, "", said])
    print(text)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{rest.partition(END)[2]}")


def _transfers() -> Iterator[Figure]:
    client = storage.Client(project="local", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = client.create_bucket("bench")
    content = os.urandom(UPLOAD_BYTES)
    whole, parts = bucket.blob("whole"), bucket.blob("parts", chunk_size=PART_BYTES)
    yield _rate("upload of 128 MiB, one request", lambda: whole.upload_from_string(content), "100 MB/s or more")
    yield _rate("upload of 128 MiB, parts of 8 MiB", lambda: parts.upload_from_string(content), "100 MB/s or more")
    yield _rate("download of 128 MiB", whole.download_as_bytes, "")
    small = bucket.blob("small")
    took = _times(lambda: [small.upload_from_string(b"x") for _ in range(100)])
    yield "100 small uploads, one after the other", f"{_median(took):.2f} s", ""


def _loads(pid: int) -> Iterator[Figure]:
    client = bigquery.Client("local", AnonymousCredentials())  # type: ignore[no-untyped-call]
    lake = storage.Client(project="local", credentials=AnonymousCredentials()).bucket("bench")  # type: ignore[no-untyped-call]
    lake.blob("month.parquet").upload_from_string(_month())
    client.create_dataset("bench")
    config = bigquery.LoadJobConfig(
        source_format="PARQUET",
        write_disposition="WRITE_TRUNCATE",
        time_partitioning=bigquery.TimePartitioning(type_="MONTH", field="file_month"),
    )

    def load() -> None:
        client.load_table_from_uri("gs://bench/month.parquet", "bench.t$202101", job_config=config).result()

    client.load_table_from_uri("gs://bench/month.parquet", "bench.t", job_config=config).result()
    before_s = _cpu_s(pid)
    yield "load of 1.5 million rows in 19 columns into a partition", f"{_median(_times(load)):.2f} s", "under 2 s"
    yield "CPU time of such a load, on two threads", f"{(_cpu_s(pid) - before_s) / RUNS:.2f} s", ""
    sql = "SELECT zone, COUNT(*) AS n, AVG(f0) AS f FROM bench.t GROUP BY zone ORDER BY n DESC"
    yield "a query that groups them", f"{_median(_times(lambda: list(client.query(sql).result()))):.2f} s", ""


def _month() -> bytes:
    """Return Parquet with two times, a text, nine floating and six whole numbers, and the partition's column."""
    random = np.random.default_rng(202101)
    times = {
        name: pa.array(1_609_459_200_000_000 + random.integers(0, 31 * 86_400, ROWS) * 1_000_000, pa.timestamp("us"))
        for name in ("picked_up", "dropped_off")
    }
    floats = {f"f{i}": pa.array(np.round(random.exponential(12, ROWS), 2)) for i in range(9)}
    whole = {f"i{i}": pa.array(random.integers(0, 265, ROWS)) for i in range(6)}
    zone = pa.array(np.array(["EWR", "Queens", "Bronx"])[random.integers(0, 3, ROWS)])
    month = pa.repeat(pa.scalar(18628, pa.date32()), ROWS)
    written = io.BytesIO()
    pq.write_table(pa.table({**times, **floats, **whole, "zone": zone, "file_month": month}), written)
    return written.getvalue()


def _start(data: Path, *services: Service) -> float:
    began = time.monotonic()
    supervisor.up(data, services)
    took = time.monotonic() - began
    supervisor.down(data)
    return took


@contextmanager
def _running(data: Path) -> Iterator[int]:
    supervisor.up(data, (CLOUD,))
    try:
        addresses = supervisor.addresses_of(data)
        os.environ["STORAGE_EMULATOR_HOST"] = addresses["storage"]
        os.environ["BIGQUERY_EMULATOR_HOST"] = addresses["bigquery"]
        yield State(data).records()[0].identity.pid
    finally:
        supervisor.down(data)


def _rate(what: str, transfer: Callable[[], object], target: str) -> Figure:
    return what, f"{UPLOAD_BYTES / 1e6 / _median(_times(transfer)):.0f} MB/s", target


def _times(work: Callable[[], object]) -> list[float]:
    took = []
    for _ in range(RUNS):
        began = time.monotonic()
        work()
        took.append(time.monotonic() - began)
    return took


def _median(numbers: list[float]) -> float:
    return statistics.median(numbers)


def _cpu_s(pid: int) -> float:
    spent = psutil.Process(pid).cpu_times()
    return float(spent.user + spent.system)


def _rss_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _peak_mb(pid: int) -> float:
    """Return the largest resident set so far; Linux alone remembers it, elsewhere it is the present one."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 / 1e6 if found else _rss_mb(pid)


if __name__ == "__main__":
    main()
