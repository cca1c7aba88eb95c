"""Uploads in one request and in many: preconditions, races, hashes, and what a broken one leaves behind."""

import base64
import hashlib
import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import google_crc32c
import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage
from google.cloud.storage.exceptions import InvalidResponse

from localcloud.storage import StorageServer

KINDS = ("media", "multipart", "resumable")


def crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@pytest.fixture(params=KINDS)
def upload(request: pytest.FixtureRequest, http: Any) -> Callable[..., Any]:
    """One kind of upload after the other: `upload(name, content, **query)`."""
    upload: Callable[..., Any] = getattr(http, request.param)
    return upload


def test_an_upload_answers_with_googles_resource(upload: Any, server: StorageServer) -> None:
    resource = upload("a/b c.txt", b"hello").json()
    generation = resource["generation"]
    path = "/storage/v1/b/lake/o/a%2Fb%20c.txt"
    times = {resource.pop(field) for field in ("timeCreated", "updated", "timeFinalized", "timeStorageClassUpdated")}
    assert len(times) == 1
    assert resource.pop("contentType") in {"application/octet-stream", "text/plain"}
    assert resource == {
        "kind": "storage#object",
        "id": f"lake/a/b c.txt/{generation}",
        "bucket": "lake",
        "name": "a/b c.txt",
        "generation": generation,
        "metageneration": "1",
        "etag": base64.b64encode(f"{generation}/1".encode()).decode(),
        "size": "5",
        "crc32c": crc32c(b"hello"),
        "md5Hash": md5(b"hello"),
        "storageClass": "STANDARD",
        "selfLink": server.url + path,
        "mediaLink": f"{server.url}/download{path}?generation={generation}&alt=media",
    }


def test_one_of_sixteen_racers_for_a_new_name_wins(upload: Any, http: Any, pool: ThreadPoolExecutor) -> None:
    contents = [b"%02d" % racer * 1000 for racer in range(16)]
    replies = list(pool.map(lambda content: upload("claim", content, ifGenerationMatch=0), contents))
    assert Counter(reply.status for reply in replies) == {200: 1, 412: 15}
    winner = next(content for content, reply in zip(contents, replies, strict=True) if reply.status == 200)
    assert http.download("claim").data == winner


def test_an_overwrite_needs_the_generation_it_names(upload: Any, http: Any) -> None:
    old = upload("x", b"old").json()["generation"]
    assert upload("x", b"new", ifGenerationMatch=int(old) + 1).status == 412
    assert upload("x", b"new", ifGenerationNotMatch=old).status == 412
    assert upload("x", b"new", ifMetagenerationMatch=2).status == 412
    assert http.download("x").data == b"old"
    new = upload("x", b"new", ifGenerationMatch=old, ifMetagenerationMatch=1).json()["generation"]
    assert int(new) > int(old)
    assert http.download("x").data == b"new"


def test_not_generation_zero_means_only_over_an_object(upload: Any, http: Any) -> None:
    assert upload("x", b"1", ifGenerationNotMatch=0).status == 412
    assert http.names() == []
    upload("x", b"1")
    assert upload("x", b"2", ifGenerationNotMatch=0).status == 200


def test_a_precondition_that_is_no_number_is_refused(upload: Any, http: Any) -> None:
    assert upload("x", b"1", ifGenerationMatch="none").status == 400
    assert http.names() == []


def test_an_unknown_bucket_is_not_found(server: StorageServer, http: Any) -> None:
    for kind in KINDS:
        reply = http.send("POST", "/upload/storage/v1/b/nowhere/o", b"", uploadType=kind, name="x")
        assert reply.status == (400 if kind == "multipart" else 404)
    assert server.store.catalogue.objects == {}


def test_the_client_sees_a_lost_race_as_a_failed_precondition(bucket: storage.Bucket) -> None:
    bucket.blob("x").upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string(b"second", if_generation_match=0)
    file = bucket.blob("x").open("wb", if_generation_match=0, ignore_flush=True)
    file.write(b"third")
    with pytest.raises(InvalidResponse, match="412"):  # its session is refused, which it says in its own words
        file.close()
    file.terminate()  # or the garbage collector would close it again, and upload again
    assert bucket.blob("x").download_as_bytes() == b"first"


