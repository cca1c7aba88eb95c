"""The resumable protocol: parts, status, resumption, lost replies, cancellation."""

import socket
from typing import Any

import pytest
from google.cloud import storage

from localcloud.storage import StorageServer, serve

PART = 256 << 10
CONTENT = b"".join(b"%07d\n" % line for line in range(70_000))  # two parts and a rest


@pytest.fixture
def session(http: Any) -> str:
    location: str = http.begin("x").headers["Location"]
    return location


def status_of(reply: Any) -> tuple[int, str | None]:
    return reply.status, reply.headers.get("Range")


def test_nothing_is_visible_before_the_last_part(http: Any, session: str) -> None:
    size = len(CONTENT)
    assert status_of(http.part(session, f"0-{PART - 1}/{size}", CONTENT[:PART])) == (308, f"bytes=0-{PART - 1}")
    second = http.part(session, f"{PART}-{2 * PART - 1}/*", CONTENT[PART : 2 * PART])
    assert status_of(second) == (308, f"bytes=0-{2 * PART - 1}")
    assert http.names() == []
    last = http.part(session, f"{2 * PART}-{size - 1}/{size}", CONTENT[2 * PART :])
    assert (last.status, last.json()["size"]) == (200, str(size))
    assert http.download("x").data == CONTENT


def test_status_says_how_far_it_is_and_changes_nothing(http: Any, session: str) -> None:
    assert status_of(http.part(session, "*/*")) == (308, None)
    http.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    for total in ("*", len(CONTENT)):
        assert status_of(http.part(session, f"*/{total}")) == (308, f"bytes=0-{PART - 1}")
    assert http.names() == []


def test_the_total_alone_ends_an_upload_that_is_complete(http: Any, session: str) -> None:
    http.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    assert http.part(session, f"*/{PART}").json()["size"] == str(PART)
    assert http.download("x").data == CONTENT[:PART]


def test_an_empty_object_is_a_total_of_zero(http: Any, session: str) -> None:
    assert http.part(session, "*/0").json()["size"] == "0"
    assert http.download("x").data == b""


@pytest.mark.parametrize("span", [None, "0-*/*", f"0-*/{len(CONTENT)}"])
def test_one_request_can_carry_everything(http: Any, session: str, span: str | None) -> None:
    headers = {"Content-Range": f"bytes {span}"} if span else {}
    assert http.send("PUT", session, CONTENT, headers).json()["size"] == str(len(CONTENT))
    assert http.download("x").data == CONTENT


def test_a_part_sent_twice_counts_once(http: Any, session: str) -> None:
    for _ in range(2):
        reply = http.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
        assert status_of(reply) == (308, f"bytes=0-{PART - 1}")
    # what came first stays, as with Google, and only what is new of an overlapping part is taken
    assert http.part(session, f"0-{2 * PART - 1}/{2 * PART}", b"?" * PART + CONTENT[PART : 2 * PART]).status == 200
    assert http.download("x").data == CONTENT[: 2 * PART]


def test_a_part_after_a_gap_is_refused_and_changes_nothing(http: Any, session: str) -> None:
    assert http.part(session, f"{PART}-{2 * PART - 1}/*", CONTENT[:PART]).status == 503
    assert status_of(http.part(session, "*/*")) == (308, None)


@pytest.mark.parametrize(
    ("span", "content"),
    [
        ("0-99/*", b"z" * 100),  # not the last, and no multiple of 256 KiB
        ("0-99/100", b"z" * 99),
        ("0-99/50", b"z" * 100),
        ("5-4/100", b""),
        ("nonsense", b""),
    ],
)
def test_a_span_that_makes_no_sense_is_refused(http: Any, session: str, span: str, content: bytes) -> None:
    assert http.part(session, span, content).status == 400
    assert http.names() == []


