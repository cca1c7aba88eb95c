"""Checksums: computed, kept, compared with what the client says, before anything is visible."""

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import storage

from tests.conformance.promises import STORAGE_API, promise
from tests.conformance.storage.objects import Objects, crc32c, md5
from tests.conformance.storage.pages import VALIDATION

REFUSED = promise(
    "If the checksums don't match, the write request is rejected with a BadRequestException: 400 error.", VALIDATION
)
ACCEPTED = promise(
    "If the checksums match, the object is stored in Cloud Storage along with its checksums.", VALIDATION
)
HASHES = pytest.mark.parametrize(("field", "hashed"), [("md5Hash", md5), ("crc32c", crc32c)])


@promise(
    "CRC32c checksum, as described in RFC 4960, Appendix B; encoded using base64 in big-endian byte order.", STORAGE_API
)
@promise("MD5 hash of the data; encoded using base64.", STORAGE_API)
@pytest.mark.parametrize("kind", ["media", "multipart", "resumable"])
def test_the_server_computes_both_checksums(objects: Objects, kind: str) -> None:
    resource = getattr(objects, kind)("x", b"bytes").json()
    assert (resource["crc32c"], resource["md5Hash"]) == (crc32c(b"bytes"), md5(b"bytes"))


@REFUSED
@HASHES
def test_a_wrong_checksum_in_the_metadata_leaves_nothing(objects: Objects, field: str, hashed: Any) -> None:
    assert objects.multipart("x", b"bytes", {field: hashed(b"other")}).status == 400
    assert objects.names() == []


@REFUSED
@HASHES
def test_a_wrong_checksum_of_a_resumable_upload_leaves_nothing(objects: Objects, field: str, hashed: Any) -> None:
    session = objects.session("x", {field: hashed(b"other")})
    assert objects.part(session, "0-4/5", b"bytes").status == 400
    assert objects.names() == []


@ACCEPTED
@HASHES
def test_a_right_checksum_is_accepted(objects: Objects, field: str, hashed: Any) -> None:
    assert objects.multipart("x", b"bytes", {field: hashed(b"bytes")}).status == 200
    session = objects.session("y", {field: hashed(b"bytes")})
    assert objects.part(session, "0-4/5", b"bytes").status == 200
    assert [objects.download(name).data for name in objects.names()] == [b"bytes", b"bytes"]


@promise(
    "the client calculates the checksum of the local file and attaches it to the HTTP headers of the object upload "
    "request.",
    VALIDATION,
)
@pytest.mark.parametrize("wrong", [f"crc32c={crc32c(b'other')}", f"crc32c={crc32c(b'bytes')},md5={md5(b'other')}"])
def test_a_checksum_in_the_last_parts_header_is_held(objects: Objects, wrong: str) -> None:
    refused = objects.part(objects.session("x"), "0-4/5", b"bytes", {"X-Goog-Hash": wrong})
    assert (refused.status, objects.names()) == (400, [])
    right = f"crc32c={crc32c(b'bytes')},md5={md5(b'bytes')}"
    assert objects.part(objects.session("x"), "0-4/5", b"bytes", {"X-Goog-Hash": right}).status == 200


@REFUSED
def test_a_refused_overwrite_leaves_the_old_object(objects: Objects) -> None:
    old = objects.media("x", b"old").json()
    assert objects.multipart("x", b"new", {"md5Hash": md5(b"other")}).status == 400
    assert objects.state("x") == (old, b"old")


@REFUSED
def test_googles_client_sees_a_wrong_checksum_as_a_bad_request(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.md5_hash = md5(b"other")
    with pytest.raises(BadRequest):
        blob.upload_from_string(b"bytes")
    assert not bucket.blob("x").exists()


@promise(
    "Get the expected checksum and checksum object for the download response.",
    "google/cloud/storage/_media/_helpers.py",
)
@pytest.mark.parametrize("checksum", ["md5", "crc32c"])
def test_googles_client_checks_a_download_by_the_header(
    bucket: storage.Bucket, objects: Objects, checksum: str
) -> None:
    bucket.blob("x").upload_from_string(b"bytes")
    hashes = objects.download("x").headers["x-goog-hash"]
    assert {each.strip() for each in hashes.split(",")} == {f"crc32c={crc32c(b'bytes')}", f"md5={md5(b'bytes')}"}
    assert bucket.blob("x").download_as_bytes(checksum=checksum) == b"bytes"
