"""The end of a Parquet file, which says where everything in it is: looked at before anything trusts it."""

import struct
from typing import IO, Any

from flows.etl.errors import BadFile

MAGIC, ENCRYPTED = b"PAR1", b"PARE"
END_BYTES = 8  # the footer's length, and the magic
COLUMNS = 10_000  # a table in BigQuery has no more
FOOTER_BYTES = 64 << 20  # of 10,000 columns in 100 row groups; a month of taxi trips has 10 KB
GROUP_BYTES = 8 << 30  # what a row group may announce: eight times what writers are told to make
RATIO = 1_000  # uncompressed to file size: one repeated byte reaches this in zstd, no data that we saw reaches 100
RATIO_FROM_BYTES = 1 << 30  # below this, no ratio does harm


def tail_bytes(end: bytes) -> int:
    """Say by a file's last bytes how many of them make up its footer; 0 if that is none to be read beforehand."""
    length, magic = _length_and_magic(end[-END_BYTES:])
    return length + END_BYTES if magic == MAGIC and length <= FOOTER_BYTES else 0


def check(file: IO[bytes], url: str) -> None:
    """Look at the file's last bytes.

    Raises:
        BadFile: it is encrypted or cut short, or its footer is larger than any.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - END_BYTES))
    length, magic = _length_and_magic(file.read(END_BYTES))
    if magic == ENCRYPTED:
        raise BadFile(
            f"{url}: found an encrypted Parquet file, expected one that is not encrypted; ask the publisher, nothing"
            " was written"
        )
    if magic != MAGIC or length > size - 12:
        raise BadFile(
            f"{url}: found a Parquet file of {size:,} bytes without its footer, expected one at its end; is it cut"
            " short? ask the publisher, or land a whole copy with --source; nothing was written"
        )
    if length > FOOTER_BYTES:
        raise BadFile(
            f"{url}: found a footer of {length:,} bytes, expected at most {FOOTER_BYTES:,}; ask the publisher, nothing"
            " was written"
        )


def check_size(metadata: Any, size: int, url: str) -> None:
    """Refuse what announces far more than a file of its size should hold: a bomb, or a damaged footer.

    Args:
        metadata: what pyarrow read from the footer.
        size: the file's, in bytes.
        url: what the file is called in messages.

    Raises:
        BadFile: it does.
    """
    sizes = [metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)]
    if metadata.num_columns > COLUMNS:
        raise BadFile(
            f"{url}: found {metadata.num_columns:,} columns, expected at most {COLUMNS:,}; ask the publisher, nothing"
            " was written"
        )
    if max(sizes, default=0) > GROUP_BYTES or sum(sizes) > max(RATIO_FROM_BYTES, RATIO * size):
        raise BadFile(
            f"{url}: found {len(sizes)} row groups of {sum(sizes):,} bytes in a file of {size:,}, expected at most"
            f" {GROUP_BYTES:,} in one and {RATIO} times the file's size in all; ask the publisher, nothing was written"
        )


def _length_and_magic(end: bytes) -> tuple[int, bytes]:
    length, magic = struct.unpack("<I4s", end.rjust(END_BYTES, b"\0"))
    return length, magic
