"""Downloads: headers that cannot be split, ranges that are none, gzip that is none, and an overwrite meanwhile."""

import gzip
from typing import Any

import pytest

CONTENT = bytes(range(256)) * 4


def test_no_metadata_makes_a_header_of_its_own(http: Any) -> None:
    http.multipart("x", CONTENT, metadata={"metadata": {"who": "É\r\nX: 1"}})
    reply = http.download("x")
    assert (reply.headers["x-goog-meta-who"], "X" in reply.headers) == ("%C3%89%0D%0AX: 1", False)


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "lines=1-2", "bytes=9-5", "bytes=1-2,5-6"])
def test_a_range_that_is_none_gets_everything(http: Any, asked: str) -> None:
    http.media("x", CONTENT)
    reply = http.download("x", {"Range": asked})
    assert (reply.status, reply.data) == (200, CONTENT)


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


def test_an_overwrite_does_not_reach_a_download_that_has_begun(http: Any) -> None:
    old = http.media("x", b"o" * 8_000_000).json()["generation"]
    reply = http.pool.request("GET", http.url + "/storage/v1/b/lake/o/x?alt=media", preload_content=False)
    begin = reply.read(1000)
    http.media("x", b"n" * 1000)
    http.object("DELETE", "x")
    assert begin + reply.read() == b"o" * 8_000_000
    assert reply.headers["x-goog-generation"] == old
