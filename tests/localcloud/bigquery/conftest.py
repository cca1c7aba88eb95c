"""A server for each test with one empty dataset, and short ways to load and to ask."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from tests.localcloud.bigquery.served import FolderLake, client_of, running

Load = Callable[..., bigquery.LoadJob]
Select = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path / "objects")


@pytest.fixture
def address(tmp_path: Path, lake: FolderLake) -> Iterator[str]:
    with running(tmp_path / "warehouse", lake) as address:
        yield address


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """A client of a server that holds one empty dataset, `trips`."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
    with client_of(address) as client:
        client.create_dataset("trips")
        yield client


@pytest.fixture
def load(client: bigquery.Client) -> Load:
    """Load Parquet from an address into a table and wait; keywords are those of LoadJobConfig, and a job id."""

    def run(uri: str, table: str, *, job_id: str | None = None, **config: Any) -> bigquery.LoadJob:
        given = {"source_format": "PARQUET", **config}
        job = client.load_table_from_uri(uri, table, job_id=job_id, job_config=bigquery.LoadJobConfig(**given))
        job.result()
        return job

    return run


@pytest.fixture
def select(client: bigquery.Client) -> Select:
    """Run a query and give its rows as tuples; keywords are those of QueryJobConfig."""

    def run(sql: str, **config: Any) -> list[tuple[Any, ...]]:
        rows = client.query(sql, job_config=bigquery.QueryJobConfig(**config)).result()
        return [tuple(row.values()) for row in rows]

    return run
