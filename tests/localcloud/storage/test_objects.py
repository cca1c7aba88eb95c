"""One object's metadata: get, patch, update, delete, each with its preconditions."""

from typing import Any

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

BAD_CONDITIONS = [
    {"ifGenerationMatch": "1"},
    {"ifGenerationMatch": "0"},
    {"ifMetagenerationMatch": "2"},
    {"ifMetagenerationNotMatch": "1"},
]


@pytest.fixture
def made(http: Any) -> dict[str, Any]:
    resource: dict[str, Any] = http.media("x", b"bytes").json()
    return resource


@pytest.mark.parametrize("conditions", BAD_CONDITIONS)
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_a_change_whose_condition_fails_changes_nothing(
    http: Any, made: dict[str, Any], method: str, conditions: dict[str, str]
) -> None:
    body = None if method == "DELETE" else {"metadata": {"run": "7"}}
    refused = http.object(method, "x", body=body, **conditions)
    assert (refused.status, refused.json()["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert http.object("GET", "x").json() == made


def test_a_patch_raises_the_metageneration_and_keeps_generation_and_bytes(http: Any, made: dict[str, Any]) -> None:
    patched = http.object("PATCH", "x", body={"metadata": {"a": "1", "b": "2"}}, ifMetagenerationMatch=1).json()
    changes = {"metageneration": "2", "metadata": {"a": "1", "b": "2"}}
    assert patched == {**made, **changes, "etag": patched["etag"], "updated": patched["updated"]}
    assert patched["etag"] != made["etag"]
    assert http.object("GET", "x").json() == patched
    assert http.download("x").data == b"bytes"


def test_a_patch_merges_and_null_removes(http: Any, made: dict[str, Any]) -> None:
    http.object("PATCH", "x", body={"metadata": {"a": "1", "b": "2"}, "contentType": "text/csv"})
    http.object("PATCH", "x", body={"metadata": {"a": None, "c": "3"}})
    patched = http.object("PATCH", "x", body={"contentType": None}).json()
    assert patched["metadata"] == {"b": "2", "c": "3"}
    assert "contentType" not in patched
    assert http.download("x").headers["Content-Type"] == "application/octet-stream"
    assert "metadata" not in http.object("PATCH", "x", body={"metadata": None}).json()
    assert made["contentType"] == "application/octet-stream"


def test_an_update_replaces_what_a_client_may_set(http: Any, made: dict[str, Any]) -> None:
    http.object("PATCH", "x", body={"metadata": {"a": "1"}, "cacheControl": "no-store"})
    updated = http.object("PUT", "x", body={**made, "metadata": {"b": "2"}}).json()
    assert (updated["metadata"], updated.get("cacheControl")) == ({"b": "2"}, None)
    assert (updated["generation"], updated["metageneration"]) == (made["generation"], "3")


def test_only_one_of_two_writers_of_a_metageneration_wins(bucket: storage.Bucket) -> None:
    bucket.blob("x").upload_from_string(b"x")
    first, second = bucket.get_blob("x"), bucket.get_blob("x")
    assert first is not None
    assert second is not None
    first.metadata, second.metadata = {"by": "first"}, {"by": "second"}
    first.patch(if_metageneration_match=1)
    with pytest.raises(PreconditionFailed):
        second.patch(if_metageneration_match=1)
    second.reload()
    assert second.metadata == {"by": "first"}


def test_a_deleted_object_is_gone_and_its_name_free(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"x")
    old = blob.generation
    blob.delete(if_generation_match=old)
    assert not bucket.blob("x").exists()
    with pytest.raises(NotFound):
        bucket.blob("x").download_as_bytes()
    with pytest.raises(NotFound):
        bucket.blob("x").delete()
    blob.upload_from_string(b"y", if_generation_match=0)
    assert blob.generation > old


def test_another_generation_than_the_live_one_is_not_found(http: Any, made: dict[str, Any]) -> None:
    http.media("x", b"newer")
    old = made["generation"]
    for reply in (
        http.object("GET", "x", generation=old),
        http.download("x", generation=old),
        http.object("PATCH", "x", body={}, generation=old),
        http.object("DELETE", "x", generation=old),
    ):
        assert reply.status == 404
    assert http.download("x").data == b"newer"


def test_a_reader_can_ask_for_a_generation_or_only_for_news(http: Any, made: dict[str, Any]) -> None:
    for read in (http.download, lambda name, **query: http.object("GET", name, **query)):
        assert read("x", ifGenerationMatch=made["generation"]).status == 200
        assert read("x", ifGenerationMatch=1).status == 412
        unchanged = read("x", ifGenerationNotMatch=made["generation"])
        assert (unchanged.status, unchanged.data) == (304, b"")
        assert read("x", ifMetagenerationNotMatch=1).status == 304


def test_a_reader_can_name_an_etag(http: Any, made: dict[str, Any]) -> None:
    for etag, matching, other in ((made["etag"], 200, 304), ("another", 412, 200)):
        assert http.download("x", {"If-Match": etag}).status == matching
        assert http.download("x", {"If-None-Match": etag}).status == other


def test_a_missing_object_is_named_in_the_refusal(http: Any) -> None:
    error = http.object("GET", "a/b").json()["error"]
    assert error == {
        "code": 404,
        "message": "No such object: lake/a/b",
        "errors": [{"domain": "global", "reason": "notFound", "message": "No such object: lake/a/b"}],
    }


def test_a_custom_time_never_goes_back(http: Any, made: dict[str, Any]) -> None:
    assert made["metageneration"] == "1"
    assert http.object("PATCH", "x", body={"customTime": "2021-02-01T00:00:00Z"}).status == 200
    for earlier in ("2021-01-01T00:00:00Z", None):
        assert http.object("PATCH", "x", body={"customTime": earlier}).status == 400


def test_fields_select_parts_of_a_resource(http: Any, made: dict[str, Any]) -> None:
    http.object("PATCH", "x", body={"metadata": {"run": "7", "by": "me"}})
    selected = http.object("GET", "x", fields="name,metadata/run,nothing").json()
    assert selected == {"name": "x", "metadata": {"run": "7"}}
    assert http.object("GET", "x", fields="id,generation").json() == {key: made[key] for key in ("id", "generation")}


@pytest.mark.parametrize("fields", ["name,", "items(name", "a/", "(", "a)b"])
def test_a_malformed_selection_is_refused_before_anything_is_done(http: Any, fields: str) -> None:
    refused = http.media("x", b"x", fields=fields)
    assert refused.status == (200 if fields == "name," else 400)
    assert http.names() == (["x"] if refused.status == 200 else [])
