"""An empty dataset for each test, and short ways to load and to ask."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tests.localcloud.bigquery.served import FolderLake, running

Load = Callable[..., bigquery.LoadJob]
Select = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> FolderLake:
    return FolderLake(tmp_path_factory.mktemp("objects"))


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, objects: FolderLake) -> Iterator[str]:
    """One server for all tests: starting and stopping one takes longer than most of them."""
    with running(tmp_path_factory.mktemp("warehouse"), objects) as address:
        yield address


@pytest.fixture
def lake(objects: FolderLake) -> FolderLake:
    """An empty lake."""
    shutil.rmtree(objects.root)
    objects.root.mkdir()
    return objects


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """A client of a warehouse that holds one empty dataset, `trips`; used job ids stay used."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
    with bigquery.Client("local", AnonymousCredentials()) as client:  # type: ignore[no-untyped-call]
        for dataset in client.list_datasets():
            client.delete_dataset(dataset.dataset_id, delete_contents=True)
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
