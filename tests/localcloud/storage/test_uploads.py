"""Uploads in one request: what gcloud sends, and a connection that outlives a refusal."""

from typing import Any

import pytest

from localcloud.storage import StorageServer


def test_a_refused_body_is_read_so_that_the_connection_lives(http: Any, server: StorageServer) -> None:
    http.media("x", b"")
    for _ in range(3):
        assert http.media("x", b"z" * 3_000_000, ifGenerationMatch=0).status == 412
        assert http.send("PUT", "/no/such/call", b"z" * 3_000_000).status == 501
    pool = http.pool.connection_from_url(server.url)
    assert pool.num_connections == 1
    assert pool.num_requests == 8


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n--edgy\r\n\r\n", bytes(range(256)), b"\r\n\r\n"])
def test_gclouds_multipart_with_bare_newlines_arrives_as_it_is(http: Any, content: bytes) -> None:
    assert http.multipart("x", content, b"\n").json()["size"] == str(len(content))
    assert http.download("x").data == content
