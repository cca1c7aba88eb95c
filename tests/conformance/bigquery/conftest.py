"""A table's name in a fresh dataset, files in a fresh bucket, and short ways to load and to ask."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery, storage

from tests.conformance.targets import Target

Put = Callable[[str, pa.Table | str | bytes], str]
Load = Callable[..., bigquery.LoadJob]
Select = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def table(dataset: bigquery.Dataset) -> str:
    """The full name of a table that is not there yet; others of the dataset begin with it."""
    return f"{dataset.project}.{dataset.dataset_id}.trips"


@pytest.fixture
def put(bucket: storage.Bucket) -> Put:
    """Put Parquet, text or bytes into the bucket under a name; give the address."""

    def write(name: str, content: pa.Table | str | bytes) -> str:
        if isinstance(content, pa.Table):
            sink = pa.BufferOutputStream()
            pq.write_table(content, sink)
            content = sink.getvalue().to_pybytes()
        bucket.blob(name).upload_from_string(content)
        return f"gs://{bucket.name}/{name}"

    return write


@pytest.fixture
def load(bigquery_client: bigquery.Client) -> Load:
    """Load Parquet from addresses into a table and wait; keywords are those of LoadJobConfig, and a job id."""

    def run(uri: str | list[str], table: str, *, job_id: str | None = None, **config: Any) -> bigquery.LoadJob:
        given = {"source_format": "PARQUET", **config}
        job = bigquery_client.load_table_from_uri(uri, table, job_id=job_id, job_config=bigquery.LoadJobConfig(**given))
        job.result()
        return job

    return run


@pytest.fixture
def select(bigquery_client: bigquery.Client) -> Select:
    """Run a query and give its rows as tuples; keywords are those of QueryJobConfig."""

    def run(sql: str, **config: Any) -> list[tuple[Any, ...]]:
        rows = bigquery_client.query(sql, job_config=bigquery.QueryJobConfig(**config)).result()
        return [tuple(row.values()) for row in rows]

    return run


@pytest.fixture
def job_id(target: Target) -> str:
    """A job's id that nobody has used."""
    return target.unique("claim-")
