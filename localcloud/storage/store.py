"""Objects on disk: immutable bytes under generation-named files, metadata in a journal, both under one lock."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from localcloud.storage.catalogue import Catalogue
from localcloud.storage.change import Change
from localcloud.storage.draft import Contents, Draft, pieces_of
from localcloud.storage.errors import TIDY_UP, LostBytes, NoSuchObject
from localcloud.storage.journal import Journal
from localcloud.storage.resource import ObjectResource, valid_name
from localcloud.storage.session import Session


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Point at the immutable bytes of a live generation.

    The file is unlinked when the object is overwritten or deleted: hard-link it to pin it, and take a
    `FileNotFoundError` there for what it is, an object that has just changed.
    """

    name: str
    path: Path
    size: int


class Store:
    """Hold all buckets and objects of one folder.

    Readers see an object whole or not at all, and an open file stays what it was. What a request was told is done
    survives a SIGKILL at any moment. A folder belongs to one process.
    """

    def __init__(self, root: Path) -> None:
        self._generations = root / "generations"
        self._drafts = root / "drafts"
        for folder in (self._generations, self._drafts):
            folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.catalogue = Catalogue()
        self.sessions: dict[str, Session] = {}
        self._last_generation = 0
        self._journal = Journal(root / "metadata.sqlite3")
        try:
            self._recover()
        except BaseException:  # whatever it was, the folder is free for the next process
            self._journal.close()
            raise

    def matching(self, uri: str) -> list[StoredFile]:
        """Return the live objects that a URI names, in the order of their names.

        The URI is `gs://bucket/name`; one `*` in the name stands for any characters, slashes too, as in a load job.

        Raises:
            NoSuchObject: nothing matches.
            ValueError: this is no such URI.
        """
        bucket, name = _parsed(uri)
        if name.count("*") > 1:
            raise ValueError(f"{uri}: a URI may hold one `*`, after the bucket's name")
        pattern = re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL)
        with self.lock:
            objects = self.catalogue.objects.get(bucket, {})
            found = [objects[each] for each in sorted(objects) if pattern.fullmatch(each)]
        if not found:
            raise NoSuchObject(uri)
        return [StoredFile(each["name"], self.path(each), int(each["size"])) for each in found]

    def put(self, uri: str, path: Path) -> None:
        """Make a live object of a copy of a file's bytes, over whatever has the name.

        Raises:
            NoSuchBucket: there is no such bucket.
            ValueError: this is no `gs://bucket/name`.
        """
        bucket, name = _parsed(uri)
        with self.drafting() as draft:
            with path.open("rb") as file:
                draft.receive(pieces_of(file))
            with self.change() as change:
                change.publish(bucket, valid_name(name), draft.contents(), {})

    def find(self, bucket: str, name: str, generation: str | None = None) -> ObjectResource:
        """Return a live object; call it under the lock when a change depends on it.

        Raises:
            NoSuchBucket, NoSuchObject: it, or the asked generation of it, is not live.
        """
        resource = self.catalogue.live(bucket, name)
        if resource is None or generation not in (None, resource["generation"]):
            raise NoSuchObject(f"{bucket}/{name}" + (f"#{generation}" if generation else ""))
        return resource

    def path(self, resource: ObjectResource) -> Path:
        """Return where a generation's bytes are."""
        return self._generations / resource["generation"]

    def open(self, resource: ObjectResource) -> BinaryIO:
        """Open a generation's bytes; under the lock, or the object may be gone meanwhile."""
        return self.path(resource).open("rb")

    def contents(self, resource: ObjectResource) -> Contents:
        """Return an object's bytes as something to publish again."""
        hashes = resource["crc32c"], resource.get("md5Hash")
        return Contents(self.path(resource), int(resource["size"]), *hashes, resource.get("componentCount"))

    @contextmanager
    def drafting(self) -> Iterator[Draft]:
        """Lend a draft that is gone afterwards."""
        draft = Draft(self._drafts / f"once-{uuid4().hex}")
        try:
            yield draft
        finally:
            draft.discard()

    def draft_of(self, session: Session) -> Draft:
        """Return an upload session's draft; the caller has the session's turn."""
        if session.draft is None:
            session.draft = Draft(self._drafts / session.id)
        return session.draft

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Change objects, buckets and sessions in one step: all of it when the block ends, none if it raises."""
        with self.lock:
            change = Change(self, self._journal)
            with self._journal.transaction():
                yield change
            change.follow()

    def next_generation(self) -> int:
        """Return a number that grows, microseconds as Google's do; call it under the lock."""
        self._last_generation = max(time.time_ns() // 1000, self._last_generation + 1)
        return self._last_generation

    def close(self) -> None:
        """Release the folder; no request may be at work."""
        with self.lock:
            self._journal.close()

    def _recover(self) -> None:
        """Load the journal, check that the bytes are there, and drop what a kill left half done."""
        self._last_generation = self._journal.last_generation()
        for name, resource, policy in self._journal.buckets():
            self.catalogue.buckets[name] = resource
            if policy is not None:
                self.catalogue.bucket_iam_policies[name] = policy
        sizes = {file.name: file.stat().st_size for file in self._generations.iterdir()}
        for each in self._journal.objects():
            self.catalogue.objects.setdefault(each["bucket"], {})[each["name"]] = each
            if sizes.pop(each["generation"], None) != int(each["size"]):
                uri = f"gs://{each['bucket']}/{each['name']}"
                raise LostBytes(f"{self.path(each)}: not the {each['size']} bytes of {uri}; {TIDY_UP}")
        for orphan in sizes:  # linked, and killed before the journal knew
            (self._generations / orphan).unlink()
        with self._journal.transaction():
            for session in self._journal.sessions():
                if session.expired:
                    self._journal.drop_session(session.id)
                else:
                    self.sessions[session.id] = session
        waiting = {session.id for session in self.sessions.values() if session.result is None}
        for file in self._drafts.iterdir():
            if file.name not in waiting:
                file.unlink()


def _parsed(uri: str) -> tuple[str, str]:
    found = re.fullmatch(r"gs://([^/*]+)/(.+)", uri, re.DOTALL)
    if found is None:
        raise ValueError(f"{uri}: expected gs://bucket/name")
    return found[1], found[2]