def test_an_upload_resumes_where_a_broken_connection_left_it(http: Any, session: str, server: StorageServer) -> None:
    size, kept = len(CONTENT), 100_000
    target = session.removeprefix(server.url)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PUT {target} HTTP/1.1\r\nHost: l\r\nContent-Length: {size}\r\nContent-Range: bytes 0-{size - 1}/{size}"
        connection.sendall(head.encode() + b"\r\n\r\n" + CONTENT[:kept])
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert status_of(http.part(session, "*/*")) == (308, f"bytes=0-{kept - 1}")
    assert http.names() == []
    assert http.part(session, f"{kept}-{size - 1}/{size}", CONTENT[kept:]).status == 200
    assert http.download("x").data == CONTENT


def test_a_lost_final_reply_can_be_asked_for_again(http: Any, session: str) -> None:
    made = http.part(session, "0-4/5", b"bytes").json()
    for again in (http.part(session, "*/*"), http.part(session, "*/5"), http.part(session, "0-4/5", b"bytes")):
        assert (again.status, again.json()) == (200, made)
    assert http.object("GET", "x").json()["generation"] == made["generation"]
    http.object("DELETE", "x")
    assert http.part(session, "*/*").json() == made  # what it became, not what is there now


def test_a_session_survives_a_restart_open_or_finished(http: Any, session: str, server: StorageServer) -> None:
    finished = http.begin("y").headers["Location"]
    made = http.part(finished, "0-4/5", b"bytes").json()
    http.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    server.close()
    again = serve(server.store.path(made).parents[1], server.port)
    try:
        assert http.part(finished, "*/*").json() == made
        assert status_of(http.part(session, "*/*")) == (308, f"bytes=0-{PART - 1}")
        last = http.part(session, f"{PART}-{len(CONTENT) - 1}/{len(CONTENT)}", CONTENT[PART:])
        assert last.status == 200
        assert http.download("x").data == CONTENT
    finally:
        again.close()


def test_preconditions_hold_when_the_upload_begins_and_when_it_ends(http: Any) -> None:
    session = http.begin("x", ifGenerationMatch=0).headers["Location"]
    http.media("x", b"faster")
    assert http.begin("x", ifGenerationMatch=0).status == 412
    assert http.part(session, "0-5/6", b"slower").status == 412
    assert http.download("x").data == b"faster"
    assert http.part(session, "*/*").status == 404


def test_a_cancelled_upload_is_gone(http: Any, session: str) -> None:
    http.part(session, f"0-{PART - 1}/*", CONTENT[:PART])
    assert http.send("DELETE", session).status == 499
    assert http.part(session, "*/*").status == 404
    assert http.part(session, "0-4/5", b"bytes").status == 404
    assert http.names() == []


def test_an_unknown_session_is_not_found(http: Any, session: str) -> None:
    assert http.part(session + "0", "*/*").status == 404


def test_the_announced_length_is_held(http: Any) -> None:
    session = http.begin("x", None, {"X-Upload-Content-Length": "6"}).headers["Location"]
    assert http.part(session, "0-4/5", b"bytes").status == 400
    assert http.names() == []


def test_go_clients_get_their_308_in_a_header(http: Any, session: str) -> None:
    reply = http.part(session, f"0-{PART - 1}/*", CONTENT[:PART], **{"X-GUploader-No-308": "yes"})
    assert (reply.status, reply.headers["X-HTTP-Status-Code-Override"]) == (200, "308")


def test_the_clients_own_writer_uploads_part_by_part(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.metadata = {"run": "7"}
    with blob.open("wb", chunk_size=PART, content_type="text/csv", if_generation_match=0, ignore_flush=True) as file:
        for start in range(0, len(CONTENT), 50_000):
            file.write(CONTENT[start : start + 50_000])
        assert not bucket.blob("x").exists()
    seen = bucket.get_blob("x")
    assert seen is not None
    assert (seen.size, seen.content_type, seen.metadata) == (len(CONTENT), "text/csv", {"run": "7"})
    assert seen.download_as_bytes() == CONTENT


def test_an_abandoned_writer_leaves_nothing(bucket: storage.Bucket) -> None:
    def write_and_fail() -> None:
        with bucket.blob("x").open("wb", chunk_size=PART, ignore_flush=True) as file:
            file.write(CONTENT)
            raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        write_and_fail()
    assert not bucket.blob("x").exists()
