"""A file's bytes on this machine's disk, for formats that are read from their end."""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast

from flows.etl.errors import Transient

COPY_BYTES = 1 << 20


def _temporary() -> io.FileIO:
    # without a buffer: one that cannot be written out raises again when the file is closed
    return tempfile.TemporaryFile(prefix="landfall-", buffering=0)


@contextmanager
def spool(
    source: IO[bytes], url: str, make: Callable[[], io.FileIO] = _temporary, begun: bytes = b""
) -> Iterator[IO[bytes]]:
    """Copy *source* to a temporary file and give that to read from its start; it takes the disk that *source* is long.

    *begun* is what was read of the source before. The file has no name and is gone with the process, however that ends.

    Raises:
        Transient: the disk is full, or cannot be written to.
        LandfallError: as reading *source* does.
    """
    copied = 0
    try:
        file = make()
    except OSError as error:
        raise _no_room(url, copied, error) from error
    with file:
        data = begun or source.read(COPY_BYTES)
        while data:
            rest = memoryview(data)
            while rest:
                try:
                    written = file.write(rest)
                except OSError as error:
                    raise _no_room(url, copied, error) from error
                rest = rest[written:]
                copied += written
            data = source.read(COPY_BYTES)
        file.seek(0)
        yield cast(IO[bytes], file)


def _no_room(url: str, copied: int, error: OSError) -> Transient:
    return Transient(
        f"{url}: found no room for a temporary file after {copied} bytes ({error.strerror or error}), expected disk for"
        " the whole of it; free some, or set TMPDIR to a larger disk, nothing was written"
    )
