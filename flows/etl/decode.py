"""A file's decompressed bytes."""

import io
import zlib
from typing import IO, cast

from isal import igzip

from flows.etl.errors import BadFile

READ_BYTES = 256 << 10


def decompress(source: io.RawIOBase, compression: str, url: str) -> IO[bytes]:
    """Give a file's decompressed bytes to read; gzip of several members is read through.

    Raises:
        BadFile: while reading, where the stream is no gzip, is damaged or cut short.
    """
    buffered = io.BufferedReader(source, READ_BYTES)
    if compression == "none":
        return buffered
    return cast(IO[bytes], _Gunzip(buffered, url))


class _Gunzip(igzip.IGzipFile):
    """A gzip reader whose errors name the file."""

    def __init__(self, source: IO[bytes], url: str) -> None:
        super().__init__(fileobj=source, mode="rb")  # type: ignore[no-untyped-call] # isal types its C part only
        self._url = url

    def read(self, size: int | None = -1) -> bytes:
        """Read *size* decompressed bytes; fewer only at the end."""
        try:
            data: bytes = super().read(size)
        except EOFError as error:
            raise BadFile(
                f"{self._url}: the gzip stream breaks off, expected its end mark; ask the publisher, or land a whole"
                " copy with --source; nothing was written"
            ) from error
        except (OSError, zlib.error) as error:
            raise BadFile(
                f"{self._url}: found damaged gzip ({error}), expected a gzip file; nothing was written"
            ) from error
        return data
