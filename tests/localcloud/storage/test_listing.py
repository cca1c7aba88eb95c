"""The list of a bucket's objects: prefixes, offsets, globs, pages, fields."""

from typing import Any

import pytest
from google.cloud import storage

NAMES = ["a", "b/1", "b/2", "b/c/3", "d/", "d/4", "e"]


@pytest.fixture
def lake(http: Any) -> Any:
    """The bucket with `NAMES` in it, written in no order."""
    for name in sorted(NAMES, key=hash):
        assert http.media(name, name.encode()).status == 200
    return http


def listed(http: Any, **query: Any) -> tuple[list[str], list[str]]:
    body = http.send("GET", "/storage/v1/b/lake/o", **query).json()
    return [each["name"] for each in body.get("items", [])], body.get("prefixes", [])


@pytest.mark.parametrize(
    ("query", "items", "prefixes"),
    [
        ({}, NAMES, []),
        ({"prefix": "b/"}, ["b/1", "b/2", "b/c/3"], []),
        ({"prefix": "nothing"}, [], []),
        ({"delimiter": "/"}, ["a", "e"], ["b/", "d/"]),
        ({"delimiter": "/", "prefix": "b/"}, ["b/1", "b/2"], ["b/c/"]),
        ({"delimiter": "/", "includeTrailingDelimiter": "true"}, ["a", "d/", "e"], ["b/", "d/"]),
        ({"startOffset": "b/2", "endOffset": "d/4"}, ["b/2", "b/c/3", "d/"], []),
        ({"startOffset": "b/2", "delimiter": "/"}, ["e"], ["b/", "d/"]),
        ({"matchGlob": "b/*"}, ["b/1", "b/2"], []),
        ({"matchGlob": "**/{1,3}"}, ["b/1", "b/c/3"], []),
    ],
)
def test_a_listing_has_what_was_asked_in_order(
    lake: Any, query: dict[str, str], items: list[str], prefixes: list[str]
) -> None:
    assert listed(lake, **query) == (items, prefixes)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_together_are_the_whole_list(lake: Any, size: int, delimiter: str) -> None:
    items: list[str] = []
    prefixes: list[str] = []
    token, pages = "", []
    while True:
        query = {"maxResults": size, "delimiter": delimiter, "pageToken": token}
        body = lake.send("GET", "/storage/v1/b/lake/o", **query).json()
        items += [each["name"] for each in body.get("items", [])]
        prefixes += body.get("prefixes", [])
        pages.append(len(body.get("items", [])) + len(body.get("prefixes", [])))
        token = body.get("nextPageToken", "")
        if not token:
            break
    assert (items, prefixes) == listed(lake, delimiter=delimiter)
    assert all(count == size for count in pages[:-1])
    assert 0 < pages[-1] <= size


@pytest.mark.parametrize("query", [{"maxResults": "0"}, {"maxResults": "-1"}, {"pageToken": "not ours"}])
def test_a_page_that_cannot_be_is_refused(lake: Any, query: dict[str, str]) -> None:
    assert lake.send("GET", "/storage/v1/b/lake/o", **query).status == 400


def test_a_deleted_row_does_not_disturb_the_next_page(lake: Any) -> None:
    first = lake.send("GET", "/storage/v1/b/lake/o", maxResults=2).json()
    lake.object("DELETE", "b/1")
    rest = lake.send("GET", "/storage/v1/b/lake/o", pageToken=first["nextPageToken"]).json()
    assert [each["name"] for each in rest["items"]] == NAMES[2:]


def test_fields_are_selected_in_every_item(lake: Any) -> None:
    body = lake.send("GET", "/storage/v1/b/lake/o", prefix="b/", fields="items(name,size),nextPageToken").json()
    assert body == {"items": [{"name": name, "size": str(len(name))} for name in ("b/1", "b/2", "b/c/3")]}
    assert lake.send("GET", "/storage/v1/b/lake/o", prefix="a", fields="items/name").json() == {
        "items": [{"name": "a"}]
    }


def test_an_empty_list_has_no_items(http: Any) -> None:
    assert http.send("GET", "/storage/v1/b/lake/o").json() == {"kind": "storage#objects"}
    assert http.send("GET", "/storage/v1/b/nowhere/o").status == 404


def test_the_client_lists_page_by_page(lake: Any, bucket: storage.Bucket) -> None:
    assert lake.names() == NAMES
    assert [blob.name for blob in bucket.list_blobs(page_size=2)] == NAMES
    assert [blob.name for blob in bucket.list_blobs(max_results=3)] == NAMES[:3]
    folded = bucket.list_blobs(delimiter="/", page_size=1)
    assert [blob.name for blob in folded] == ["a", "e"]
    assert folded.prefixes == {"b/", "d/"}
    assert [blob.name for blob in bucket.list_blobs(match_glob="**/3")] == ["b/c/3"]
    assert [blob.name for blob in bucket.list_blobs(start_offset="d", end_offset="e")] == ["d/", "d/4"]
