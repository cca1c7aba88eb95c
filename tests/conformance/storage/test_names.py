"""Names: any Unicode but little, in a flat name space."""

import pytest
from google.cloud import storage

from tests.conformance.promises import promise
from tests.conformance.storage.objects import Objects
from tests.conformance.storage.pages import BUCKET_NAMES, NAMES

ODD = [
    " ", "a b", "a+b", "a%2Fb", "%", "%41", "a&b=c", "a?b", "a#b#1", "a;b", "a:b", "a@b", "a'b\"c", "a\\b", "[a]*{b}",
    "~", "/", "//", "/a", "a/", "a//b", "a/./b", "a/../b", "...", ".a", "CON", "o", "o/x", "b/x/o/y", "upload",
    "alt=media", "\u00e9", "e\u0301", "日本語", "\U0001f600", "\t", "a\u200bb", "x" * 1024, "\u00e9" * 512,
]  # fmt: skip


@promise(
    "Object names can contain any sequence of valid Unicode characters, of length 1-1024 bytes when UTF-8 encoded.",
    NAMES,
)
@pytest.mark.parametrize("name", ODD, ids=[ascii(name)[:24] for name in ODD])
def test_an_odd_name_is_a_name(objects: Objects, bucket: storage.Bucket, name: str) -> None:
    made = objects.media(name, name.encode())
    assert (made.status, made.json().get("name")) == (200, name)
    assert objects.names() == [name]
    assert objects.download(name).data == name.encode()
    assert objects.patch(name).json()["name"] == name
    assert objects.rewrite(name, "copy").status == 200
    assert bucket.blob(name).download_as_bytes() == name.encode()
    bucket.blob(name).upload_from_string(b"by the client")
    assert objects.download(name).data == b"by the client"
    objects.delete(name)
    assert objects.names() == ["copy"]


@promise(
    "Object names can contain any sequence of valid Unicode characters, of length 1-1024 bytes when UTF-8 encoded.",
    NAMES,
)
def test_names_that_look_alike_are_two_objects(objects: Objects) -> None:
    pairs = [("\u00e9", "e\u0301"), ("a", "A"), ("a/b", "a//b"), ("a+b", "a b"), ("a/b", "a%2Fb")]
    names = sorted({name for pair in pairs for name in pair}, key=str.encode)
    for name in names:
        objects.media(name, name.encode())
    assert objects.names() == names
    assert [objects.download(name).data for name in names] == [name.encode() for name in names]


@promise(
    "Object names can contain any sequence of valid Unicode characters, of length 1-1024 bytes when UTF-8 encoded.",
    NAMES,
)
@pytest.mark.parametrize("name", ["", "x" * 1025, "é" * 513], ids=["empty", "1025 bytes", "1026 bytes"])
def test_a_name_of_another_length_is_refused(objects: Objects, name: str) -> None:
    assert objects.media(name, b"x").status == 400
    assert objects.begin(name).status == 400
    assert objects.names() == []


@promise("Object names cannot contain Carriage Return or Line Feed characters.", NAMES)
@promise("Objects cannot be named . or ...", NAMES)
@promise("Object names cannot start with .well-known/acme-challenge/.", NAMES)
@pytest.mark.parametrize("name", ["line\nbreak", "carriage\rreturn", ".", "..", ".well-known/acme-challenge/x"])
def test_a_name_that_is_none_is_refused(objects: Objects, name: str) -> None:
    objects.media("a", b"x")
    refused = [objects.media(name, b"x"), objects.multipart(name, b"x"), objects.begin(name)]
    if name not in {".", ".."}:  # which HTTP takes out of a path
        refused.append(objects.rewrite("a", name))
    assert {reply.status for reply in refused} == {400}
    assert objects.names() == ["a"]


@promise("Objects do not reside within subdirectories in a bucket.", NAMES)
def test_a_name_may_be_the_beginning_of_another(objects: Objects) -> None:
    names = ["a", "a/", "a/b", "a/b/c"]
    for name in names:
        objects.media(name, name.encode())
    assert objects.names() == names
    objects.delete("a/b")
    assert objects.download("a/b/c").data == b"a/b/c"


@promise("Different buckets can have objects with the same name.", NAMES)
def test_buckets_do_not_share_names(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    other = storage_client.create_bucket(f"{bucket.name}-other")
    try:
        bucket.blob("x").upload_from_string(b"here")
        other.blob("x").upload_from_string(b"there")
        assert (bucket.blob("x").download_as_bytes(), other.blob("x").download_as_bytes()) == (b"here", b"there")
        other.blob("x").delete()
        assert bucket.blob("x").exists()
    finally:
        other.delete()


@promise(
    "Bucket names must contain only lowercase letters, numbers, dashes (-), underscores (_), and dots (.).",
    BUCKET_NAMES,
)
@promise("Bucket names must start and end with a number or letter.", BUCKET_NAMES)
@promise("Bucket names must contain 3 to 63 characters.", BUCKET_NAMES)
@promise(
    "Bucket names cannot be represented as an IP address in dotted-decimal notation (for example, 192.168.5.4).",
    BUCKET_NAMES,
)
@promise('Bucket names cannot begin with the "goog" prefix.', BUCKET_NAMES)
@pytest.mark.parametrize(
    "name", ["", "ab", "Upper", "sp ace", "-abc", "abc-", "_abc", "a/b", "192.168.5.4", "goog-abc", "a" * 64, "é" * 3]
)
def test_a_bucket_name_that_is_none_is_refused(objects: Objects, name: str, target_project: str) -> None:
    assert objects.send("POST", "/storage/v1/b", {"name": name}, project=target_project).status == 400
