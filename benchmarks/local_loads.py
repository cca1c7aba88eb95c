"""How fast the local BigQuery loads a month and a half of yellow-shaped trips, and what the local cloud then weighs.

Usage: python -m benchmarks.local_loads [FOLDER]; the trips are made in FOLDER once, in about 20 s.
"""

import sys
import tempfile
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from benchmarks import yellow
from localcloud import supervisor
from localcloud.services import CLOUD
from localcloud.state import State

ROWS = 1_500_000
ROW_GROUP = 131_072
TURNS = 12
MONTH = bigquery.TimePartitioning("MONTH", "file_month")
LOAD_TARGET_S, MEMORY_TARGET_MB = 2.0, 400


def parquet(folder: Path) -> Path:
    """Give the trips as one Parquet file with the partition's column, as Landfall writes them."""
    path = folder / f"yellow_{ROWS}.parquet"
    if path.exists():
        return path
    text = folder / "yellow_2x.csv.gz"
    if not text.exists():
        yellow.make(text, 2)
    trips = pyarrow.csv.read_csv(text).slice(0, ROWS)
    month = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), ROWS), pa.array(["2021-01-01"])).cast(
        pa.string()
    )
    seconds = {name: pa.timestamp("us") for name in trips.column_names if name.endswith("_datetime")}
    for name, kind in seconds.items():
        trips = trips.set_column(trips.column_names.index(name), name, trips.column(name).cast(kind))
    trips = trips.append_column("file_month", month.cast(pa.date32()))
    pq.write_table(trips, path, compression="zstd", row_group_size=ROW_GROUP)
    return path


def main(folder: Path) -> None:
    """Load the trips into one partition again and again, and print a table."""
    folder.mkdir(parents=True, exist_ok=True)
    path = parquet(folder)
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "cloud"
        supervisor.up(data, (CLOUD,))
        try:
            _measure(data, path)
        finally:
            supervisor.down(data)


def _measure(data: Path, path: Path) -> None:
    where = supervisor.addresses_of(data)
    process = psutil.Process(State(data).records()[0].identity.pid)
    print(f"{ROWS:,} rows, {path.stat().st_size / 1e6:.1f} MB of Parquet; started with {_mb(process):.0f} MB")
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    objects = storage.Client("local", nobody, client_options={"api_endpoint": where["storage"]})
    objects.create_bucket("lake").blob("trips.parquet").upload_from_filename(path)
    client = bigquery.Client("local", nobody, client_options={"api_endpoint": where["bigquery"]})
    client.create_dataset("trips")
    print(f"{'load':>6} {'seconds':>8} {'rows/s':>12} {'CPU s':>6} {'MB now':>8} {'MB peak':>8}")
    for turn in range(1, TURNS + 1):
        started, cpu_s = time.perf_counter(), _cpu_s(process)
        config = bigquery.LoadJobConfig(
            source_format="PARQUET", write_disposition="WRITE_TRUNCATE", time_partitioning=MONTH
        )
        decorated = "trips.yellow" if turn == 1 else "trips.yellow$202101"
        job = client.load_table_from_uri("gs://lake/trips.parquet", decorated, job_config=config)
        job.result()
        seconds = time.perf_counter() - started
        if job.output_rows != ROWS:
            raise RuntimeError(f"found {job.output_rows} rows loaded, expected {ROWS}")
        cost = f"{_cpu_s(process) - cpu_s:>6.2f} {_mb(process):>8.0f} {_peak_mb(process):>8.0f}"
        print(f"{turn:>6} {seconds:>8.2f} {ROWS / seconds:>12,.0f} {cost}")
    print(f"targets: {LOAD_TARGET_S} s, {MEMORY_TARGET_MB} MB")


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _peak_mb(process: psutil.Process) -> float:
    """Read the peak where the system tells it; elsewhere what is used now."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return _mb(process)
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made))
