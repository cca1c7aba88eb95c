"""Upload sessions: what they do that Google leaves open, and across restarts."""

import socket
from typing import Any

import pytest

from localcloud.storage import StorageServer, serve

PART = 256 << 10
CONTENT = b"".join(b"%07d\n" % line for line in range(70_000))  # two parts and a rest


@pytest.fixture
def session(http: Any) -> str:
    location: str = http.begin("x").headers["Location"]
    return location


def status_of(reply: Any) -> tuple[int, str | None]:
    return reply.status, reply.headers.get("Range")


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


def test_the_announced_length_is_held(http: Any) -> None:
    session = http.begin("x", None, {"X-Upload-Content-Length": "6"}).headers["Location"]
    assert http.part(session, "0-4/5", b"bytes").status == 400
    assert http.names() == []


def test_go_clients_get_their_308_in_a_header(http: Any, session: str) -> None:
    reply = http.part(session, f"0-{PART - 1}/*", CONTENT[:PART], **{"X-GUploader-No-308": "yes"})
    assert (reply.status, reply.headers["X-HTTP-Status-Code-Override"]) == (200, "308")
