"""Preconditions: every one that a call takes, on every call, holding and not holding."""

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage
from google.cloud.storage.exceptions import InvalidResponse
from urllib3.response import BaseHTTPResponse

from tests.conformance.promises import STORAGE_API, promise
from tests.conformance.storage.objects import Objects
from tests.conformance.storage.pages import PRECONDITIONS

Call = Callable[..., BaseHTTPResponse]

# each makes or changes the object `x`, where it can from the object `source`
WRITES: dict[str, Call] = {
    "media": lambda objects, **query: objects.media("x", b"new", **query),
    "multipart": lambda objects, **query: objects.multipart("x", b"new", **query),
    "resumable": lambda objects, **query: objects.resumable("x", b"new", **query),
    "copy": lambda objects, **query: objects.copy("source", "x", **query),
    "rewrite": lambda objects, **query: objects.rewrite("source", "x", **query),
    "move": lambda objects, **query: objects.move("source", "x", **query),
    "compose": lambda objects, **query: objects.compose(["source"], "x", **query),
}
CHANGES: dict[str, Call] = {
    "patch": lambda objects, **query: objects.patch("x", **query),
    "update": lambda objects, **query: objects.update("x", **query),
    "delete": lambda objects, **query: objects.delete("x", **query),
}
READS: dict[str, Call] = {
    "get": lambda objects, **query: objects.get("x", **query),
    "download": lambda objects, **query: objects.download("x", **query),
}
COPIES = ("copy", "rewrite", "move")
WITH_NOT_MATCH = [name for name in WRITES if name != "compose"]  # which has no parameter of that name

MATCH = promise(
    "Makes the operation conditional on whether the object's current generation matches the given value.", STORAGE_API
)
NOT_MATCH = promise("does not match the given value. If no live object exists, the precondition fails.", STORAGE_API)
ZERO = promise(
    "Setting to 0 makes the operation succeed only if there are no live versions of the object.", STORAGE_API
)
NOT_ZERO = promise(
    "Setting to 0 makes the operation succeed only if there is a live version of the object.", STORAGE_API
)
META_MATCH = promise(
    "Makes the operation conditional on whether the object's current metageneration matches the given value.",
    STORAGE_API,
)
META_NOT_MATCH = promise(
    "Makes the operation conditional on whether the object's current metageneration does not match the given value.",
    STORAGE_API,
)


@pytest.fixture
def x(objects: Objects) -> int:
    """The generation of the object `x`, of metageneration 1; `source` is beside it."""
    objects.media("source", b"source")
    return int(objects.media("x", b"old").json()["generation"])


def refused(objects: Objects, call: Call, status: int = 412, **conditions: Any) -> None:
    """Hold that a call is refused with that status and changes nothing."""
    before = objects.state("x"), objects.state("source"), objects.names()
    assert call(objects, **conditions).status == status
    assert (objects.state("x"), objects.state("source"), objects.names()) == before


def done(objects: Objects, call: Call, **conditions: Any) -> None:
    """Hold that a call does what it is for."""
    before = objects.state("x")
    reply = call(objects, **conditions)
    assert reply.status in {200, 204}
    assert objects.state("x") != before


@MATCH
@pytest.mark.parametrize("name", [*WRITES, *CHANGES])
def test_a_write_happens_only_at_the_generation_that_it_names(objects: Objects, x: int, name: str) -> None:
    call = {**WRITES, **CHANGES}[name]
    refused(objects, call, ifGenerationMatch=x + 1)
    done(objects, call, ifGenerationMatch=x)


@ZERO
@pytest.mark.parametrize("name", [*WRITES, *CHANGES])
def test_generation_zero_refuses_to_touch_an_object(objects: Objects, x: int, name: str) -> None:
    assert x
    refused(objects, {**WRITES, **CHANGES}[name], ifGenerationMatch=0)


@ZERO
@pytest.mark.parametrize("name", WRITES)
def test_generation_zero_makes_an_object(objects: Objects, name: str) -> None:
    objects.media("source", b"source")
    refused(objects, WRITES[name], ifGenerationMatch=1)
    done(objects, WRITES[name], ifGenerationMatch=0)


@NOT_MATCH
@pytest.mark.parametrize("name", [*WITH_NOT_MATCH, *CHANGES])
def test_a_write_can_refuse_one_generation(objects: Objects, x: int, name: str) -> None:
    call = {**WRITES, **CHANGES}[name]
    refused(objects, call, ifGenerationNotMatch=x)
    done(objects, call, ifGenerationNotMatch=x + 1)


