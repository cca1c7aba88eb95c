"""Server-side copies: copy, rewrite, move and compose."""

from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import google_crc32c
import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

SUFFIXES = {"copy": "/copyTo/b/lake/o/{}", "rewrite": "/rewriteTo/b/lake/o/{}", "move": "/moveTo/o/{}"}


@pytest.fixture(params=SUFFIXES)
def transfer(request: pytest.FixtureRequest, http: Any) -> Callable[..., Any]:
    """One kind of copy after the other: `transfer(source, target, body, **query)`."""

    def transfer(source: str, target: str, body: Any = None, **query: Any) -> Any:
        return http.object("POST", source, SUFFIXES[request.param].format(target), body or {}, **query)

    return transfer


def test_the_target_has_bytes_and_metadata_and_a_generation_of_its_own(transfer: Any, http: Any) -> None:
    http.multipart("a", b"bytes", metadata={"metadata": {"run": "7"}})
    source = http.object("GET", "a").json()
    assert transfer("a", "b").status == 200
    target = http.object("GET", "b").json()
    for field in ("size", "crc32c", "md5Hash", "contentType", "metadata"):
        assert target[field] == source[field]
    assert int(target["generation"]) > int(source["generation"])
    assert http.download("b").data == b"bytes"


@pytest.mark.parametrize(
    "conditions",
    [
        {"ifGenerationMatch": 1},
        {"ifMetagenerationMatch": 1},
        {"ifGenerationNotMatch": 0},
        {"ifSourceGenerationMatch": 1},
        {"ifSourceMetagenerationMatch": 2},
        {"ifSourceMetagenerationNotMatch": 1},
    ],
)
def test_a_condition_that_fails_changes_nothing(transfer: Any, http: Any, conditions: dict[str, int]) -> None:
    http.media("a", b"bytes")
    assert transfer("a", "b", **conditions).status == 412
    assert http.names() == ["a"]


def test_one_of_sixteen_racers_for_a_new_name_wins(transfer: Any, http: Any, pool: ThreadPoolExecutor) -> None:
    for racer in range(16):
        http.media(f"a{racer}", b"%d" % racer)
    replies = list(pool.map(lambda racer: transfer(f"a{racer}", "b", ifGenerationMatch=0), range(16)))
    assert Counter(reply.status for reply in replies) == {200: 1, 412: 15}


def test_a_missing_source_is_not_found(transfer: Any, http: Any) -> None:
    assert transfer("a", "b").status == 404
    assert http.names() == []


def test_a_move_leaves_no_source(http: Any) -> None:
    http.media("a", b"bytes")
    assert http.object("POST", "a", "/moveTo/o/b").status == 200
    assert http.names() == ["b"]
    assert http.object("POST", "b", "/moveTo/o/b").status == 400
    assert http.download("b").data == b"bytes"


def test_a_moving_object_is_always_there_once(http: Any, pool: ThreadPoolExecutor) -> None:
    http.media("n0", b"bytes")

    def move_on() -> list[int]:
        return [http.object("POST", f"n{i}", f"/moveTo/o/n{i + 1}").status for i in range(50)]

    moving = pool.submit(move_on)
    seen = [len(http.names()) for _ in range(50)]
    assert set(moving.result()) == {200}
    assert set(seen) == {1}


def test_what_the_body_sets_wins_over_the_source(http: Any) -> None:
    http.multipart("a", b"bytes", metadata={"metadata": {"run": "7"}, "cacheControl": "no-store"})
    copied = http.object("POST", "a", "/rewriteTo/b/lake/o/b", {"contentType": "text/csv"}).json()["resource"]
    assert (copied["contentType"], copied["metadata"], copied["cacheControl"]) == ("text/csv", {"run": "7"}, "no-store")


def test_a_copy_outlives_its_source(http: Any) -> None:
    http.media("a", b"bytes")
    http.object("POST", "a", "/rewriteTo/b/lake/o/b")
    http.object("DELETE", "a")
    assert http.download("b").data == b"bytes"


def test_the_client_renames_with_the_generations_it_saw(bucket: storage.Bucket) -> None:
    blob = bucket.blob("lake/x")
    blob.upload_from_string(b"x")
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "superseded/x", if_source_generation_match=blob.generation + 1)
    bucket.copy_blob(blob, bucket, "superseded/x", if_generation_match=0, if_source_generation_match=blob.generation)
    token, done, total = bucket.blob("again").rewrite(blob, if_generation_match=0)
    assert (token, done, total) == (None, 1, 1)
    blob.delete(if_generation_match=blob.generation)
    assert [each.name for each in bucket.list_blobs()] == ["again", "superseded/x"]


def test_compose_concatenates_in_order(bucket: storage.Bucket) -> None:
    parts = [bucket.blob(f"part{number}") for number in range(3)]
    for number, part in enumerate(parts):
        part.upload_from_string(b"%d" % number * 1000, content_type="text/csv")
    whole = bucket.blob("whole")
    whole.compose(parts, if_generation_match=0)
    content = b"0" * 1000 + b"1" * 1000 + b"2" * 1000
    whole.reload()
    assert whole.download_as_bytes() == content
    assert (whole.component_count, whole.content_type, whole.md5_hash) == (3, "text/csv", None)
    assert google_crc32c.value(content).to_bytes(4, "big") == b64decode(whole.crc32c)
    again = bucket.blob("again")
    again.compose([whole, parts[0]])
    assert again.component_count == 4


def test_compose_holds_the_targets_and_each_sources_condition(http: Any) -> None:
    generation = int(http.media("a", b"a").json()["generation"])
    stale = {"sourceObjects": [{"name": "a", "objectPreconditions": {"ifGenerationMatch": generation + 1}}]}
    fresh = {"sourceObjects": [{"name": "a", "objectPreconditions": {"ifGenerationMatch": generation}}]}
    gone = {"sourceObjects": [{"name": "a", "generation": str(generation + 1)}]}
    assert http.object("POST", "b", "/compose", stale).status == 412
    assert http.object("POST", "b", "/compose", gone).status == 404
    assert http.object("POST", "b", "/compose", fresh, ifGenerationMatch=1).status == 412
    assert http.names() == ["a"]
    assert http.object("POST", "b", "/compose", fresh, ifGenerationMatch=0).status == 200
    assert http.object("POST", "b", "/compose", {"sourceObjects": []}).status == 400
