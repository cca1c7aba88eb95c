"""The XML API's reads: an object's plain address, and a bucket's list there."""

from email.utils import parsedate_to_datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET

from google.cloud import storage

from tests.conformance.promises import relied_on
from tests.conformance.storage.objects import Objects

OBJECT = relied_on(
    "an object's plain address answers HEAD, and GET with ranges, a length and a date",
    "https://cloud.google.com/storage/docs/xml-api/get-object-download",
)
LIST = relied_on(
    "a bucket's plain address lists its objects, in the list's second version",
    "https://cloud.google.com/storage/docs/xml-api/get-bucket-list",
)


def parsed(text: bytes) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # the target's own answer


@OBJECT
def test_a_plain_address_serves_the_bytes(objects: Objects) -> None:
    resource = objects.media("a/b c.csv", b"0123456789", {"Content-Type": "text/csv"}).json()
    path = f"/{objects.bucket}/{quote('a/b c.csv')}"
    whole, head = objects.send("GET", path), objects.send("HEAD", path)
    part = objects.send("GET", path, None, {"Range": "bytes=2-4"})
    assert (whole.status, whole.data, part.status, part.data) == (200, b"0123456789", 206, b"234")
    assert (head.status, head.data, head.headers["Content-Length"]) == (200, b"", "10")
    for reply in (whole, head):
        assert reply.headers["Content-Type"] == "text/csv"
        assert reply.headers["x-goog-generation"] == resource["generation"]
        assert parsedate_to_datetime(reply.headers["Last-Modified"]).isoformat()[:19] == resource["updated"][:19]


@OBJECT
def test_a_plain_address_of_nothing_is_not_found(objects: Objects) -> None:
    replies = [objects.send("GET", f"/{objects.bucket}/nothing"), objects.send("GET", f"/{objects.bucket}-not/nothing")]
    assert [reply.status for reply in replies] == [404, 404]
    assert [parsed(reply.data).tag for reply in replies] == ["Error", "Error"]


@OBJECT
def test_the_address_that_googles_client_gives_out_works(objects: Objects, bucket: storage.Bucket) -> None:
    blob = bucket.blob("a/b c.csv")
    blob.upload_from_string(b"bytes")
    assert objects.send("GET", blob.public_url).data == b"bytes"


@LIST
def test_a_bucket_is_listed_page_by_page(objects: Objects) -> None:
    names = ["a", "b/1", "b/2", "c d", "é"]
    for name in names:
        objects.media(name, name.encode())
    found: list[str] = []
    query: dict[str, str] = {}
    while True:
        reply = objects.send("GET", f"/{objects.bucket}", **{"list-type": "2", "max-keys": "2", **query})
        page = parsed(reply.data)
        space = page.tag.partition("}")[0] + "}"
        found += [each.findtext(f"{space}Key", "") for each in page.findall(f"{space}Contents")]
        token = page.findtext(f"{space}NextContinuationToken")
        assert page.findtext(f"{space}IsTruncated") == ("true" if token else "false")
        if token is None:
            break
        query = {"continuation-token": token}
    assert found == names
    folded = parsed(objects.send("GET", f"/{objects.bucket}", **{"list-type": "2", "delimiter": "/"}).data)
    assert [each.text for each in folded.iter(f"{space}Prefix") if each.text] == ["b/"]
