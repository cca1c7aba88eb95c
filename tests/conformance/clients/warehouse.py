"""What a Prefect user does with prefect-gcp's BigQuery tasks and block; run as a program, in a cloud's environment.

Usage: python warehouse.py PROJECT DATASET ADDRESS-OF-PARQUET FILE
"""

import sys
from pathlib import Path
from typing import Any

from google.cloud import bigquery
from prefect.logging import disable_run_logger
from prefect_gcp import GcpCredentials
from prefect_gcp import bigquery as tasks

SCHEMA = [bigquery.SchemaField("x", "INTEGER"), bigquery.SchemaField("name", "STRING")]


def use_tasks(credentials: GcpCredentials, dataset: str, uri: str, file: Path) -> None:
    """Create, stream, load and query, as each task does it."""
    made = tasks.bigquery_create_table.fn(
        dataset=dataset, table="made", gcp_credentials=credentials, schema=SCHEMA, clustering_fields=["x"]
    )
    assert made == "made", made
    rows = [{"x": 1, "name": "one"}]
    refused = tasks.bigquery_insert_stream.fn(dataset=dataset, table="made", records=rows, gcp_credentials=credentials)
    assert refused == [], refused
    config = {"source_format": "PARQUET", "write_disposition": "WRITE_TRUNCATE"}
    loaded = tasks.bigquery_load_cloud_storage.fn(
        dataset=dataset, table="loaded", uri=uri, gcp_credentials=credentials, job_config=config
    )
    assert (loaded.state, loaded.output_rows) == ("DONE", 2), loaded
    uploaded = tasks.bigquery_load_file.fn(
        dataset=dataset, table="uploaded", path=file, gcp_credentials=credentials, schema=SCHEMA
    )
    assert uploaded.output_rows == 1, uploaded

    def ask(sql: str, **more: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in tasks.bigquery_query.fn(sql, credentials, **more)]

    both = f"SELECT x, name FROM {dataset}.made UNION ALL SELECT x, name FROM {dataset}.uploaded ORDER BY x"
    assert ask(both) == [(1, "one"), (7, "seven")]
    asked = ask(f"SELECT x FROM {dataset}.loaded WHERE x > @least", query_params=[("least", "INT64", 1)])
    assert asked == [(2,)], asked
    ask(f"SELECT x FROM {dataset}.loaded", dry_run_max_bytes=10**9, dataset=dataset, table="kept")
    assert ask(f"SELECT COUNT(*) AS n FROM {dataset}.kept") == [(2,)]


def use_block(credentials: GcpCredentials, dataset: str) -> None:
    """Execute and fetch through the block's DB-API connection."""
    with tasks.BigQueryWarehouse(gcp_credentials=credentials) as block:
        block.execute(f"CREATE TABLE {dataset}.mine (x INT64, name STRING)")
        block.execute_many(
            f"INSERT INTO {dataset}.mine (x, name) VALUES (%(x)s, %(name)s)",
            seq_of_parameters=[{"x": 1, "name": "one"}, {"x": 2, "name": "two"}],
        )
        sql = f"SELECT x, name FROM {dataset}.mine ORDER BY x"
        assert tuple(block.fetch_one(sql)) == (1, "one")
        block.reset_cursors()
        assert [tuple(row) for row in block.fetch_all(sql)] == [(1, "one"), (2, "two")]
        found = block.fetch_all(f"SELECT name FROM {dataset}.mine WHERE x = %(x)s", parameters={"x": 2})
        assert [tuple(row) for row in found] == [("two",)]


if __name__ == "__main__":
    given = GcpCredentials(project=sys.argv[1])
    with disable_run_logger():
        use_tasks(given, sys.argv[2], sys.argv[3], Path(sys.argv[4]))
        use_block(given, sys.argv[2])
    sys.stdout.write("used\n")
