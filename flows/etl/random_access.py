"""A file to be read from wherever one goes: what those have in common whose bytes are not on this machine's disk."""

import io


class RandomAccess(io.RawIOBase):
    """A file of `size` bytes that can be sought in; whoever derives from it says what a read at `_at` gives."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._at = 0

    def readable(self) -> bool:
        """Say yes: this is a file to read."""
        return True

    def seekable(self) -> bool:
        """Say yes, and in any order; what can be read there is another question."""
        return True

    def tell(self) -> int:
        """Tell where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to where the next read begins; nothing is read."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at
