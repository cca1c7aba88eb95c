"""SIGKILL in the middle of a load: the partition is as it was, and the job runs again at the next start."""

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

BIG = 3_000_000  # rows: its load takes several times the longest wait below
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


@pytest.mark.parametrize("into_the_load_s", [0.0, 0.08, 0.2])
def test_a_killed_load_leaves_the_old_rows_and_runs_again(
    tmp_path: Path, lake: FolderLake, into_the_load_s: float
) -> None:
    root, port = tmp_path / "warehouse", free_port()
    old = lake.write("old.csv", "2021-01-01,1\n2021-02-01,1\n")
    days = pa.array(["2021-01-05"] * BIG).dictionary_encode()
    new = lake.write("new.parquet", pa.table({"m": days.cast(pa.string()), "x": range(BIG)}))
    process = serve(root, lake, port)
    try:
        wait_for(port)
        with client_of(f"http://127.0.0.1:{port}") as client:
            client.create_dataset("trips")
            client.query("CREATE TABLE trips.t (m STRING, x INT64)").result()
            append = bigquery.LoadJobConfig(source_format="CSV")
            client.load_table_from_uri(old, "trips.t", job_config=append).result()
            replace = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE_DATA")
            job = client.load_table_from_uri(new, "trips.t", job_id="killed", job_config=replace)
            while job.state != "RUNNING":
                job.reload()
            time.sleep(DELAY_S / 2 + into_the_load_s)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(root, lake, 30) as address, client_of(address) as client:  # too slow to have run the job again
        assert client.get_job("killed").state == "PENDING"
        assert [tuple(row.values()) for row in client.list_rows("trips.t")] == [("2021-01-01", 1), ("2021-02-01", 1)]
    with running(root, lake) as address, client_of(address) as client:
        again = client.get_job("killed")
        again.result()
        assert (again.output_rows, client.get_table("trips.t").num_rows) == (BIG, BIG)
