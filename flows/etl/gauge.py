"""How much of each file that this process reads has come, for who shows it: looked at from another thread.

Nothing is counted for it: a download knows how far it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.etl.fetch import Download

_reading: dict[str, Download] = {}  # by contract and period, of which a process reads one at a time


@contextmanager
def reading(what: str, body: Download) -> Iterator[None]:
    """Let others see how far a download is, until it is over."""
    _reading[what] = body
    try:
        yield
    finally:
        _reading.pop(what, None)


def share(what: str) -> float:
    """Say how much of a file has come, from 0 to 1; 0 where its publisher does not say how long it is."""
    body = _reading.get(what)
    length = body.validators.length if body else None
    return min(body.bytes_read / length, 1.0) if body and length else 0.0
