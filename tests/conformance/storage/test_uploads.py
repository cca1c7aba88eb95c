"""Uploads in one request: whole or not at all, and byte by byte as they were sent."""

import pytest
from google.cloud import storage

from tests.conformance.promises import STORAGE_API, promise, relied_on
from tests.conformance.storage.objects import Objects
from tests.conformance.storage.pages import CONSISTENCY

INSERT = promise("Stores a new object and metadata.", STORAGE_API)


@INSERT
@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n--edgy\r\n\r\n", bytes(range(256)), b"\r\n\r\n"])
@pytest.mark.parametrize("kind", ["media", "multipart"])
def test_bytes_arrive_as_they_are(objects: Objects, kind: str, content: bytes) -> None:
    assert getattr(objects, kind)("x", content).json()["size"] == str(len(content))
    assert objects.download("x").data == content


@promise(
    "Name of the object. Required when the object metadata is not otherwise provided. Overrides the object metadata's "
    "name value, if any.",
    STORAGE_API,
)
def test_the_name_in_the_address_wins(objects: Objects) -> None:
    assert objects.multipart("inside", b"x", name="outside").json()["name"] == "outside"
    assert objects.names() == ["outside"]


@promise(
    "This can be useful when uploading an object with uploadType=media to indicate the encoding of the content being "
    "uploaded.",
    STORAGE_API,
)
def test_an_encoding_in_the_address_becomes_the_objects(objects: Objects) -> None:
    assert objects.media("x", b"x", contentEncoding="br").json()["contentEncoding"] == "br"


@promise(
    "the object is immediately available for reading and metadata operations as soon as you receive a success "
    "response to your write request.",
    CONSISTENCY,
)
def test_a_connection_lost_in_the_middle_leaves_nothing(objects: Objects) -> None:
    objects.cut_media("x", b"half" * 100, said=1000)
    assert objects.names() == []
    old = objects.media("x", b"old").json()
    objects.cut_media("x", b"half" * 100, said=1000)
    assert objects.state("x") == (old, b"old")


@relied_on("an iterable body is sent chunked, without a length", "google/cloud/storage/_media/requests/upload.py")
def test_a_chunked_body_is_an_upload_like_any_other(objects: Objects) -> None:
    assert objects.media("x", iter([b"one ", b"two ", b"three"])).json()["size"] == "13"
    assert objects.download("x").data == b"one two three"


@INSERT
def test_a_multipart_body_without_its_end_makes_no_object(objects: Objects) -> None:
    headers = {"Content-Type": "multipart/related; boundary=edge"}
    body = b"--edge\r\n\r\n{}\r\n--edge\r\n\r\nhalf"
    path = f"/upload/storage/v1/b/{objects.bucket}/o"
    assert objects.send("POST", path, body, headers, uploadType="multipart", name="x").status == 400
    assert objects.names() == []


@promise("Name of the bucket in which to store the new object.", STORAGE_API)
@pytest.mark.parametrize("kind", ["media", "resumable"])
def test_a_bucket_that_is_not_there_takes_no_object(objects: Objects, kind: str) -> None:
    path = f"/upload/storage/v1/b/{objects.bucket}-not/o"
    headers = {"Content-Type": "application/json"}
    assert objects.send("POST", path, b"{}", headers, uploadType=kind, name="x").status == 404


@INSERT
def test_files_and_streams_upload_alike(bucket: storage.Bucket, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("files") / "file.csv"
    path.write_bytes(b"a,b\n1,2\n")
    bucket.blob("named.csv").upload_from_filename(str(path))
    with path.open("rb") as file:
        bucket.blob("opened.csv").upload_from_file(file)
    seen = [(each.name, each.content_type, each.download_as_bytes()) for each in bucket.list_blobs()]
    # by its name the client knows the type of the first only
    assert seen == [("named.csv", "text/csv", b"a,b\n1,2\n"), ("opened.csv", "application/octet-stream", b"a,b\n1,2\n")]
