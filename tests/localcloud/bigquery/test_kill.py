"""SIGKILL in the middle of a load: the partition is as it was, and the job runs again at the next start."""

import datetime as dt
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from google.cloud import bigquery

from tests.localcloud.bigquery.served import FolderLake, client_of, free_port, running

BIG = 2_000_000  # rows: more than are written at once
DELAY_S = 0.2


def serve(root: Path, lake: FolderLake, port: int) -> "subprocess.Popen[bytes]":
    module = "tests.localcloud.bigquery.served"
    arguments = [str(root), str(lake.root), str(port), str(DELAY_S)]
    return subprocess.Popen([sys.executable, "-m", module, *arguments])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not start")


def test_a_load_killed_while_it_writes_leaves_the_old_rows_and_runs_again(tmp_path: Path, lake: FolderLake) -> None:
    root, port = tmp_path / "warehouse", free_port()
    old = lake.write("old.csv", "2021-01-01,1\n2021-02-01,1\n")
    day = dt.date(2021, 1, 1)
    new = lake.write("new.parquet", pa.table({"m": pa.repeat(day, BIG), "x": range(BIG)}))
    process = serve(root, lake, port)
    try:
        wait_for(port)
        with client_of(f"http://127.0.0.1:{port}") as client:
            client.create_dataset("trips")
            client.query("CREATE TABLE trips.t (m DATE, x INT64) PARTITION BY DATE_TRUNC(m, MONTH)").result()
            append = bigquery.LoadJobConfig(source_format="CSV")
            client.load_table_from_uri(old, "trips.t", job_config=append).result()
            replace = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE_DATA")
            job = client.load_table_from_uri(new, "trips.t$202101", job_id="killed", job_config=replace)
            while job.state != "RUNNING":
                job.reload()
            file = root / "warehouse.duckdb"
            before = file.stat().st_size
            while file.stat().st_size == before:  # rows are written ahead of the commit
                time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(root, lake, 30) as address, client_of(address) as client:  # too slow to have run the job again
        assert client.get_job("killed").state == "PENDING"
        assert [tuple(row.values()) for row in client.list_rows("trips.t")] == [(day, 1), (day.replace(month=2), 1)]
    with running(root, lake) as address, client_of(address) as client:
        again = client.get_job("killed")
        again.result()
        assert (again.output_rows, client.get_table("trips.t").num_rows) == (BIG, BIG + 1)
