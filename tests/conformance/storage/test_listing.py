"""The list of a bucket's objects: prefixes, delimiters, offsets, globs, pages, fields."""

import pytest
from google.cloud import storage

from tests.conformance.promises import STORAGE_API, promise
from tests.conformance.storage.objects import Objects

NAMES = ["a", "b/1", "b/2", "b/c/3", "d/4", "e"]


@pytest.fixture
def lake(objects: Objects) -> Objects:
    """The bucket with `NAMES` in it, written in another order."""
    for name in (*NAMES[::2], *NAMES[1::2]):
        assert objects.media(name, name.encode()).status == 200
    return objects


def listed(objects: Objects, **query: str) -> tuple[list[str], list[str]]:
    body = objects.listed(**query).json()
    return [each["name"] for each in body.get("items", [])], body.get("prefixes", [])


@promise("Retrieves a list of objects matching the criteria.", STORAGE_API)
def test_a_list_is_in_the_order_of_the_names(objects: Objects) -> None:
    names = ["B", "a", "a-b", "a/b", "b", "é", "\U0001f600", "￮"]
    for name in names:
        objects.media(name, b"x")
    assert objects.names() == sorted(names, key=str.encode)


@promise("Filter results to objects whose names begin with this prefix.", STORAGE_API)
def test_a_prefix_filters(lake: Objects) -> None:
    found = [listed(lake, prefix=prefix)[0] for prefix in ("b/", "b", "nothing", "")]
    assert found == [["b/1", "b/2", "b/c/3"], ["b/1", "b/2", "b/c/3"], [], NAMES]


@promise(
    "Objects whose names, aside from the prefix, contain delimiter will have their name, truncated after the "
    "delimiter, returned in prefixes. Duplicate prefixes are omitted.",
    STORAGE_API,
)
def test_a_delimiter_folds(lake: Objects) -> None:
    assert listed(lake, delimiter="/") == (["a", "e"], ["b/", "d/"])
    assert listed(lake, delimiter="/", prefix="b/") == (["b/1", "b/2"], ["b/c/"])
    assert listed(lake, delimiter="c/") == ([name for name in NAMES if name != "b/c/3"], ["b/c/"])


@promise(
    "If true, objects that end in exactly one instance of delimiter will have their metadata included in items in "
    "addition to prefixes.",
    STORAGE_API,
)
def test_an_object_that_is_named_like_a_folder_can_be_shown(lake: Objects) -> None:
    lake.media("d/", b"x")
    assert listed(lake, delimiter="/") == (["a", "e"], ["b/", "d/"])
    assert listed(lake, delimiter="/", prefix="d/") == (["d/", "d/4"], [])
    assert listed(lake, delimiter="/", includeTrailingDelimiter="true") == (["a", "d/", "e"], ["b/", "d/"])


@promise("the objects listed will have names between startOffset (inclusive) and endOffset (exclusive).", STORAGE_API)
def test_offsets_cut_the_list(lake: Objects) -> None:
    assert listed(lake, startOffset="b/2", endOffset="d/4")[0] == ["b/2", "b/c/3"]
    assert listed(lake, startOffset="b/2")[0] == NAMES[2:]
    assert listed(lake, endOffset="b/2")[0] == NAMES[:2]


@promise("Filter results to objects and prefixes that match this glob pattern.", STORAGE_API)
def test_a_glob_filters(lake: Objects) -> None:
    assert listed(lake, matchGlob="b/*")[0] == ["b/1", "b/2"]
    assert listed(lake, matchGlob="**/{1,3}")[0] == ["b/1", "b/c/3"]
    assert listed(lake, matchGlob="b/**")[0] == ["b/1", "b/2", "b/c/3"]


@promise("Maximum number of items plus prefixes to return in a single page of responses.", STORAGE_API)
@promise(
    "The continuation token, used to page through large result sets. Provide this value in a subsequent request to "
    "return the next page of results.",
    STORAGE_API,
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_together_are_the_whole_list(lake: Objects, size: int, delimiter: str) -> None:
    items: list[str] = []
    prefixes: list[str] = []
    token, pages = "", []
    while True:
        body = lake.listed(maxResults=size, delimiter=delimiter, pageToken=token).json()
        items += [each["name"] for each in body.get("items", [])]
        prefixes += body.get("prefixes", [])
        pages.append(len(body.get("items", [])) + len(body.get("prefixes", [])))
        token = body.get("nextPageToken", "")
        if not token:
            break
    assert (items, prefixes) == listed(lake, delimiter=delimiter)
    assert max(pages) <= size
    assert len(pages) >= (len(items) + len(prefixes)) / size


@promise("The service will use this parameter or 1,000 items, whichever is smaller.", STORAGE_API)
def test_a_page_has_at_most_a_thousand_items(objects: Objects) -> None:
    objects.media("0000", b"x")
    o = f"/storage/v1/b/{objects.bucket}/o"
    names = [f"{number:04}" for number in range(1001)]
    objects.batch([f"POST {o}/0000/copyTo/b/{objects.bucket}/o/{name}" for name in names[1:]])
    first = objects.listed(maxResults=5000, fields="items(name),nextPageToken").json()
    assert len(first["items"]) == 1000
    rest = objects.listed(pageToken=first["nextPageToken"], fields="items(name),nextPageToken").json()
    assert rest == {"items": [{"name": "1000"}]}
    objects.batch([f"DELETE {o}/{name}" for name in names])  # or the end of the case would take a second


@promise("A previously-returned page token representing part of the larger set of results to view.", STORAGE_API)
def test_a_deleted_row_does_not_disturb_the_next_page(lake: Objects) -> None:
    first = lake.listed(maxResults=2).json()
    lake.delete("b/1")
    rest = lake.listed(pageToken=first["nextPageToken"]).json()
    assert [each["name"] for each in rest["items"]] == NAMES[2:]


@promise("Selector specifying which fields to include in a partial response.", STORAGE_API)
def test_fields_are_selected_in_every_item(lake: Objects) -> None:
    body = lake.listed(prefix="b/", fields="items(name,size),nextPageToken").json()
    assert body == {"items": [{"name": name, "size": str(len(name))} for name in ("b/1", "b/2", "b/c/3")]}


@promise("The kind of item this is. For lists of objects, this is always storage#objects.", STORAGE_API)
def test_an_empty_list_has_no_items(objects: Objects) -> None:
    assert objects.listed().json() == {"kind": "storage#objects"}
    assert objects.send("GET", f"/storage/v1/b/{objects.bucket}-not/o").status == 404


@promise("Retrieves a list of objects matching the criteria.", STORAGE_API)
def test_a_row_of_the_list_is_the_objects_resource(lake: Objects) -> None:
    assert lake.listed(prefix="e").json()["items"] == [lake.get("e").json()]


@promise(
    "The list of prefixes of objects matching-but-not-listed up to and including the requested delimiter.", STORAGE_API
)
def test_googles_client_lists_page_by_page(lake: Objects, bucket: storage.Bucket) -> None:
    assert lake.names() == NAMES
    assert [blob.name for blob in bucket.list_blobs(page_size=2)] == NAMES
    assert [blob.name for blob in bucket.list_blobs(max_results=3)] == NAMES[:3]
    folded = bucket.list_blobs(delimiter="/", page_size=1)
    assert [blob.name for blob in folded] == ["a", "e"]
    assert folded.prefixes == {"b/", "d/"}
    assert [blob.name for blob in bucket.list_blobs(match_glob="**/3")] == ["b/c/3"]
    assert [blob.name for blob in bucket.list_blobs(start_offset="d", end_offset="e")] == ["d/4"]
