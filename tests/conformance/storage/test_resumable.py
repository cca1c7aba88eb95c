"""The resumable protocol: parts, status, resumption, lost replies, cancellation."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import storage

from tests.conformance.promises import promise, relied_on
from tests.conformance.storage.objects import PART, Objects
from tests.conformance.storage.pages import RESUMABLE, RESUMING

CONTENT = b"".join(b"%07d\n" % line for line in range(70_000))  # two parts and a rest
SIZE = len(CONTENT)
CLIENT = "google/cloud/storage/_media/_upload.py"

COMPLETED = promise(
    "Only a completed resumable upload appears in your bucket and, if applicable, replaces an existing object with the "
    "same name.",
    RESUMABLE,
)
PERSISTED = promise(
    "Otherwise, the 308 response has a Range header, which specifies which bytes Cloud Storage has persisted so far.",
    RESUMING,
)
MULTIPLES = promise(
    "Chunks in a resumable upload must come in multiples of 256 KB.", "google/cloud/storage/_media/common.py"
)
SENT_AGAIN = promise(
    "Cloud Storage ignores any bytes you send at an offset that Cloud Storage has already persisted.", RESUMING
)


@pytest.fixture
def session(objects: Objects) -> str:
    """A resumable upload of the object `x` that has begun."""
    return objects.session("x")


def status_of(reply: Any) -> tuple[int, str | None]:
    return reply.status, reply.headers.get("Range")


@COMPLETED
def test_nothing_is_visible_before_the_last_part(objects: Objects, session: str) -> None:
    first = objects.part(session, f"0-{PART - 1}/{SIZE}", CONTENT[:PART])
    assert status_of(first) == (308, f"bytes=0-{PART - 1}")
    second = objects.part(session, f"{PART}-{2 * PART - 1}/*", CONTENT[PART : 2 * PART])
    assert status_of(second) == (308, f"bytes=0-{2 * PART - 1}")
    assert (objects.names(), objects.get("x").status) == ([], 404)
    last = objects.part(session, f"{2 * PART}-{SIZE - 1}/{SIZE}", CONTENT[2 * PART :])
    assert (last.status, last.json()["size"]) == (200, str(SIZE))
    assert objects.download("x").data == CONTENT


@COMPLETED
def test_the_old_object_stays_until_the_new_one_is_whole(objects: Objects, session: str) -> None:
    old = objects.media("x", b"old").json()
    objects.part(session, f"0-{PART - 1}/{PART + 1}", CONTENT[:PART])
    assert objects.state("x") == (old, b"old")
    new = objects.part(session, f"{PART}-{PART}/{PART + 1}", CONTENT[PART : PART + 1]).json()
    assert int(new["generation"]) > int(old["generation"])
    assert objects.download("x").data == CONTENT[: PART + 1]


@promise("If Cloud Storage has not yet persisted any bytes, the 308 response does not have a Range header.", RESUMING)
def test_the_status_of_a_new_upload_has_no_range(objects: Objects, session: str) -> None:
    assert [status_of(objects.part(session, span)) for span in ("*/*", f"*/{SIZE}")] == [(308, None)] * 2
    assert objects.names() == []


@PERSISTED
def test_status_says_how_far_it_is_and_changes_nothing(objects: Objects, session: str) -> None:
    objects.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    for total in ("*", SIZE):
        assert status_of(objects.part(session, f"*/{total}")) == (308, f"bytes=0-{PART - 1}")
    assert objects.names() == []
    assert objects.part(session, f"{PART}-{SIZE - 1}/{SIZE}", CONTENT[PART:]).status == 200
    assert objects.download("x").data == CONTENT


@PERSISTED
def test_an_upload_resumes_where_a_lost_connection_left_it(objects: Objects, session: str) -> None:
    kept = 2 * PART
    objects.cut(session, CONTENT[:kept], {"Content-Length": str(SIZE), "Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"})
    status, held = status_of(objects.part(session, "*/*"))
    assert (status, objects.names()) == (308, [])
    start = int(held.rpartition("-")[2]) + 1 if held else 0  # Google may have kept less than it was sent
    assert start <= kept
    assert objects.part(session, f"{start}-{SIZE - 1}/{SIZE}", CONTENT[start:]).status == 200
    assert objects.download("x").data == CONTENT


@SENT_AGAIN
def test_a_part_sent_twice_counts_once(objects: Objects, session: str) -> None:
    for _ in range(2):
        reply = objects.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
        assert status_of(reply) == (308, f"bytes=0-{PART - 1}")
    assert objects.part(session, f"{PART}-{SIZE - 1}/{SIZE}", CONTENT[PART:]).status == 200
    assert objects.download("x").data == CONTENT


@SENT_AGAIN
def test_what_came_first_stays_when_a_part_overlaps(objects: Objects, session: str) -> None:
    objects.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    overlapping = b"?" * PART + CONTENT[PART : 2 * PART]
    assert objects.part(session, f"0-{2 * PART - 1}/{2 * PART}", overlapping).status == 200
    assert objects.download("x").data == CONTENT[: 2 * PART]


@relied_on("a part begins where the last one that was persisted ended; a gap is never filled with anything", CLIENT)
def test_a_part_after_a_gap_is_refused_and_changes_nothing(objects: Objects, session: str) -> None:
    assert objects.part(session, f"{PART}-{2 * PART - 1}/*", CONTENT[:PART]).status >= 400
    assert status_of(objects.part(session, "*/*")) == (308, None)
    assert objects.names() == []


@MULTIPLES
def test_a_part_that_is_not_the_last_is_a_multiple_of_256_kib(objects: Objects, session: str) -> None:
    refused = objects.part(session, "0-99/*", b"z" * 100)
    # Google persists a multiple of it and no more, or refuses
    assert (refused.status, refused.headers.get("Range")) in {(400, None), (308, None)}
    assert objects.names() == []


@relied_on("Content-Range says which bytes a request carries: `bytes {start}-{end}/{total}`", CLIENT)
@pytest.mark.parametrize(("span", "content"), [("0-99/50", b"z" * 100), ("5-4/100", b""), ("nonsense", b"")])
def test_a_span_that_makes_no_sense_is_refused(objects: Objects, session: str, span: str, content: bytes) -> None:
    assert objects.part(session, span, content).status == 400
    assert objects.names() == []


@COMPLETED
def test_the_total_alone_completes_an_upload_that_has_all_its_bytes(objects: Objects, session: str) -> None:
    objects.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    assert objects.part(session, f"*/{PART}").json()["size"] == str(PART)
    assert objects.download("x").data == CONTENT[:PART]


@COMPLETED
def test_an_empty_object_is_a_total_of_zero(objects: Objects, session: str) -> None:
    assert objects.part(session, "*/0").json()["size"] == "0"
    assert objects.download("x").data == b""


@promise(
    "Resumable uploads work by sending multiple requests, each of which contains a portion of the object you're "
    "uploading.",
    RESUMABLE,
)
@pytest.mark.parametrize("span", [None, f"0-{SIZE - 1}/{SIZE}"])
def test_one_request_can_carry_everything(objects: Objects, session: str, span: str | None) -> None:
    headers = {"Content-Range": f"bytes {span}"} if span else {}
    assert objects.send("PUT", session, CONTENT, headers).json()["size"] == str(SIZE)
    assert objects.download("x").data == CONTENT


@relied_on("a status query after the last part answers with the finished object, for a reply that was lost", CLIENT)
def test_a_lost_final_reply_can_be_asked_for_again(objects: Objects, session: str) -> None:
    made = objects.part(session, "0-4/5", b"bytes").json()
    for again in (objects.part(session, "*/*"), objects.part(session, "*/5")):
        assert (again.status, again.json()["generation"]) == (200, made["generation"])
    assert objects.get("x").json() == made


@promise(
    "Any object metadata set by the user is specified in the initial request. This metadata is applied to the object "
    "once the upload completes.",
    RESUMABLE,
)
def test_metadata_comes_from_the_first_request(objects: Objects) -> None:
    settings = {"metadata": {"run": "7"}, "contentType": "text/csv", "cacheControl": "no-store"}
    made = objects.part(objects.session("x", settings), "0-4/5", b"bytes").json()
    assert {field: made[field] for field in settings} == settings


@promise("The creation time for the object is based on when the upload completes.", RESUMABLE)
def test_an_upload_that_completes_last_wins(objects: Objects, session: str) -> None:
    between = objects.media("x", b"between").json()
    last = objects.part(session, "0-4/5", b"bytes").json()
    assert last["timeCreated"] > between["timeCreated"]
    assert int(last["generation"]) > int(between["generation"])
    assert objects.download("x").data == b"bytes"


@promise(
    "Setting to 0 makes the operation succeed only if there are no live versions of the object.",
    "googleapiclient/discovery_cache/documents/storage.v1.json",
)
def test_preconditions_hold_when_the_upload_completes(objects: Objects) -> None:
    session = objects.session("x", ifGenerationMatch=0)
    objects.media("x", b"faster")
    assert objects.part(session, "0-5/6", b"slower").status == 412
    assert objects.download("x").data == b"faster"


@promise(
    "A resumable upload must be completed within a week of being initiated, but can be cancelled at any time.",
    RESUMABLE,
)
@promise("If successful, the response contains a 499 status code.", RESUMING)
def test_a_cancelled_upload_is_gone(objects: Objects, session: str) -> None:
    objects.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    assert objects.send("DELETE", session).status == 499
    assert 400 <= objects.part(session, "*/*").status < 500
    assert 400 <= objects.part(session, f"{PART}-{PART}/{PART + 1}", b"z").status < 500
    assert objects.names() == []


@relied_on("an upload id is the server's, and another is none", CLIENT)
def test_an_unknown_session_is_not_found(objects: Objects, session: str) -> None:
    assert 400 <= objects.part(session + "0", "*/*").status < 500


@COMPLETED
def test_googles_writer_uploads_part_by_part(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.metadata = {"run": "7"}
    with blob.open("wb", chunk_size=PART, content_type="text/csv", if_generation_match=0, ignore_flush=True) as file:
        for start in range(0, SIZE, 50_000):
            file.write(CONTENT[start : start + 50_000])
        assert not bucket.blob("x").exists()
    seen = bucket.get_blob("x")
    assert seen is not None
    assert (seen.size, seen.content_type, seen.metadata) == (SIZE, "text/csv", {"run": "7"})
    assert seen.download_as_bytes() == CONTENT


@COMPLETED
def test_an_abandoned_writer_leaves_nothing(bucket: storage.Bucket) -> None:
    def write_and_fail() -> None:
        with bucket.blob("x").open("wb", chunk_size=PART, ignore_flush=True) as file:
            file.write(CONTENT)
            raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        write_and_fail()
    assert not bucket.blob("x").exists()


@promise(
    "Using the upload URL, the upload is then done in chunks (determined by the user) until all bytes have been "
    "uploaded.",
    CLIENT,
)
def test_googles_client_uploads_a_file_in_parts(
    bucket: storage.Bucket, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("files") / "file"
    path.write_bytes(CONTENT)
    bucket.blob("x", chunk_size=PART).upload_from_filename(str(path), if_generation_match=0)
    assert bucket.blob("x").download_as_bytes() == CONTENT


@relied_on("a stream whose length is unknown ends with a part that says the total", CLIENT)
def test_googles_client_uploads_a_stream_of_unknown_length(bucket: storage.Bucket) -> None:
    class Stream:
        """Google's client reads it and asks where it is."""

        def __init__(self, pieces: Iterator[bytes]) -> None:
            self.pieces, self.left, self.at = pieces, b"", 0

        def read(self, size: int) -> bytes:
            while len(self.left) < size and (piece := next(self.pieces, b"")):
                self.left += piece
            found, self.left = self.left[:size], self.left[size:]
            self.at += len(found)
            return found

        def tell(self) -> int:
            return self.at

    pieces = (CONTENT[start : start + 70_000] for start in range(0, SIZE, 70_000))
    bucket.blob("x", chunk_size=PART).upload_from_file(Stream(pieces))
    assert bucket.blob("x").download_as_bytes() == CONTENT
