"""Generations, metagenerations, and what a client may set."""

import re
from typing import Any

import pytest
from google.cloud import storage

from tests.conformance.promises import STORAGE_API, promise
from tests.conformance.storage.objects import Objects, crc32c, md5
from tests.conformance.storage.pages import GENERATIONS

PATCH = promise("Patches an object's metadata.", STORAGE_API)
UPDATE = promise("Updates an object's metadata.", STORAGE_API)
COUNTED = promise(
    "Each time you patch or update the bucket's / blob's metadata, its metageneration is incremented.", GENERATIONS
)


@pytest.fixture
def made(objects: Objects) -> dict[str, Any]:
    """The resource of the object `x`."""
    resource: dict[str, Any] = objects.media("x", b"bytes", {"Content-Type": "text/plain"}).json()
    return resource


@promise("The ID of the object, including the bucket name, object name, and generation number.", STORAGE_API)
@promise("The kind of item this is. For objects, this is always storage#object.", STORAGE_API)
def test_an_object_is_described_by_its_resource(objects: Objects) -> None:
    resource = objects.media("a/b c.txt", b"hello", {"Content-Type": "text/csv"}).json()
    generation = resource["generation"]
    expected = {
        "kind": "storage#object",
        "id": f"{objects.bucket}/a/b c.txt/{generation}",
        "bucket": objects.bucket,
        "name": "a/b c.txt",
        "metageneration": "1",
        "contentType": "text/csv",
        "size": "5",
        "crc32c": crc32c(b"hello"),
        "md5Hash": md5(b"hello"),
        "storageClass": "STANDARD",
    }
    assert {field: resource.get(field) for field in expected} == expected
    assert objects.get("a/b c.txt").json() == resource


