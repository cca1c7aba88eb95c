"""What the local BigQuery uses: the files behind a URI, and a file made an object."""

import os
from pathlib import Path
from typing import Any

import pytest

from localcloud.storage import NoSuchObject, StorageServer, StoredFile


@pytest.fixture
def lake(http: Any, server: StorageServer) -> StorageServer:
    for name in ("a/1.parquet", "a/2.parquet", "a/b/3.parquet", "a[1].csv", "c"):
        http.media(name, name.encode())
    return server


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("gs://lake/c", ["c"]),
        ("gs://lake/a/*.parquet", ["a/1.parquet", "a/2.parquet", "a/b/3.parquet"]),
        ("gs://lake/a[1].*", ["a[1].csv"]),
        ("gs://lake/*", ["a/1.parquet", "a/2.parquet", "a/b/3.parquet", "a[1].csv", "c"]),
    ],
)
def test_a_uri_stands_for_the_files_of_live_objects(lake: StorageServer, uri: str, names: list[str]) -> None:
    found = lake.store.matching(uri)
    assert [each.name for each in found] == names
    assert [each.path.read_text() for each in found] == names
    assert [each.size for each in found] == [len(name) for name in names]


@pytest.mark.parametrize("uri", ["gs://lake/nothing", "gs://lake/x*", "gs://nowhere/c", "gs://lake/a"])
def test_a_uri_that_stands_for_nothing_is_an_error(lake: StorageServer, uri: str) -> None:
    with pytest.raises(NoSuchObject, match=r"No such object: gs://"):
        lake.store.matching(uri)
    assert issubclass(NoSuchObject, LookupError)


@pytest.mark.parametrize("uri", ["gs://lake/a*b*", "gs://lake", "gs://la*e/c", "/tmp/c"])  # noqa: S108  # opens nothing
def test_what_is_no_uri_is_an_error(lake: StorageServer, uri: str) -> None:
    with pytest.raises(ValueError, match=r"gs://|one `\*`"):
        lake.store.matching(uri)


def test_a_hard_link_pins_a_generation(lake: StorageServer, http: Any, tmp_path: Path) -> None:
    (found,) = lake.store.matching("gs://lake/c")
    os.link(found.path, tmp_path / "pinned")
    http.media("c", b"newer")
    assert (tmp_path / "pinned").read_bytes() == b"c"
    assert not found.path.exists()
    (newer,) = lake.store.matching("gs://lake/c")
    assert newer == StoredFile("c", newer.path, 5)


def test_a_put_file_is_an_object_and_stays_its_own(lake: StorageServer, http: Any, tmp_path: Path) -> None:
    source = tmp_path / "extract.csv"
    source.write_bytes(b"one")
    old = http.object("GET", "c").json()
    lake.store.put("gs://lake/c", source)
    source.write_bytes(b"two")
    new = http.object("GET", "c").json()
    assert int(new["generation"]) > int(old["generation"])
    assert (new["size"], new["metageneration"]) == ("3", "1")
    assert http.download("c").data == b"one"
    with pytest.raises(LookupError, match="nowhere"):
        lake.store.put("gs://nowhere/c", source)
