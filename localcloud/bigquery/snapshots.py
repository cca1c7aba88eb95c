"""Snapshots behind page tokens: who pages through a table reads one content, whatever happens meanwhile."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localcloud.bigquery.database import Cursor, Database
from localcloud.bigquery.faults import Fault

IDLE_S = 300  # Google keeps them for a day; the engine keeps old rows as long as one is open
KEPT = 64


@dataclass(slots=True)
class _Open:
    cursor: Cursor
    lock: threading.Lock
    used: float


class Snapshots:
    """Open snapshots by token; the ones unused for long are closed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()

    @contextmanager
    def use(self, token: str | None) -> Iterator[tuple[str, Cursor]]:
        """Read from the snapshot of a token, or from a new one.

        Raises:
            Fault: invalid for a token that is no longer known.
        """
        with self._lock:
            self._close_unused()
            if token is None:
                token = uuid.uuid4().hex
                self._open[token] = _Open(self._database.snapshot(), threading.Lock(), time.monotonic())
            found = self._open.get(token)
            if found is None:
                raise Fault("invalid", "Invalid page token: its snapshot is no longer kept")
            found.used = time.monotonic()
            self._open.move_to_end(token)
        with found.lock:
            yield token, found.cursor

    def drop(self, token: str) -> None:
        """Close a snapshot that has been read to its end."""
        with self._lock:
            found = self._open.pop(token, None)
        if found:
            with found.lock:
                found.cursor.close()

    def close(self) -> None:
        """Close all."""
        for token in list(self._open):
            self.drop(token)

    def _close_unused(self) -> None:
        while self._open:
            token, oldest = next(iter(self._open.items()))
            if len(self._open) < KEPT and time.monotonic() - oldest.used < IDLE_S:
                break
            del self._open[token]
            with oldest.lock:
                oldest.cursor.close()
