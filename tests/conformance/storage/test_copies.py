"""Server-side copies: copy, rewrite, move and compose."""

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

from tests.conformance.promises import STORAGE_API, promise
from tests.conformance.storage.objects import Objects, crc32c
from tests.conformance.storage.pages import COMPOSITE

Transfer = Callable[..., Any]


@pytest.fixture(params=["copy", "rewrite", "move"])
def transfer(request: pytest.FixtureRequest, objects: Objects) -> Transfer:
    """One kind of copy after the other: `transfer(source, name, **query)`."""
    transfer: Transfer = getattr(objects, request.param)
    return transfer


COPY = promise("Copies a source object to a destination object. Optionally overrides metadata.", STORAGE_API)
MOVE = promise("Moves the source object to the destination object in the same bucket.", STORAGE_API)
COMPOSE = promise("Concatenates a list of existing objects into a new object in the same bucket.", STORAGE_API)


@COPY
@MOVE
def test_the_target_has_bytes_and_metadata_and_a_generation_of_its_own(objects: Objects, transfer: Transfer) -> None:
    source = objects.multipart("a", b"bytes", {"metadata": {"run": "7"}, "cacheControl": "no-store"}).json()
    assert transfer("a", "b").status == 200
    target = objects.get("b").json()
    same = ("size", "crc32c", "md5Hash", "contentType", "metadata", "cacheControl")
    assert {field: target[field] for field in same} == {field: source[field] for field in same}
    assert int(target["generation"]) > int(source["generation"])
    assert target["metageneration"] == "1"
    assert objects.download("b").data == b"bytes"


@COPY
@MOVE
def test_a_missing_source_is_not_found(objects: Objects, transfer: Transfer) -> None:
    assert transfer("a", "b").status == 404
    assert objects.names() == []


@COPY
@pytest.mark.parametrize("kind", ["copy", "rewrite"])
def test_what_the_body_sets_overrides_the_sources(objects: Objects, kind: str) -> None:
    objects.multipart("a", b"bytes", {"metadata": {"run": "7"}})
    getattr(objects, kind)("a", "b", {"contentType": "text/csv", "metadata": {"by": "me"}})
    copied = objects.get("b").json()
    assert (copied["contentType"], copied["metadata"]) == ("text/csv", {"by": "me"})


@promise(
    "true if the copy is finished; otherwise, false if the copy is in progress. This property is always present in the "
    "response.",
    STORAGE_API,
)
def test_a_rewrite_says_that_it_is_done(objects: Objects) -> None:
    objects.media("a", b"bytes")
    reply = objects.rewrite("a", "b").json()
    said = {field: reply.get(field) for field in ("kind", "done", "objectSize", "totalBytesRewritten", "rewriteToken")}
    expected = {"kind": "storage#rewriteResponse", "done": True, "objectSize": "5", "totalBytesRewritten": "5"}
    assert said == {**expected, "rewriteToken": None}
    assert reply["resource"] == objects.get("b").json()


@promise(
    "If present, selects a specific revision of the source object (as opposed to the latest version, the default).",
    STORAGE_API,
)
@pytest.mark.parametrize("kind", ["copy", "rewrite"])
def test_a_copy_takes_only_the_generation_that_it_names(objects: Objects, kind: str) -> None:
    old = objects.media("a", b"old").json()["generation"]
    new = objects.media("a", b"new").json()["generation"]
    copy = getattr(objects, kind)
    assert copy("a", "b", sourceGeneration=old).status == 404
    assert objects.names() == ["a"]
    assert copy("a", "b", sourceGeneration=new).status == 200
    assert objects.download("b").data == b"new"


@COPY
def test_a_copy_outlives_its_source(objects: Objects) -> None:
    objects.media("a", b"bytes")
    objects.rewrite("a", "b")
    objects.media("a", b"other")
    objects.delete("a")
    assert objects.download("b").data == b"bytes"


@promise("Name of the bucket in which to store the new object.", STORAGE_API)
def test_a_copy_into_another_bucket_is_there(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    other = storage_client.create_bucket(f"{bucket.name}-other")
    try:
        source = bucket.blob("a")
        source.upload_from_string(b"bytes")
        copied = bucket.copy_blob(source, other, "b")
        assert (copied.bucket.name, copied.download_as_bytes()) == (other.name, b"bytes")
        assert [blob.name for blob in bucket.list_blobs()] == ["a"]
    finally:
        for blob in list(other.list_blobs()):
            blob.delete()
        other.delete()


@MOVE
def test_a_move_leaves_no_source(objects: Objects) -> None:
    objects.media("a", b"bytes")
    assert objects.move("a", "b").status == 200
    assert objects.names() == ["b"]
    assert objects.move("b", "b").status == 400
    assert objects.download("b").data == b"bytes"


@COPY
def test_googles_client_renames_with_the_generations_it_saw(bucket: storage.Bucket) -> None:
    blob = bucket.blob("lake/x")
    blob.upload_from_string(b"x")
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "superseded/x", if_source_generation_match=blob.generation + 1)
    bucket.copy_blob(blob, bucket, "superseded/x", if_generation_match=0, if_source_generation_match=blob.generation)
    assert bucket.blob("again").rewrite(blob, if_generation_match=0) == (None, 1, 1)
    blob.delete(if_generation_match=blob.generation)
    assert [each.name for each in bucket.list_blobs()] == ["again", "superseded/x"]