@pytest.mark.parametrize(("field", "hashed"), [("md5Hash", md5), ("crc32c", crc32c)])
def test_a_wrong_hash_in_the_metadata_leaves_nothing(http: Any, field: str, hashed: Any) -> None:
    wrong = {field: hashed(b"other")}
    assert http.multipart("x", b"bytes", metadata=wrong).status == 400
    session = http.begin("x", wrong).headers["Location"]
    assert http.part(session, "0-4/5", b"bytes").status == 400
    assert http.names() == []
    assert http.part(session, "*/*").status == 404
    assert http.multipart("x", b"bytes", metadata={field: hashed(b"bytes")}).status == 200


@pytest.mark.parametrize("wrong", [f"crc32c={crc32c(b'other')}", f"crc32c={crc32c(b'bytes')}, md5={md5(b'other')}"])
def test_a_wrong_hash_in_the_header_leaves_nothing(http: Any, wrong: str) -> None:
    assert http.media("x", b"bytes", {"x-goog-hash": wrong}).status == 400
    session = http.begin("x").headers["Location"]
    assert http.part(session, "0-4/5", b"bytes", **{"x-goog-hash": wrong}).status == 400
    assert http.names() == []
    right = f"crc32c={crc32c(b'bytes')},md5={md5(b'bytes')}"
    assert http.media("x", b"bytes", {"x-goog-hash": right}).status == 200


def test_a_failed_overwrite_leaves_the_old_object(http: Any) -> None:
    http.media("x", b"old")
    assert http.media("x", b"new", {"x-goog-hash": f"md5={md5(b'other')}"}).status == 400
    assert http.download("x").data == b"old"


def test_a_connection_lost_in_the_middle_leaves_nothing(http: Any, server: StorageServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            b"POST /upload/storage/v1/b/lake/o?uploadType=media&name=x HTTP/1.1\r\n"
            b"Host: localhost\r\nContent-Length: 1000\r\n\r\n" + b"half" * 100,
        )
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert http.names() == []


def test_a_chunked_body_is_an_upload_like_any_other(http: Any) -> None:
    resource = http.media("x", iter([b"one ", b"two ", b"three"])).json()
    assert (resource["size"], resource["crc32c"]) == ("13", crc32c(b"one two three"))
    assert http.download("x").data == b"one two three"


def test_a_refused_body_is_read_so_that_the_connection_lives(http: Any, server: StorageServer) -> None:
    http.media("x", b"")
    for _ in range(3):
        assert http.media("x", b"z" * 3_000_000, ifGenerationMatch=0).status == 412
        assert http.send("PUT", "/no/such/call", b"z" * 3_000_000).status == 501
    pool = http.pool.connection_from_url(server.url)
    assert pool.num_connections == 1
    assert pool.num_requests == 8


@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["python", "gcloud"])
@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n--edgy\r\n\r\n", bytes(range(256)), b"\r\n\r\n"])
def test_multipart_bytes_arrive_as_they_are(http: Any, content: bytes, end: bytes) -> None:
    assert http.multipart("x", content, end).json()["size"] == str(len(content))
    assert http.download("x").data == content


def test_a_multipart_body_without_its_end_is_refused(http: Any) -> None:
    headers = {"Content-Type": "multipart/related; boundary=edge"}
    body = b"--edge\r\n\r\n{}\r\n--edge\r\n\r\nhalf"
    target = "/upload/storage/v1/b/lake/o"
    assert http.send("POST", target, body, headers, uploadType="multipart", name="x").status == 400
    assert http.names() == []


def test_metadata_comes_with_the_object(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.metadata, blob.cache_control, blob.content_language = {"run": "7"}, "no-store", "en"
    blob.upload_from_string(b"x", content_type="text/csv")
    seen = bucket.get_blob("x")
    assert seen is not None
    assert (seen.metadata, seen.cache_control, seen.content_language) == ({"run": "7"}, "no-store", "en")
    assert seen.content_type == "text/csv"


@pytest.mark.parametrize("name", ["", ".", "..", "line\nbreak", "x" * 1025])
def test_a_name_that_google_refuses_is_refused(http: Any, name: str) -> None:
    assert http.media(name, b"x").status == 400
