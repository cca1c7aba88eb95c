"""Query engines that read the lake over HTTP: DuckDB and Polars."""

import importlib.util
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conformance.clients.conftest import ROWS, Lake
from tests.conformance.promises import relied_on

PLAIN = relied_on(
    "an object's plain address answers HEAD, and GET with ranges, a length and a date",
    "https://cloud.google.com/storage/docs/xml-api/get-object-download",
)
LISTED = relied_on(
    "a bucket's plain address lists its objects, in the list's second version",
    "https://cloud.google.com/storage/docs/xml-api/get-bucket-list",
)


@pytest.fixture
def connection() -> Any:
    """DuckDB with httpfs, which ships apart from it: nothing is downloaded here."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    package = importlib.util.find_spec("duckdb_extension_httpfs")
    found = Path(package.origin or "").parent.rglob("httpfs.duckdb_extension") if package else []
    for name in [*(f"'{path}'" for path in found), "httpfs"]:
        try:
            connection.execute(f"LOAD {name}")
        except duckdb.Error:
            continue
        return connection
    pytest.skip("DuckDB's extension httpfs is not installed, or for another version of DuckDB")


@PLAIN
def test_duckdb_reads_an_object_by_its_plain_address(lake: Lake, connection: Any) -> None:
    sql = f"SELECT count(*), max(number) FROM '{lake.address}/{lake.bucket}/lake/x.parquet'"
    assert connection.execute(sql).fetchall() == [(ROWS, ROWS - 1)]


@LISTED
def test_duckdb_reads_a_pattern_of_gs_addresses(lake: Lake, connection: Any) -> None:
    host = lake.address.removeprefix("http://")
    connection.execute(
        f"CREATE SECRET (TYPE gcs, KEY_ID 'a', SECRET 'b', ENDPOINT '{host}', USE_SSL false, URL_STYLE 'path')"
    )
    sql = f"SELECT count(*), max(number) FROM read_parquet('gs://{lake.bucket}/lake/*.parquet')"
    assert connection.execute(sql).fetchall() == [(ROWS, ROWS - 1)]


@PLAIN
def test_polars_reads_an_object_by_its_plain_address(lake: Lake) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.scan_parquet(f"{lake.address}/{lake.bucket}/lake/x.parquet").select("number").tail(3).collect()
    assert frame["number"].to_list() == [ROWS - 3, ROWS - 2, ROWS - 1]


@LISTED
def test_polars_reads_a_pattern_of_gs_addresses(lake: Lake) -> None:
    polars = pytest.importorskip("polars")
    options = {"google_base_url": lake.address, "google_skip_signature": "true", "allow_http": "true"}
    frame = polars.scan_parquet(f"gs://{lake.bucket}/lake/*.parquet", storage_options=options)
    assert frame.select(polars.len()).collect().item() == ROWS
