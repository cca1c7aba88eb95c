"""Many clients at once: nobody fails, nobody sees half of anything."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from google.cloud import bigquery

from tests.localcloud.bigquery.conftest import Load, Select
from tests.localcloud.bigquery.served import FolderLake

ROWS = 20_000


def test_loads_of_different_partitions_at_once_all_arrive(
    client: bigquery.Client, select: Select, lake: FolderLake
) -> None:
    select("CREATE TABLE trips.t (m DATE, x INT64) PARTITION BY DATE_TRUNC(m, MONTH)")
    config = bigquery.LoadJobConfig(source_format="CSV", write_disposition="WRITE_TRUNCATE")
    months = [f"2021-{month:02}" for month in range(1, 13)]
    uris = {month: lake.write(f"{month}.csv", f"{month}-01,1\n" * 100) for month in months}

    def land(month: str) -> list[int | None]:
        table = f"trips.t${month.replace('-', '')}"
        jobs = [client.load_table_from_uri(uris[month], table, job_config=config) for _ in range(2)]
        for job in jobs:
            job.result()
        return [job.output_rows for job in jobs]

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(land, months)) == [[100, 100]] * 12
    counted = "SELECT partition_id, total_rows FROM trips.INFORMATION_SCHEMA.PARTITIONS ORDER BY 1"
    assert select(counted) == [(month.replace("-", ""), 100) for month in months]


def test_a_reader_during_replacements_sees_only_whole_contents(
    client: bigquery.Client, load: Load, lake: FolderLake
) -> None:
    for value in (1, 2):
        lake.write(f"{value}.parquet", pa.table({"x": [value] * ROWS}))
    load("gs://lake/1.parquet", "trips.t")
    seen: list[tuple[int, int, int]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            counted = client.query("SELECT count(*) AS n, min(x) AS low, max(x) AS high FROM trips.t").result()
            seen.extend((row.n, row.low, row.high) for row in counted)

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for turn in range(8):
            load(f"gs://lake/{turn % 2 + 1}.parquet", "trips.t", write_disposition="WRITE_TRUNCATE")
        stop.set()
        for reader in readers:
            reader.result()
    assert set(seen) == {(ROWS, 1, 1), (ROWS, 2, 2)}


def test_paging_through_a_table_that_is_replaced_meanwhile_reads_the_old_rows(
    client: bigquery.Client, load: Load, lake: FolderLake
) -> None:
    load(lake.write("a.parquet", pa.table({"x": [1] * 30})), "trips.t")
    pages = client.list_rows("trips.t", page_size=10).pages
    values = [row.x for row in next(pages)]
    load(lake.write("b.parquet", pa.table({"x": [2] * 50})), "trips.t", write_disposition="WRITE_TRUNCATE")
    values += [row.x for page in pages for row in page]
    assert values == [1] * 30


def test_sixteen_clients_that_do_everything_at_once_all_succeed(
    client: bigquery.Client, load: Load, select: Select, lake: FolderLake
) -> None:
    load(lake.write("a.parquet", pa.table({"x": range(10)})), "trips.source")

    def work(number: int) -> tuple[object, ...]:
        table = f"trips.t{number}"
        load("gs://lake/a.parquet", table)
        client.copy_table("trips.source", f"{table}_copy").result()
        select(f"INSERT INTO {table} (x) VALUES ({number})")
        described = client.get_table(table)
        described.description = "done"
        client.update_table(described, ["description"])
        return len(list(client.list_rows(table))), client.get_table(f"{table}_copy").num_rows

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [(11, 10)] * 16
