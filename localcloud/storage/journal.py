"""What survives a restart, in SQLite: one row for each bucket, object and upload session.

One small transaction for each change costs the same with ten objects and with ten thousand; the emulator's own
file of all metadata is written anew each time.

SIGKILL loses nothing that was committed, since the pages are the kernel's by then. SQLite is told to sync at
checkpoints only, and object bytes are never synced: after a power loss the database is whole but its last seconds,
and the bytes of young objects, may be gone. A rehearsal can be repeated; a sync for each write would cost several
milliseconds on many a disk. Damage that shows is looked for at the start, and refused.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.storage.errors import TIDY_UP, FolderInUse, LostBytes
from localcloud.storage.resource import ObjectResource
from localcloud.storage.session import Session

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bucket (name TEXT PRIMARY KEY, resource TEXT NOT NULL, policy TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (
    bucket TEXT, name TEXT, resource TEXT NOT NULL, PRIMARY KEY (bucket, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last_generation (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER);
"""


class Journal:
    """Keep the store's metadata; every method but `close` is called under the store's lock."""

    def __init__(self, path: Path) -> None:
        # requests come on many threads, one at a time: the store's lock sees to that
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._db.close()
            if isinstance(error, sqlite3.OperationalError):
                raise FolderInUse(f"{path}: {error}; is another local cloud running on this folder?") from error
            raise LostBytes(f"{path}: {error}; {TIDY_UP}") from error

    def _open(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # two servers on one folder would not see each other
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)  # here, not in the middle of a run
        with self.transaction():  # takes the exclusive lock now, not at the first request
            self._db.execute("INSERT OR IGNORE INTO last_generation VALUES (1, 0)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is written inside, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:  # also a KeyboardInterrupt must not leave a transaction open
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def buckets(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any] | None]]:
        """Yield each bucket's name, resource and IAM policy."""
        for name, resource, policy in self._db.execute("SELECT name, resource, policy FROM bucket"):
            yield name, json.loads(resource), json.loads(policy) if policy else None

    def objects(self) -> Iterator[ObjectResource]:
        """Yield each live object."""
        for (resource,) in self._db.execute("SELECT resource FROM object"):
            yield json.loads(resource)

    def sessions(self) -> Iterator[Session]:
        """Yield each upload session, open or finalised."""
        for (state,) in self._db.execute("SELECT state FROM session"):
            yield Session.from_json(state)

    def last_generation(self) -> int:
        """Return the highest generation ever given."""
        (generation,) = self._db.execute("SELECT generation FROM last_generation").fetchone()
        return int(generation)

    def save_buckets(self, buckets: dict[str, Any], policies: dict[str, Any]) -> None:
        """Write all buckets: there are few, and they change seldom."""
        self._db.execute("DELETE FROM bucket")
        rows = [
            (name, json.dumps(resource), json.dumps(policies[name]) if name in policies else None)
            for name, resource in buckets.items()
        ]
        self._db.executemany("INSERT INTO bucket VALUES (?, ?, ?)", rows)

    def save_object(self, resource: ObjectResource) -> None:
        """Make this the live generation of its name."""
        row = (resource["bucket"], resource["name"], json.dumps(resource))
        self._db.execute("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", row)

    def save_last_generation(self, generation: int) -> None:
        """Remember that this generation was given, also when its object is deleted and the clock set back."""
        self._db.execute("UPDATE last_generation SET generation = ?", (generation,))

    def drop_object(self, bucket: str, name: str) -> None:
        """Leave no live generation of a name."""
        self._db.execute("DELETE FROM object WHERE bucket = ? AND name = ?", (bucket, name))

    def save_session(self, session: Session, result: ObjectResource | None) -> None:
        """Write an upload session's state; its bytes are in its draft."""
        self._db.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (session.id, session.to_json(result)))

    def drop_session(self, session_id: str) -> None:
        """Forget an upload session."""
        self._db.execute("DELETE FROM session WHERE id = ?", (session_id,))

    def close(self) -> None:
        """Release the folder."""
        self._db.close()
