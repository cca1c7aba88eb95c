"""One step that changes objects, buckets or upload sessions, all of it or nothing."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from localcloud.storage.draft import Contents
from localcloud.storage.errors import NoSuchBucket
from localcloud.storage.journal import Journal
from localcloud.storage.resource import ObjectResource, Settings, new_resource
from localcloud.storage.session import Session

if TYPE_CHECKING:  # the store makes changes, a change works on its store
    from localcloud.storage.store import Store


class Change:
    """Collect one step's changes: the journal's go into its transaction, memory's and the disk's follow it."""

    def __init__(self, store: "Store", journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._after: list[Callable[[], object]] = []

    def publish(
        self,
        bucket: str,
        name: str,
        contents: Contents,
        settings: Settings,
    ) -> ObjectResource:
        """Make finished bytes the live generation of a name, in its bucket's storage class if none is set.

        The bytes get a second link, not a new place: an upload session that is killed here still has its own.

        Raises:
            NoSuchBucket: there is no such bucket.
        """
        store = self._store
        old = store.catalogue.live(bucket, name)
        generation = store.next_generation()
        default: Settings = {"storageClass": store.catalogue.buckets[bucket].get("storageClass")}
        resource = new_resource(bucket, name, generation, contents, {**default, **settings})
        store.path(resource).hardlink_to(contents.path)
        self._journal.save_last_generation(generation)
        self._journal.save_object(resource)
        self._after.append(lambda: store.catalogue.objects.setdefault(bucket, {}).update({name: resource}))
        if old is not None:
            self._after.append(partial(store.path(old).unlink, missing_ok=True))
        return resource

    def replace(self, resource: ObjectResource) -> None:
        """Give a live object new metadata; its bytes stay."""
        self._journal.save_object(resource)
        objects = self._store.catalogue.objects[resource["bucket"]]
        self._after.append(lambda: objects.update({resource["name"]: resource}))

    def remove(self, resource: ObjectResource) -> None:
        """Delete a live object."""
        self._journal.drop_object(resource["bucket"], resource["name"])
        objects = self._store.catalogue.objects[resource["bucket"]]
        self._after.append(lambda: objects.pop(resource["name"]))
        self._after.append(partial(self._store.path(resource).unlink, missing_ok=True))

    def save_buckets(self) -> None:
        """Keep what the catalogue now says of buckets and their policies."""
        catalogue = self._store.catalogue
        self._journal.save_buckets(catalogue.buckets, catalogue.bucket_iam_policies)

    def open_session(self, session: Session) -> None:
        """Begin a resumable upload.

        Raises:
            NoSuchBucket: there is no such bucket.
        """
        if session.intent.bucket not in self._store.catalogue.buckets:
            raise NoSuchBucket(session.intent.bucket)
        self._journal.save_session(session, result=None)
        self._after.append(lambda: self._store.sessions.update({session.id: session}))

    def finish_session(self, session: Session, result: ObjectResource) -> None:
        """Remember what an upload became, for a client that lost the reply."""
        self._journal.save_session(session, result)
        self._after.append(lambda: setattr(session, "result", result))
        self._after.append(self._store.draft_of(session).discard)

    def drop_session(self, session: Session) -> None:
        """Forget an upload and its bytes."""
        self._journal.drop_session(session.id)
        self._after.append(lambda: self._store.sessions.pop(session.id, None))
        self._after.append(self._store.draft_of(session).discard)

    def follow(self) -> None:
        """Do what had to wait for the commit."""
        for action in self._after:
            action()