@COMPOSE
@promise("You can use between 1 and 32 source objects.", COMPOSITE)
def test_compose_concatenates_in_order(objects: Objects) -> None:
    names = [f"part{number:02}" for number in range(32)]
    for number, name in enumerate(names):
        objects.media(name, b"%02d" % number * 100)
    content = b"".join(b"%02d" % number * 100 for number in range(32))
    made = objects.compose(names, "whole")
    assert (made.status, made.json()["crc32c"]) == (200, crc32c(content))
    assert objects.download("whole").data == content


@promise("You can use between 1 and 32 source objects.", COMPOSITE)
def test_compose_takes_one_to_thirty_two_sources(objects: Objects) -> None:
    objects.media("a", b"a")
    assert [objects.compose(["a"] * count, "b").status for count in (0, 33)] == [400, 400]
    assert objects.names() == ["a"]
    assert objects.compose(["a"], "b").status == 200


@promise("Composite objects do not have an MD5 hash metadata field.", COMPOSITE)
@promise(
    "Number of underlying components that make up this object. Components are accumulated by compose operations.",
    STORAGE_API,
)
@promise("Source objects can themselves be composite objects.", COMPOSITE)
def test_a_composite_object_has_components_and_no_md5(objects: Objects) -> None:
    objects.media("a", b"a")
    made = objects.compose(["a", "a", "a"], "b").json()
    assert (made["componentCount"], made.get("md5Hash")) == (3, None)
    assert objects.compose(["b", "a"], "c").json()["componentCount"] == 4
    assert "md5=" not in objects.download("c").headers["x-goog-hash"]


@promise("Does not change if the source objects are subsequently replaced or deleted.", COMPOSITE)
@promise("The source objects are unaffected.", COMPOSITE)
def test_a_composition_and_its_sources_go_their_own_ways(objects: Objects) -> None:
    before = objects.media("a", b"a").json(), objects.media("b", b"b").json()
    objects.compose(["a", "b"], "c")
    assert (objects.get("a").json(), objects.get("b").json()) == before
    objects.media("a", b"other")
    objects.delete("b")
    assert objects.download("c").data == b"ab"


@COMPOSE
def test_an_object_can_be_appended_to_by_composing_it_onto_itself(objects: Objects) -> None:
    objects.media("a", b"a")
    objects.media("more", b"more")
    assert objects.compose(["a", "more"], "a").status == 200
    assert objects.download("a").data == b"amore"


@COMPOSE
def test_a_missing_source_makes_no_composition(objects: Objects) -> None:
    objects.media("a", b"a")
    assert objects.compose(["a", "b"], "c").status == 404
    assert objects.names() == ["a"]


@promise("The generation of this object to use as the source.", STORAGE_API)
@promise(
    "If this value and a generation are both specified, they must be the same value or the call will fail.", STORAGE_API
)
def test_a_composition_takes_only_the_generation_that_it_names(objects: Objects) -> None:
    generation = int(objects.media("a", b"a").json()["generation"])
    gone = {"name": "a", "generation": str(generation + 1)}
    at_odds = {
        "name": "a",
        "generation": str(generation),
        "objectPreconditions": {"ifGenerationMatch": str(generation + 1)},
    }
    assert objects.compose([gone], "b").status == 404
    assert 400 <= objects.compose([at_odds], "b").status < 500
    assert objects.names() == ["a"]
    assert objects.compose([{"name": "a", "generation": str(generation)}], "b").status == 200


@promise("If true, the source objects will be deleted.", STORAGE_API)
def test_a_composition_can_delete_its_sources(objects: Objects) -> None:
    objects.media("a", b"a")
    objects.media("b", b"b")
    body = {"sourceObjects": [{"name": "a"}, {"name": "b"}], "deleteSourceObjects": True}
    assert objects.send("POST", f"/storage/v1/b/{objects.bucket}/o/c/compose", body).status == 200
    assert (objects.names(), objects.download("c").data) == (["c"], b"ab")


@COMPOSE
def test_googles_client_composes(bucket: storage.Bucket) -> None:
    parts = [bucket.blob(f"part{number}") for number in range(3)]
    for number, part in enumerate(parts):
        part.upload_from_string(b"%d" % number * 1000, content_type="text/csv")
    whole = bucket.blob("whole")
    whole.content_type = "text/csv"
    whole.compose(parts, if_generation_match=0)
    whole.reload()
    assert whole.download_as_bytes() == b"0" * 1000 + b"1" * 1000 + b"2" * 1000
    assert (whole.component_count, whole.content_type, whole.md5_hash) == (3, "text/csv", None)
