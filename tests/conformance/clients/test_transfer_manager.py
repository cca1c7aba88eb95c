"""Google's transfer manager: many objects, or the parts of one, at once."""

import os
from pathlib import Path

from google.cloud import storage
from google.cloud.storage import transfer_manager

from tests.conformance.clients.conftest import Lake
from tests.conformance.promises import promise

SOURCE = "google/cloud/storage/transfer_manager.py"


@promise("Upload many files concurrently by their filenames.", SOURCE)
@promise("Download many files concurrently by their blob names.", SOURCE)
def test_many_files_go_up_and_down_at_once(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    assert lake
    names = [f"f{number:02}" for number in range(20)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * 1000)
    options = {"worker_type": transfer_manager.THREAD, "max_workers": 4}
    up = transfer_manager.upload_many_from_filenames(
        bucket, names, source_directory=str(tmp_path), blob_name_prefix="many/", **options
    )
    down = transfer_manager.download_many_to_path(
        bucket, [f"many/{name}" for name in names], destination_directory=str(tmp_path / "down"), **options
    )
    assert (up, down) == ([None] * 20, [None] * 20)
    assert [(tmp_path / "down" / "many" / name).read_bytes() for name in names] == [
        name.encode() * 1000 for name in names
    ]


@promise("Download a single file in chunks, concurrently.", SOURCE)
def test_one_object_comes_down_in_chunks_at_once(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    assert lake
    content = os.urandom(1 << 20) * 8
    blob = bucket.blob("big")
    blob.upload_from_string(content)
    options = {"worker_type": transfer_manager.THREAD, "max_workers": 4, "chunk_size": 1 << 20}
    transfer_manager.download_chunks_concurrently(blob, str(tmp_path / "big"), **options)
    assert (tmp_path / "big").read_bytes() == content