@promise("The creation time of the object in RFC 3339 format.", STORAGE_API)
@promise(
    "The modification time of the object metadata in RFC 3339 format. Set initially to object creation time and then "
    "updated whenever any metadata of the object changes.",
    STORAGE_API,
)
def test_the_times_say_when_it_was_made_and_changed(objects: Objects, made: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z", made["timeCreated"])
    assert made["updated"] == made["timeCreated"]
    later = objects.patch("x").json()
    assert later["timeCreated"] == made["timeCreated"]
    assert later["updated"] > made["updated"]


@promise("Media download link.", STORAGE_API)
@promise("The link to this object.", STORAGE_API)
def test_the_links_of_a_resource_work(objects: Objects) -> None:
    resource = objects.media("a/b #?%41+é", b"bytes").json()
    assert objects.send("GET", resource["mediaLink"]).data == b"bytes"
    assert objects.send("GET", resource["selfLink"]).json() == resource


@promise("the Blob's generation is changed, and its metageneration is reset to 1", GENERATIONS)
def test_an_overwrite_has_a_higher_generation_and_metageneration_one(objects: Objects, made: dict[str, Any]) -> None:
    objects.patch("x")
    later = objects.media("x", b"bytes").json()
    assert int(later["generation"]) > int(made["generation"])
    assert (later["metageneration"], later["etag"] != made["etag"], "metadata" in later) == ("1", True, False)


@promise("The content generation of this object. Used for object versioning.", STORAGE_API)
def test_a_name_that_was_deleted_never_has_an_old_generation_again(objects: Objects, made: dict[str, Any]) -> None:
    objects.delete("x")
    assert int(objects.media("x", b"bytes").json()["generation"]) > int(made["generation"])


@promise(
    "If present, selects a specific revision of this object (as opposed to the latest version, the default).",
    STORAGE_API,
)
def test_a_generation_can_be_asked_for(objects: Objects, made: dict[str, Any]) -> None:
    old = made["generation"]
    assert objects.get("x", generation=old).json() == made
    assert objects.download("x", generation=old).data == b"bytes"
    new = objects.media("x", b"newer").json()["generation"]
    statuses = [objects.get("x", generation=old).status, objects.download("x", generation=old).status]
    assert statuses == [404, 404]  # the bucket keeps no versions
    assert objects.download("x", generation=new).data == b"newer"


@promise(
    "If present, permanently deletes a specific revision of this object (as opposed to the latest version, the "
    "default).",
    STORAGE_API,
)
def test_a_deletion_of_an_old_generation_spares_the_new_one(objects: Objects, made: dict[str, Any]) -> None:
    new = objects.media("x", b"newer").json()["generation"]
    assert objects.delete("x", generation=made["generation"]).status == 404
    assert objects.download("x").data == b"newer"
    objects.delete("x", generation=new)
    assert objects.names() == []


@PATCH
@COUNTED
def test_a_patch_raises_the_metageneration_and_keeps_generation_and_bytes(
    objects: Objects, made: dict[str, Any]
) -> None:
    patched = objects.patch("x", {"metadata": {"a": "1", "b": "2"}}).json()
    changes = {"metageneration": "2", "metadata": {"a": "1", "b": "2"}}
    assert patched == {**made, **changes, "etag": patched["etag"], "updated": patched["updated"]}
    assert patched["etag"] != made["etag"]
    assert objects.get("x").json() == patched
    assert objects.download("x").data == b"bytes"


@PATCH
def test_a_patch_merges_and_null_removes(objects: Objects, made: dict[str, Any]) -> None:
    objects.patch("x", {"metadata": {"a": "1", "b": "2"}, "cacheControl": "no-store"})
    objects.patch("x", {"metadata": {"a": None, "c": "3"}})
    patched = objects.patch("x", {"cacheControl": None}).json()
    assert (patched["metadata"], "cacheControl" in patched) == ({"b": "2", "c": "3"}, False)
    assert patched["contentType"] == made["contentType"]
    assert "metadata" not in objects.patch("x", {"metadata": None}).json()


@UPDATE
@COUNTED
def test_an_update_replaces_what_a_client_may_set(objects: Objects, made: dict[str, Any]) -> None:
    objects.patch("x", {"metadata": {"a": "1"}, "cacheControl": "no-store"})
    updated = objects.update("x", {**made, "metadata": {"b": "2"}}).json()
    assert (updated["metadata"], updated.get("cacheControl")) == ({"b": "2"}, None)
    assert (updated["generation"], updated["metageneration"]) == (made["generation"], "3")


@promise("If an object is stored without a Content-Type, it is served as application/octet-stream.", STORAGE_API)
def test_an_object_without_a_type_is_served_as_bytes(objects: Objects, made: dict[str, Any]) -> None:
    assert made["contentType"] == "text/plain"
    objects.patch("x", {"contentType": None})
    assert objects.download("x").headers["Content-Type"] == "application/octet-stream"


@promise("User-provided metadata, in key/value pairs.", STORAGE_API)
@promise("Cache-Control directive for the object data.", STORAGE_API)
@promise("Content-Disposition of the object data.", STORAGE_API)
@promise("Content-Language of the object data.", STORAGE_API)
def test_what_a_client_sets_is_kept_and_served(bucket: storage.Bucket, objects: Objects) -> None:
    blob = bucket.blob("x")
    blob.metadata, blob.cache_control, blob.content_language = {"run": "7"}, "no-store", "en"
    blob.content_disposition = "attachment"
    blob.upload_from_string(b"x", content_type="text/csv")
    seen = bucket.get_blob("x")
    assert seen is not None
    kept = seen.metadata, seen.cache_control, seen.content_language, seen.content_disposition, seen.content_type
    assert kept == ({"run": "7"}, "no-store", "en", "attachment", "text/csv")
    headers = objects.download("x").headers
    served = [
        headers.get(name) for name in ("Cache-Control", "Content-Language", "Content-Disposition", "Content-Type")
    ]
    assert served == ["no-store", "en", "attachment", "text/csv"]
    assert headers["x-goog-meta-run"] == "7"


@promise("Storage class of the object.", STORAGE_API)
@promise("A timestamp in RFC 3339 format specified by the user for an object.", STORAGE_API)
def test_storage_class_and_custom_time_are_kept(objects: Objects) -> None:
    settings = {"storageClass": "NEARLINE", "customTime": "2021-02-01T00:00:00Z"}
    made = objects.multipart("x", b"x", settings).json()
    assert made["storageClass"] == "NEARLINE"
    assert made["customTime"].startswith("2021-02-01T00:00:00")
    assert objects.get("x").json() == made


@promise("Selector specifying which fields to include in a partial response.", STORAGE_API)
def test_fields_select_parts_of_a_resource(objects: Objects, made: dict[str, Any]) -> None:
    objects.patch("x", {"metadata": {"run": "7", "by": "me"}})
    assert objects.get("x", fields="name,metadata/run").json() == {"name": "x", "metadata": {"run": "7"}}
    assert objects.get("x", fields="id,generation").json() == {key: made[key] for key in ("id", "generation")}
