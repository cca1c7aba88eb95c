"""Bodies of several parts: `multipart/related` uploads and `multipart/mixed` batches.

The standard library's e-mail parser would take a part's binary bytes for lines of mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from itertools import chain, islice

from localcloud.storage.errors import Invalid

_LONGEST_HEAD_BYTES = 4 << 20  # of the metadata and the headers before the media
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")  # gcloud ends lines with a bare newline


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers and its bytes."""

    headers: Message
    content: bytes


def split_parts(body: bytes, content_type: str) -> list[Part]:
    """Split a body at its boundary.

    Raises:
        Invalid: there is no boundary, or the body does not end with it.
    """
    mark = re.escape(_mark(content_type))
    end = re.search(rb"(?:^|\r?\n)" + mark + rb"--[ \t]*(?:\r?\n)*\Z", body)
    if end is None:
        raise Invalid("Malformed multipart body: the closing boundary is missing")
    edges = list(re.finditer(rb"(?:^|\r?\n)" + mark + rb"[ \t]*\r?\n", body[: end.start()]))
    starts = [edge.end() for edge in edges]
    ends = [edge.start() for edge in edges[1:]] + [end.start()]
    return [_part(body[start:stop]) for start, stop in zip(starts, ends, strict=True)]


def stream_parts(pieces: Iterator[bytes], content_type: str) -> tuple[Part, Message, Iterator[bytes]]:
    """Read a body of two parts: the first whole, the second's headers, and its bytes as they come.

    Raises:
        Invalid: there is no boundary, or the body breaks off before the second part's bytes; iterating raises it where
            the body does not end as it must, with the second part's closing boundary.
    """
    mark = _mark(content_type)
    edge = re.compile(rb"(?:^|\r?\n)" + re.escape(mark) + rb"[ \t]*\r?\n")
    text = b""
    for piece in pieces:
        text += piece
        edges = list(islice(edge.finditer(text), 2))
        if len(edges) == 2 and (head := _whole_head(text[edges[1].end() :])) is not None:
            first = _part(text[edges[0].end() : edges[1].start()])
            headers, rest = head
            return first, parsed_headers(headers), _until(mark, chain([rest], pieces))
        if len(text) > _LONGEST_HEAD_BYTES:
            break
    raise Invalid("Malformed multipart body: expected metadata and media")


def _until(mark: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what comes before the closing boundary; what may be its beginning is held until more has come."""
    edge = re.compile(rb"\r?\n" + re.escape(mark) + rb"(--|[ \t]*\r?\n)")
    longest = len(mark) + 5  # a line's end, the mark, and what tells an edge from bytes that look like one
    held = b""
    for piece in pieces:
        held += piece
        at = held.find(b"\n" + mark)  # ten times as fast as the expression, which is asked where it matters
        found = edge.search(held, max(0, at - 1)) if at >= 0 else None
        if found is not None:
            rest = held[found.end() :] + b"".join(pieces)
            if found[1] != b"--" or rest.strip():
                raise Invalid("Malformed multipart body: expected metadata and media, found more")
            yield held[: found.start()]
            return
        yield held[:-longest]
        held = held[-longest:]
    raise Invalid("Malformed multipart body: the closing boundary is missing")


def _whole_head(text: bytes) -> tuple[bytes, bytes] | None:
    """Split headers from what follows, if all of them have come."""
    return split_head(text) if re.match(rb"\r?\n", text) or _BLANK_LINE.search(text) else None


def split_head(text: bytes) -> tuple[bytes, bytes]:
    """Split headers from what follows the first blank line."""
    head = re.match(rb"\r?\n", text) or _BLANK_LINE.search(text)
    return (text[: head.start()], text[head.end() :]) if head else (text, b"")


def parsed_headers(head: bytes) -> Message:
    """Read header lines."""
    return Parser().parsestr(head.decode("latin-1").replace("\r\n", "\n"), headersonly=True)


def _mark(content_type: str) -> bytes:
    named = re.search(r"""boundary=(["']?)([^"';]+)\1""", content_type)
    if named is None:
        raise Invalid(f"Missing multipart boundary in Content-Type {content_type!r}")
    return b"--" + named[2].encode()


def _part(text: bytes) -> Part:
    head, content = split_head(text)
    return Part(parsed_headers(head), content)
