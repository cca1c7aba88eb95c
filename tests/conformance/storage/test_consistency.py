"""What is written is seen, what is deleted is gone, at once and in lists too."""

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import storage

from tests.conformance.promises import promise
from tests.conformance.storage.objects import Objects
from tests.conformance.storage.pages import CONSISTENCY

WRITTEN = promise(
    "When you write an object to Cloud Storage, such as when you upload, compose, or copy an object, the object is "
    "immediately available for reading and metadata operations as soon as you receive a success response to your write "
    "request.",
    CONSISTENCY,
)
LISTED = promise(
    "Bucket listing and object listing are strongly consistent: when you create a bucket or object and then "
    "immediately perform the relevant list operation, the newly created bucket or object appears in the returned list.",
    CONSISTENCY,
)


@WRITTEN
@pytest.mark.parametrize("kind", ["media", "multipart", "resumable", "copy", "rewrite", "move", "compose"])
def test_what_is_written_is_read_at_once(objects: Objects, kind: str) -> None:
    for turn in range(5):
        content = b"%d" % turn
        objects.media("source", content)
        if kind in {"media", "multipart", "resumable"}:
            written = getattr(objects, kind)("x", content)
        else:
            written = objects.compose(["source"], "x") if kind == "compose" else getattr(objects, kind)("source", "x")
        resource = written.json()
        assert objects.get("x").json() == resource.get("resource", resource)
        assert objects.download("x").data == content


@promise(
    "you never receive a 404 Not Found response or stale data for a read-after-write or "
    "read-after-metadata-update operation.",
    CONSISTENCY,
)
def test_changed_metadata_is_read_at_once(objects: Objects) -> None:
    objects.media("x", b"x")
    for turn in range(5):
        objects.patch("x", {"metadata": {"turn": str(turn)}})
        assert objects.get("x").json()["metadata"] == {"turn": str(turn)}
        assert objects.listed().json()["items"][0]["metadata"] == {"turn": str(turn)}


@LISTED
def test_what_is_written_is_listed_at_once(objects: Objects) -> None:
    for turn in range(5):
        objects.media(f"x{turn}", b"x")
        assert objects.names() == [f"x{number}" for number in range(turn + 1)]


@promise(
    "If a deletion request succeeds, an immediate attempt to download the object or its metadata results in a "
    "404 Not Found status code.",
    CONSISTENCY,
)
def test_what_is_deleted_is_gone_at_once(objects: Objects, bucket: storage.Bucket) -> None:
    for turn in range(3):
        objects.media("x", b"%d" % turn)
        objects.delete("x")
        assert [objects.get("x").status, objects.download("x").status] == [404, 404]
        assert objects.names() == []
    with pytest.raises(NotFound):
        bucket.blob("x").download_as_bytes()
    assert not bucket.blob("x").exists()


@promise("Deletes an object and its metadata.", "googleapiclient/discovery_cache/documents/storage.v1.json")
def test_a_second_deletion_finds_nothing(objects: Objects) -> None:
    objects.media("x", b"x")
    assert [objects.delete("x").status, objects.delete("x").status] == [204, 404]


@LISTED
def test_a_bucket_is_listed_as_soon_as_it_is_made(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    assert bucket.name in {each.name for each in storage_client.list_buckets()}
