"""Bodies of several parts: `multipart/related` uploads and `multipart/mixed` batches.

The standard library's e-mail parser would take a part's binary bytes for lines of mail.
"""

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser

from localcloud.storage.errors import Invalid

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
    named = re.search(r"""boundary=(["']?)([^"';]+)\1""", content_type)
    if named is None:
        raise Invalid(f"Missing multipart boundary in Content-Type {content_type!r}")
    mark = rb"--" + re.escape(named[2].encode())
    end = re.search(rb"(?:^|\r?\n)" + mark + rb"--[ \t]*(?:\r?\n)*\Z", body)
    if end is None:
        raise Invalid("Malformed multipart body: the closing boundary is missing")
    edges = list(re.finditer(rb"(?:^|\r?\n)" + mark + rb"[ \t]*\r?\n", body[: end.start()]))
    starts = [edge.end() for edge in edges]
    ends = [edge.start() for edge in edges[1:]] + [end.start()]
    return [_part(body[start:stop]) for start, stop in zip(starts, ends, strict=True)]


def split_head(text: bytes) -> tuple[bytes, bytes]:
    """Split headers from what follows the first blank line."""
    head = re.match(rb"\r?\n", text) or _BLANK_LINE.search(text)
    return (text[: head.start()], text[head.end() :]) if head else (text, b"")


def parsed_headers(head: bytes) -> Message:
    """Read header lines."""
    return Parser().parsestr(head.decode("latin-1").replace("\r\n", "\n"), headersonly=True)


def _part(text: bytes) -> Part:
    head, content = split_head(text)
    return Part(parsed_headers(head), content)
