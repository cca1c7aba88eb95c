import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from flows.etl import upload
from flows.etl.errors import Transient
from flows.etl.upload import ResumableUpload
from localcloud.storage import serve
from tests.proxy import Asked, Fault, Proxy

PART = 256 << 10


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    server = serve(tmp_path)
    with Proxy(server.url) as before:
        yield before
    server.close()


@pytest.fixture
def bucket(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> storage.Bucket:
    monkeypatch.setattr(upload, "PART_BYTES", PART)
    monkeypatch.setattr("flows.etl.upload.time.sleep", lambda _: None)
    credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
    client = storage.Client("local", credentials, client_options={"api_endpoint": proxy.url})
    made: storage.Bucket = client.create_bucket("lake")
    return made


def is_part(number: int) -> Any:
    start = f"bytes {number * PART}-"
    return lambda asked: asked.method == "PUT" and asked.headers.get("Content-Range", "").startswith(start)


def is_status_query(asked: Asked) -> bool:
    return asked.headers.get("Content-Range", "").startswith("bytes */")


def test_nothing_is_visible_before_the_upload_is_finished(bucket: storage.Bucket) -> None:
    content = os.urandom(3 * PART + 17)
    sink = ResumableUpload(bucket.blob("o"), "text/plain")
    for start in range(0, len(content), 100_000):
        sink.write(content[start : start + 100_000])
    assert not bucket.blob("o").exists()
    generation = sink.finish()
    blob = bucket.get_blob("o")
    assert (blob.generation, blob.crc32c, blob.size) == (generation, sink.crc32c, len(content))
    assert blob.download_as_bytes() == content


def test_a_cancelled_upload_leaves_nothing(bucket: storage.Bucket) -> None:
    sink = ResumableUpload(bucket.blob("o"), "text/plain")
    sink.write(os.urandom(2 * PART))
    sink.cancel()
    assert list(bucket.list_blobs()) == []
    with pytest.raises(Transient, match="nothing is visible"):
        sink.finish()


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, 2 * PART])
def test_any_size_arrives_whole(bucket: storage.Bucket, size: int) -> None:
    content = os.urandom(size)
    sink = ResumableUpload(bucket.blob("o"), "text/plain")
    sink.write(content)
    sink.finish()
    assert bucket.get_blob("o").download_as_bytes() == content


@pytest.mark.parametrize("number", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize("fault", ["503", "lost reply"])
def test_a_part_that_meets_passing_trouble_is_sent_again(
    bucket: storage.Bucket, proxy: Proxy, number: int, fault: str
) -> None:
    how: dict[str, Any] = {"status": 503} if fault == "503" else {"lose_reply": True}
    met = proxy.add(Fault(is_part(number), **how))
    content = os.urandom(2 * PART + 5)
    sink = ResumableUpload(bucket.blob("o"), "text/plain")
    sink.write(content)
    generation = sink.finish()
    assert met.fired == 1
    assert bucket.get_blob("o").generation == generation
    assert bucket.get_blob("o").download_as_bytes() == content


def test_a_part_that_never_arrives_is_given_up(bucket: storage.Bucket, proxy: Proxy) -> None:
    proxy.add(Fault(is_part(1), times=100, status=503))
    sink = ResumableUpload(bucket.blob("o"), "text/plain")
    with pytest.raises(
        Transient, match=rf"gs://lake/o: the part at byte {PART} was not taken \(503 .*nothing is visible"
    ):
        sink.write(os.urandom(3 * PART))
    assert list(bucket.list_blobs()) == []


def test_storage_that_holds_other_bytes_than_were_sent_refuses_them(bucket: storage.Bucket) -> None:
    sink = ResumableUpload(bucket.blob("o"), "text/plain")
    sink.write(b"hello")
    sink._crc.update(b"?")  # noqa: SLF001 - bytes that differ from what is counted
    with pytest.raises(Transient, match="the part at byte 0 was not taken"):
        sink.finish()
    assert list(bucket.list_blobs()) == []
