"""A bucket with one Parquet object in it, for clients that nobody here wrote."""

import io
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import storage

from tests.conformance.targets import Target

ROWS = 50_000


@dataclass(frozen=True)
class Lake:
    """Where the bucket is, and the table that its object `lake/x.parquet` holds."""

    address: str  # the storage service's
    bucket: str
    table: pa.Table


@pytest.fixture(scope="session")
def table() -> pa.Table:
    return pa.table({"number": range(ROWS), "text": [f"row {number}" for number in range(ROWS)]})


@pytest.fixture
def lake(target: Target, bucket: storage.Bucket, table: pa.Table, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The lake, in the environment that leads clients there."""
    if target.name == "cloud":
        pytest.skip("these clients come without credentials")
    for name, value in target.environment.items():
        monkeypatch.setenv(name, value)
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=10_000)
    bucket.blob("lake/x.parquet").upload_from_string(file.getvalue())
    return Lake(target.addresses["storage"], bucket.name, table)
