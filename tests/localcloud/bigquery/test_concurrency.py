"""Many clients at once: nobody fails, nobody sees half of anything."""

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
