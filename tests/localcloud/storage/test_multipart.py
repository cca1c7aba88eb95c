"""A multipart body comes in pieces of any size, and none of them is kept."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.storage.errors import Invalid
from localcloud.storage.multipart import stream_parts

TYPE = 'multipart/related; boundary="edge"'


def body(media: bytes, end: bytes = b"\r\n") -> bytes:
    lines = [b"--edge", b"Content-Type: application/json", b"", b"{}", b"--edge", b"Content-Type: a/b", b"", media]
    return end.join([*lines, b"--edge--"])


def in_pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


@settings(max_examples=60, deadline=None)
@given(
    media=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--edge", b"--edge-", b"x", b"\x00"])).map(b"".join),
    size=st.integers(1, 40),
    end=st.sampled_from([b"\r\n", b""]),
)
def test_media_comes_as_it_was_sent_in_pieces_of_any_size(media: bytes, size: int, end: bytes) -> None:
    if b"\n--edge" in b"\n" + media:
        media = media.replace(b"--edge", b"edge")  # a client takes a boundary that its media do not hold
    first, headers, pieces = stream_parts(in_pieces(body(media) + end, size), TYPE)
    assert (first.content, headers["Content-Type"], b"".join(pieces)) == (b"{}", "a/b", media)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("broken", [body(b"x" * 50)[:-3], body(b"x") + b"more", body(b"x\r\n--edge\r\n\r\ny")])
def test_a_body_that_does_not_end_as_it_must_is_refused(broken: bytes, size: int) -> None:
    with pytest.raises(Invalid, match="Malformed"):
        b"".join(stream_parts(in_pieces(broken, size), TYPE)[2])


@pytest.mark.parametrize(
    "broken", [b"", b"--edge\r\n\r\n{}\r\n--edge--", b"--edge\r\n\r\n{}\r\n--edge\r\nContent-Type"]
)
def test_a_body_without_media_is_refused(broken: bytes) -> None:
    with pytest.raises(Invalid, match="Malformed"):
        stream_parts(in_pieces(broken, 10), TYPE)