@NOT_MATCH
@pytest.mark.parametrize("name", WITH_NOT_MATCH)
def test_a_write_that_refuses_a_generation_needs_an_object(objects: Objects, name: str) -> None:
    objects.media("source", b"source")
    refused(objects, WRITES[name], ifGenerationNotMatch=1)


@NOT_ZERO
@pytest.mark.parametrize("name", WITH_NOT_MATCH)
def test_not_generation_zero_means_only_over_an_object(objects: Objects, name: str) -> None:
    objects.media("source", b"source")
    refused(objects, WRITES[name], ifGenerationNotMatch=0)
    objects.media("x", b"old")
    done(objects, WRITES[name], ifGenerationNotMatch=0)


@META_MATCH
@pytest.mark.parametrize("name", [*WRITES, *CHANGES])
def test_a_write_happens_only_at_the_metageneration_that_it_names(objects: Objects, x: int, name: str) -> None:
    assert x
    call = {**WRITES, **CHANGES}[name]
    refused(objects, call, ifMetagenerationMatch=2)
    done(objects, call, ifMetagenerationMatch=1)


@META_NOT_MATCH
@pytest.mark.parametrize("name", [*WITH_NOT_MATCH, *CHANGES])
def test_a_write_can_refuse_one_metageneration(objects: Objects, x: int, name: str) -> None:
    assert x
    call = {**WRITES, **CHANGES}[name]
    refused(objects, call, ifMetagenerationNotMatch=1)
    done(objects, call, ifMetagenerationNotMatch=2)


@promise(
    "When preconditions are used in a request to Cloud Storage, the request only proceeds if the targeted resource "
    "meets the criteria defined in the preconditions.",
    PRECONDITIONS,
)
@pytest.mark.parametrize("name", [*WITH_NOT_MATCH, *CHANGES])
def test_two_preconditions_must_both_hold(objects: Objects, x: int, name: str) -> None:
    call = {**WRITES, **CHANGES}[name]
    refused(objects, call, ifGenerationMatch=x, ifMetagenerationMatch=2)
    refused(objects, call, ifGenerationMatch=x + 1, ifMetagenerationMatch=1)
    done(objects, call, ifGenerationMatch=x, ifMetagenerationMatch=1)


@promise(
    "Makes the operation conditional on whether the source object's current generation matches the given value.",
    STORAGE_API,
)
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_happens_only_from_the_generation_that_it_names(objects: Objects, x: int, name: str) -> None:
    source = objects.generation("source")
    refused(objects, WRITES[name], ifSourceGenerationMatch=x)
    done(objects, WRITES[name], ifSourceGenerationMatch=source)


@promise(
    "Makes the operation conditional on whether the source object's current generation does not match the given value.",
    STORAGE_API,
)
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_can_refuse_one_generation_of_its_source(objects: Objects, x: int, name: str) -> None:
    source = objects.generation("source")
    before = objects.state("x")
    assert WRITES[name](objects, ifSourceGenerationNotMatch=source).status in {304, 412}
    assert objects.state("x") == before
    done(objects, WRITES[name], ifSourceGenerationNotMatch=x)


@promise(
    "Makes the operation conditional on whether the source object's current metageneration matches the given value.",
    STORAGE_API,
)
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_happens_only_from_the_metageneration_that_it_names(objects: Objects, x: int, name: str) -> None:
    assert x
    refused(objects, WRITES[name], ifSourceMetagenerationMatch=2)
    done(objects, WRITES[name], ifSourceMetagenerationMatch=1)


@promise(
    "Makes the operation conditional on whether the source object's current metageneration does not match the given "
    "value.",
    STORAGE_API,
)
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_can_refuse_one_metageneration_of_its_source(objects: Objects, x: int, name: str) -> None:
    assert x
    before = objects.state("x")
    assert WRITES[name](objects, ifSourceMetagenerationNotMatch=1).status in {304, 412}
    assert objects.state("x") == before
    done(objects, WRITES[name], ifSourceMetagenerationNotMatch=2)


@promise(
    "`ifGenerationMatch` and `ifGenerationNotMatch` conditions are mutually exclusive: it's an error for both of them "
    "to be set in the request.",
    STORAGE_API,
)
def test_a_move_takes_no_condition_together_with_its_opposite(objects: Objects, x: int) -> None:
    refused(objects, WRITES["move"], status=400, ifGenerationMatch=x, ifGenerationNotMatch=x + 1)


