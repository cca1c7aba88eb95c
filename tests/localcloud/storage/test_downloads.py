"""Downloads: headers, ranges, gzip both ways, and an overwrite in their middle."""

import gzip
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import storage

CONTENT = bytes(range(256)) * 4
ZIPPED = gzip.compress(CONTENT, mtime=0)


def test_a_download_says_what_it_is(http: Any) -> None:
    metadata = {"metadata": {"run": "7", "who": "É\r\nX: 1"}, "cacheControl": "no-store", "contentLanguage": "en"}
    resource = http.multipart("x", CONTENT, metadata=metadata).json()
    reply = http.download("x")
    expected = {
        "Content-Type": "text/plain",
        "Content-Length": str(len(CONTENT)),
        "ETag": resource["etag"],
        "Cache-Control": "no-store",
        "Content-Language": "en",
        "x-goog-hash": f"crc32c={resource['crc32c']},md5={resource['md5Hash']}",
        "x-goog-generation": resource["generation"],
        "x-goog-metageneration": "1",
        "x-goog-storage-class": "STANDARD",
        "x-goog-stored-content-length": str(len(CONTENT)),
        "x-goog-stored-content-encoding": "identity",
        "x-goog-meta-run": "7",
        "x-goog-meta-who": "%C3%89%0D%0AX: 1",
    }
    assert {name: reply.headers.get(name) for name in expected} == expected
    assert (reply.status, reply.data) == (200, CONTENT)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("0-0", 0, 1),
        ("10-19", 10, 20),
        ("1000-", 1000, 1024),
        ("-24", 1000, 1024),
        ("-9999", 0, 1024),
        ("5-9999", 5, 1024),
    ],
)
def test_a_range_is_answered_with_just_that(http: Any, asked: str, start: int, end: int) -> None:
    http.media("x", CONTENT)
    reply = http.download("x", {"Range": f"bytes={asked}"})
    assert (reply.status, reply.data) == (206, CONTENT[start:end])
    assert reply.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


def test_a_range_behind_the_end_is_not_satisfiable(http: Any) -> None:
    http.media("x", CONTENT)
    http.media("empty", b"")
    for name, size in (("x", len(CONTENT)), ("empty", 0)):
        reply = http.download(name, {"Range": f"bytes={size}-"})
        assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "lines=1-2", "bytes=9-5", "bytes=1-2,5-6"])
def test_a_range_that_is_none_gets_everything(http: Any, asked: str) -> None:
    http.media("x", CONTENT)
    reply = http.download("x", {"Range": asked})
    assert (reply.status, reply.data) == (200, CONTENT)


def test_the_media_link_works(http: Any) -> None:
    resource = http.media("a/b #?", CONTENT).json()
    assert http.send("GET", resource["mediaLink"]).data == CONTENT


@pytest.fixture
def zipped(http: Any) -> Callable[..., Any]:
    """Download an object that is stored gzipped, without urllib3's own unpacking."""
    http.media("x", ZIPPED, contentEncoding="gzip")

    def download(headers: dict[str, str]) -> Any:
        address = http.url + "/storage/v1/b/lake/o/x?alt=media"
        return http.pool.request("GET", address, headers=headers, decode_content=False)

    return download


def test_gzip_stays_for_who_accepts_it(zipped: Any) -> None:
    reply = zipped({"Accept-Encoding": "gzip"})
    assert reply.data == ZIPPED
    assert (reply.headers["Content-Encoding"], reply.headers["Content-Length"]) == ("gzip", str(len(ZIPPED)))


def test_gzip_is_unpacked_for_who_does_not_and_ranges_do_not_count(zipped: Any) -> None:
    for headers in ({"Accept-Encoding": "identity"}, {"Accept-Encoding": "identity", "Range": "bytes=0-9"}):
        reply = zipped(headers)
        assert (reply.status, reply.data) == (200, CONTENT)
        assert "Content-Encoding" not in reply.headers
        assert "Content-Length" not in reply.headers
        assert reply.headers["Warning"] == "214 UploadServer gunzipped"
        assert reply.headers["x-goog-stored-content-encoding"] == "gzip"
        assert reply.headers["x-goog-stored-content-length"] == str(len(ZIPPED))


def test_no_transform_keeps_gzip(zipped: Any, http: Any) -> None:
    http.object("PATCH", "x", body={"cacheControl": "no-transform"})
    assert zipped({"Accept-Encoding": "identity"}).data == ZIPPED


def test_what_only_says_gzip_is_refused_not_garbled(http: Any) -> None:
    http.media("x", CONTENT, contentEncoding="gzip")
    assert http.download("x", {"Accept-Encoding": "identity"}).status == 503
    http.media("empty", b"", contentEncoding="gzip")
    assert http.download("empty", {"Accept-Encoding": "identity"}).data == b""


def test_gzip_that_breaks_off_never_looks_complete(http: Any) -> None:
    noise = gzip.compress(b"".join(b"%d " % number for number in range(600_000)))
    http.media("x", noise[:-1000], contentEncoding="gzip")
    with pytest.raises(Exception, match="Connection broken"):
        http.download("x", {"Accept-Encoding": "identity"})


def test_the_client_reads_gzip_both_ways(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.content_encoding = "gzip"
    blob.upload_from_string(ZIPPED, content_type="text/plain")
    assert blob.download_as_bytes() == CONTENT
    assert blob.download_as_bytes(raw_download=True) == ZIPPED


def test_the_client_reads_ranges_and_checks_hashes(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(CONTENT)
    assert blob.download_as_bytes(start=10, end=19) == CONTENT[10:20]
    assert blob.download_as_bytes(checksum="md5") == CONTENT
    with blob.open("rb", chunk_size=100) as file:
        assert file.read() == CONTENT


def test_an_overwrite_does_not_reach_a_download_that_has_begun(http: Any) -> None:
    old = http.media("x", b"o" * 8_000_000).json()["generation"]
    reply = http.pool.request("GET", http.url + "/storage/v1/b/lake/o/x?alt=media", preload_content=False)
    begin = reply.read(1000)
    http.media("x", b"n" * 1000)
    http.object("DELETE", "x")
    assert begin + reply.read() == b"o" * 8_000_000
    assert reply.headers["x-goog-generation"] == old


def test_readers_of_a_busy_name_never_see_two_writers(http: Any, pool: ThreadPoolExecutor) -> None:
    stop = threading.Event()

    def write(letter: bytes) -> None:
        while not stop.is_set():
            http.media("x", letter * 100_000)

    http.media("x", b"a" * 100_000)
    writers = [pool.submit(write, letter) for letter in (b"a", b"b", b"c")]
    seen = [http.download("x") for _ in range(60)]
    stop.set()
    for writer in writers:
        writer.result()
    assert {(reply.status, len(reply.data), len(set(reply.data))) for reply in seen} == {(200, 100_000, 1)}
