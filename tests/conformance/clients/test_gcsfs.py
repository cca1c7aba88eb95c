"""gcsfs, with which pandas, Dask and DuckDB open gs:// addresses."""

from typing import Any

import pytest

from tests.conformance.clients.conftest import Lake
from tests.conformance.promises import relied_on

gcsfs = pytest.importorskip("gcsfs")

USED = relied_on("GCSFileSystem is a file system over the JSON API", "https://gcsfs.readthedocs.io/en/latest/")


@pytest.fixture
def files(lake: Lake) -> Any:
    # with GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT=false `gcsfs.GCSFileSystem` is this class; otherwise it asks for a bucket's
    # kind over gRPC first, which only Google serves, and waits a minute for an answer
    options = {"token": "anon", "project": "local", "endpoint_url": lake.address, "skip_instance_cache": True}
    return gcsfs.core.GCSFileSystem(**options)


@USED
def test_gcsfs_reads_whole_objects_and_ranges(lake: Lake, files: Any) -> None:
    path = f"{lake.bucket}/lake/x.parquet"
    assert files.ls(f"{lake.bucket}/lake") == [path]
    whole = files.cat(path)
    assert (whole[:4], len(whole)) == (b"PAR1", files.info(path)["size"])
    assert files.cat_file(path, 10, 20) == whole[10:20]


@USED
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's advice to gcsfs
def test_gcsfs_writes_in_blocks_and_moves(lake: Lake, files: Any) -> None:
    content = b"".join(bytes([number]) * 700_000 for number in range(5))
    with files.open(f"{lake.bucket}/w/one", "wb", block_size=1 << 20) as file:
        for start in range(0, len(content), 700_000):
            file.write(content[start : start + 700_000])
    assert files.cat(f"{lake.bucket}/w/one") == content
    files.mv(f"{lake.bucket}/w/one", f"{lake.bucket}/w/two")
    files.invalidate_cache()
    assert files.find(f"{lake.bucket}/w") == [f"{lake.bucket}/w/two"]
    files.rm(f"{lake.bucket}/w", recursive=True)
    files.invalidate_cache()
    assert files.find(lake.bucket) == [f"{lake.bucket}/lake/x.parquet"]


@USED
def test_gcsfs_makes_and_removes_a_bucket(lake: Lake, files: Any) -> None:
    made = f"{lake.bucket}-made"
    files.mkdir(made)
    assert files.exists(made)
    files.rmdir(made)
    files.invalidate_cache()
    assert not files.exists(made)