@promise(
    "Only perform the composition if the generation of the source object that would be used matches this value.",
    STORAGE_API,
)
def test_a_composition_holds_each_sources_generation(objects: Objects, x: int) -> None:
    generation = objects.generation("source")
    for wrong in ({"ifGenerationMatch": str(x)}, {"ifGenerationMatch": str(generation + 1)}):
        sources = [{"name": "source", "objectPreconditions": wrong}]
        refused(objects, lambda objects, sources=sources: objects.compose(sources, "x"))
    right = [{"name": "source", "objectPreconditions": {"ifGenerationMatch": str(generation)}}]
    done(objects, lambda objects: objects.compose(right, "x"))


@MATCH
@pytest.mark.parametrize("name", READS)
def test_a_reader_can_ask_for_one_generation(objects: Objects, x: int, name: str) -> None:
    assert READS[name](objects, ifGenerationMatch=x).status == 200
    assert READS[name](objects, ifGenerationMatch=x + 1).status == 412


@META_MATCH
@pytest.mark.parametrize("name", READS)
def test_a_reader_can_ask_for_one_metageneration(objects: Objects, x: int, name: str) -> None:
    assert x
    assert READS[name](objects, ifMetagenerationMatch=1).status == 200
    assert READS[name](objects, ifMetagenerationMatch=2).status == 412


@NOT_MATCH
@pytest.mark.parametrize("name", READS)
def test_a_reader_can_ask_for_news_only(objects: Objects, x: int, name: str) -> None:
    unchanged = READS[name](objects, ifGenerationNotMatch=x)
    assert (unchanged.status, unchanged.data) == (304, b"")
    assert READS[name](objects, ifGenerationNotMatch=x + 1).status == 200


@META_NOT_MATCH
@pytest.mark.parametrize("name", READS)
def test_a_reader_can_ask_for_news_of_the_metadata_only(objects: Objects, x: int, name: str) -> None:
    assert x
    unchanged = READS[name](objects, ifMetagenerationNotMatch=1)
    assert (unchanged.status, unchanged.data) == (304, b"")
    assert READS[name](objects, ifMetagenerationNotMatch=2).status == 200


@promise(
    "Preconditions are also often used when retrieving object metadata and data in successive requests, to ensure the "
    "object did not change in the time between the two requests.",
    PRECONDITIONS,
)
@pytest.mark.parametrize("name", READS)
def test_a_reader_can_name_an_etag(objects: Objects, name: str) -> None:
    def read(**headers: str) -> int:
        heads = {name.replace("_", "-"): value for name, value in headers.items()}
        return objects.send("GET", path, None, heads, alt="media" if name == "download" else None).status

    path = f"/storage/v1/b/{objects.bucket}/o/x"
    etag = objects.media("x", b"old").json()["etag"]
    assert [read(If_Match=etag), read(If_None_Match=etag)] == [200, 304]
    objects.media("x", b"new")
    assert [read(If_Match=etag), read(If_None_Match=etag)] == [412, 200]


@MATCH
@pytest.mark.parametrize("name", ["media", "multipart", "resumable", "patch", "delete", "get"])
def test_a_precondition_that_is_no_number_is_refused(objects: Objects, x: int, name: str) -> None:
    assert x
    refused(objects, {**WRITES, **CHANGES, **READS}[name], status=400, ifGenerationMatch="none")


@ZERO
def test_googles_client_sees_a_taken_name_as_a_failed_precondition(bucket: storage.Bucket) -> None:
    bucket.blob("x").upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string(b"second", if_generation_match=0)
    file = bucket.blob("x").open("wb", if_generation_match=0, ignore_flush=True)
    file.write(b"third")
    with pytest.raises(InvalidResponse, match="412"):  # its session is refused, which it says in its own words
        file.close()
    file.terminate()  # or the garbage collector would close it again, and upload again
    assert bucket.blob("x").download_as_bytes() == b"first"


@promise(
    "Makes the return of the bucket metadata conditional on whether the bucket's current metageneration matches the "
    "given value.",
    STORAGE_API,
)
def test_a_buckets_metageneration_is_held(objects: Objects) -> None:
    path = f"/storage/v1/b/{objects.bucket}"
    assert objects.send("PATCH", path, {"labels": {"a": "1"}}, ifMetagenerationMatch=2).status == 412
    assert objects.send("GET", path, ifMetagenerationMatch=2).status == 412
    assert objects.send("DELETE", path, ifMetagenerationMatch=2).status == 412
    assert "labels" not in objects.send("GET", path, ifMetagenerationMatch=1).json()
    assert objects.send("PATCH", path, {"labels": {"a": "1"}}, ifMetagenerationMatch=1).json()["metageneration"] == "2"
    assert objects.send("GET", path, ifMetagenerationNotMatch=2).status == 304
