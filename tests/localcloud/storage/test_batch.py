"""Batches: every call in them is answered on its own."""

from typing import Any

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage


def test_a_batch_does_each_call(bucket: storage.Bucket) -> None:
    for name in ("a b", "c/d", "e"):
        bucket.blob(name).upload_from_string(name)
    with bucket.client.batch():
        bucket.delete_blob("a b")
        bucket.delete_blob("c/d")
        patched = bucket.blob("e")
        patched.metadata = {"run": "7"}
        patched.patch()
    assert [(blob.name, blob.metadata) for blob in bucket.list_blobs()] == [("e", {"run": "7"})]
    assert patched.metadata == {"run": "7"}


def test_preconditions_hold_inside_a_batch(bucket: storage.Bucket) -> None:
    for name in ("kept", "gone"):
        bucket.blob(name).upload_from_string(name)

    def delete_both() -> None:
        with bucket.client.batch():
            bucket.delete_blob("kept", if_generation_match=1)
            bucket.delete_blob("gone")

    with pytest.raises(PreconditionFailed):
        delete_both()
    assert [blob.name for blob in bucket.list_blobs()] == ["kept"]


def test_each_answer_names_its_call(http: Any) -> None:
    http.media("x", b"x")
    body = (
        b"--edge\r\nContent-Type: application/http\r\nContent-ID: <one>\r\n\r\n"
        b"GET /storage/v1/b/lake/o/x?fields=name HTTP/1.1\r\n\r\n"
        b"\r\n--edge\r\nContent-Type: application/http\r\nContent-ID: <two>\r\n\r\n"
        b"GET /storage/v1/b/lake/o/y HTTP/1.1\r\n\r\n\r\n--edge--"
    )
    headers = {"Content-Type": "multipart/mixed; boundary=edge"}
    reply = http.send("POST", "/batch/storage/v1", body, headers)
    parts = reply.data.split(b"--" + reply.headers["Content-Type"].partition("boundary=")[2].encode())[1:-1]
    seen = [
        (b"<response-one>" in part, b"<response-two>" in part, part.partition(b"HTTP/1.1 ")[2][:3]) for part in parts
    ]
    assert seen == [(True, False, b"200"), (False, True, b"404")]
    assert parts[0].endswith(b'{"name": "x"}\r\n')


@pytest.mark.parametrize(
    "target", ["/upload/storage/v1/b/lake/o?uploadType=media&name=y", "/storage/v1/b/lake/o/x?alt=media"]
)
def test_a_batch_carries_no_media(http: Any, target: str) -> None:
    body = f"--edge\r\n\r\nGET {target} HTTP/1.1\r\n\r\n\r\n--edge--".encode()
    assert (
        http.send("POST", "/batch/storage/v1", body, {"Content-Type": "multipart/mixed; boundary=edge"}).status == 400
    )
