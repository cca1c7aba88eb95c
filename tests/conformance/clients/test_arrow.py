"""pyarrow's own file system, which is Google's C++ client."""

from datetime import timedelta

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from google.cloud import storage
from pyarrow import fs

from tests.conformance.clients.conftest import Lake
from tests.conformance.promises import relied_on

USED = relied_on(
    "GcsFileSystem reads, writes, lists, copies and deletes objects",
    "https://arrow.apache.org/docs/python/filesystems.html#google-cloud-storage-file-system",
)


@pytest.fixture
def files(lake: Lake) -> fs.GcsFileSystem:
    host = lake.address.removeprefix("http://")
    patience = timedelta(seconds=5)
    return fs.GcsFileSystem(anonymous=True, scheme="http", endpoint_override=host, retry_time_limit=patience)


@USED
def test_arrow_reads_a_table_and_a_dataset(lake: Lake, files: fs.GcsFileSystem) -> None:
    assert pq.read_table(f"{lake.bucket}/lake/x.parquet", filesystem=files).equals(lake.table)
    dataset = ds.dataset(f"{lake.bucket}/lake", filesystem=files)
    assert dataset.count_rows(filter=ds.field("number") >= 49_990) == 10


@USED
def test_arrow_writes_and_tidies_up(lake: Lake, files: fs.GcsFileSystem, bucket: storage.Bucket) -> None:
    folder = f"{lake.bucket}/lake"
    pq.write_table(lake.table, f"{folder}/y.parquet", filesystem=files)
    assert pq.read_table(f"{folder}/y.parquet", filesystem=files).equals(lake.table)
    files.copy_file(f"{folder}/y.parquet", f"{folder}/z.parquet")
    files.move(f"{folder}/z.parquet", f"{folder}/moved.parquet")
    files.delete_file(f"{folder}/y.parquet")
    listed = {each.path for each in files.get_file_info(fs.FileSelector(folder))}
    assert listed == {f"{folder}/{name}.parquet" for name in ("x", "moved")}
    assert [blob.name for blob in bucket.list_blobs()] == ["lake/moved.parquet", "lake/x.parquet"]
