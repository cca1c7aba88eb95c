"""What a Prefect user does with a GcsBucket block; run as a program, in the environment of a cloud."""

import sys
from pathlib import Path

from prefect_gcp import GcpCredentials, GcsBucket


def use(bucket: str, folder: Path) -> None:
    """Write, read, list, upload, download: each method of the block that flows use."""
    block = GcsBucket(bucket=bucket, gcp_credentials=GcpCredentials(project="local"), bucket_folder="prefect/")
    block.write_path("one.txt", content=b"one")
    assert block.read_path("one.txt") == b"one"
    (folder / "up").mkdir()
    for name in ("a", "b"):
        (folder / "up" / name).write_text(name)
    assert block.put_directory(local_path=str(folder / "up"), to_path="folder") == 2
    assert block.upload_from_path(folder / "up" / "a", "c") == "prefect/c"
    names = sorted(blob.name for blob in block.list_blobs())
    assert names == [f"prefect/{name}" for name in ("c", "folder/a", "folder/b", "one.txt")], names
    assert sorted(block.list_folders()) == ["prefect", "prefect/folder"], block.list_folders()
    block.download_object_to_path("c", folder / "c")
    assert (folder / "c").read_text() == "a"
    block.get_directory("folder", str(folder / "down"))
    found = sorted(path.name for path in (folder / "down").rglob("*") if path.is_file())
    assert found == ["a", "b"], found
    sys.stdout.write("used\n")


if __name__ == "__main__":
    use(sys.argv[1], Path(sys.argv[2]))
