"""Many calls in one request, each answered on its own."""

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

from tests.conformance.promises import promise, relied_on
from tests.conformance.storage.objects import Objects
from tests.conformance.storage.pages import BATCH

BATCHED = promise("A batch request consists of multiple API calls combined into one HTTP request", BATCH)


@BATCHED
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


@promise("The body of each part is itself a complete HTTP request, with its own verb, URL, headers, and body.", BATCH)
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


@relied_on("each part of the answer names the part that it answers by Content-ID", "google/cloud/storage/batch.py")
def test_each_answer_names_its_call(objects: Objects) -> None:
    objects.media("x", b"x")
    path = f"/storage/v1/b/{objects.bucket}/o"
    body = (
        f"--edge\r\nContent-Type: application/http\r\nContent-ID: <one>\r\n\r\n"
        f"GET {path}/x?fields=name HTTP/1.1\r\n\r\n"
        f"\r\n--edge\r\nContent-Type: application/http\r\nContent-ID: <two>\r\n\r\n"
        f"GET {path}/y HTTP/1.1\r\n\r\n\r\n--edge--"
    ).encode()
    reply = objects.send("POST", "/batch/storage/v1", body, {"Content-Type": "multipart/mixed; boundary=edge"})
    edge = reply.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
    parts = reply.data.split(b"--" + edge)[1:-1]
    seen = [
        (b"<response-one>" in part, b"<response-two>" in part, part.partition(b"HTTP/1.1 ")[2][:3]) for part in parts
    ]
    assert seen == [(True, False, b"200"), (False, True, b"404")]


@promise("Cloud Storage does not support batch operations for uploading or downloading.", BATCH)
@pytest.mark.parametrize(
    "call", ["POST /upload/storage/v1/b/{}/o?uploadType=media&name=y", "GET /storage/v1/b/{}/o/x?alt=media"]
)
def test_a_batch_carries_no_media(objects: Objects, call: str) -> None:
    objects.media("x", b"secret bytes")
    body = f"--edge\r\nContent-Type: application/http\r\n\r\n{call.format(objects.bucket)} HTTP/1.1\r\n\r\n\r\n--edge--"
    reply = objects.send("POST", "/batch/storage/v1", body.encode(), {"Content-Type": "multipart/mixed; boundary=edge"})
    assert b"secret bytes" not in reply.data
    assert objects.names() == ["x"]
