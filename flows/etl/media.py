"""What kind of file a publisher really sent, told by its first bytes before a parser blames them for another thing."""

import re

from flows.etl.contract import Contract
from flows.etl.errors import BadFile
from flows.etl.fetch import Announced

HEAD_BYTES = 512
FORMATS = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "a Parquet file"}
WRAPPED = {"none": "{}", "gzip": "a gzip file of {}", "zip": "a ZIP file with one file of {}"}
# a publisher's page that says sorry, with status 200
HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s")
SIGNATURES = {
    "gzip": (b"\x1f\x8b", "a gzip file"),
    "zip": (b"PK\x03\x04", "a ZIP file"),
    "parquet": (b"PAR1\x15", "a Parquet file"),
    "bzip2": (b"BZh91AY&SY", "a bzip2 file"),
    "xz": (b"\xfd7zXZ\0", "an xz file"),
    "zstd": (b"\x28\xb5\x2f\xfd", "a zstd file"),
    "pdf": (b"%PDF-", "a PDF file"),
}


def expected(contract: Contract) -> str:
    """Say what kind of file a contract expects."""
    return WRAPPED[contract.compression].format(FORMATS[contract.format])


def check(head: bytes, announced: Announced, contract: Contract, url: str) -> None:
    """Refuse a body that is not what the contract says, as far as its first bytes and the answer's headers tell.

    A gzip file under the label `Content-Encoding: gzip` is the file itself: that is how many servers label a .gz. Any
    other encoding is refused and not undone, as none was asked for: the bytes that were hashed and counted would not
    be the file's.

    Raises:
        BadFile: it is empty, a page, another kind of file, encoded on the way, or of a kind whose end cannot be told.
    """
    wanted = expected(contract)
    if not head:
        raise BadFile(f"{url}: found an empty body, expected {wanted}; ask the publisher, nothing was written")
    check_page(head, announced, url, wanted)
    encoding = announced.content_encoding
    is_label = contract.compression == "gzip" and encoding in ("gzip", "x-gzip")
    if encoding not in ("", "identity") and not is_label:
        raise BadFile(
            f"{url}: found the Content-Encoding {encoding!r}, expected {wanted} as it is stored, which was asked for;"
            " if the publisher compresses it always, let the contract say so under `compression`, nothing was written"
        )
    if not announced.ends and contract.compression == "none" and contract.format != "parquet":
        raise BadFile(
            f"{url}: found neither a Content-Length nor chunks, expected one of them, as nothing else tells the end of"
            f" {wanted} from a broken connection; ask the publisher for it, or for gzip, nothing was written"
        )
    _check_kind(head, contract.compression if contract.compression != "none" else contract.format, url, wanted)


def check_inside(head: bytes, contract: Contract, url: str) -> None:
    """Refuse what was compressed twice, or a page that was compressed.

    Raises:
        BadFile: it is another kind of file than the contract says.
    """
    wanted = expected(contract)
    check_page(head, Announced(), url, f"{wanted}, and not that inside")
    _check_kind(head, contract.format, url, f"{wanted}, and not that inside")


def kind(head: bytes) -> str | None:
    """Tell what kind of file begins like this, in the keys of SIGNATURES; None: it has no signature that we know."""
    return next((name for name, (signature, _) in SIGNATURES.items() if head.startswith(signature)), None)


def check_page(head: bytes, announced: Announced, url: str, wanted: str) -> None:
    """Refuse a publisher's page.

    Raises:
        BadFile: it is one.
    """
    page = ""
    if HTML.match(head) or ("html" in announced.content_type and head.lstrip().startswith(b"<")):
        page = "an HTML page"
    elif XML.match(head):
        page = "an XML document"
    if page:
        start = " ".join(head[:160].decode("utf-8", "replace").split())
        raise BadFile(
            f"{url}: found {page} ({start!r}), expected {wanted}; open the address and see what the publisher says,"
            " nothing was written"
        )


def _check_kind(head: bytes, kind: str, url: str, wanted: str) -> None:
    for name, (signature, what) in SIGNATURES.items():
        if name != kind and head.startswith(signature):
            raise BadFile(f"{url}: found {what}, expected {wanted}; correct the contract, nothing was written")
    if kind == "gzip" and not head.startswith(SIGNATURES["gzip"][0]):
        raise BadFile(
            f"{url}: found a file that begins with {head[:16]!r}, expected {wanted}; if it is not compressed, set"
            " `compression` to none in the contract, nothing was written"
        )
