"""Objects of the lake: what they are called, and what becomes of them once a claim names them, or none does.

Names are unique and objects never change, so a name stands for its bytes. A landing has up to two: the rows that
land, under `lake/`, and those put aside, under `quarantine/`, both with the same unique part. `superseded/` holds what
newer claims replaced; the bucket's lifecycle rule empties it.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from flows.etl.errors import ObjectGone

LAKE, QUARANTINE, SUPERSEDED = "lake/", "quarantine/", "superseded/"


@dataclass(frozen=True, slots=True)
class LakeObject:
    """An object by its name and the generation that storage gave it: together they never mean other bytes."""

    uri: str
    generation: int
    crc32c: str

    def blob(self, bucket: storage.Bucket) -> storage.Blob:
        """Give the handle of exactly this generation."""
        name = self.uri.removeprefix(f"gs://{bucket.name}/")
        blob: storage.Blob = bucket.blob(name, generation=self.generation)
        return blob


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a listing shows it; `created` is storage's word."""

    item: LakeObject
    size_bytes: int
    created: dt.datetime


def stored(bucket: storage.Bucket, *prefixes: str) -> list[Stored]:
    """List all objects whose names begin so, in one listing for each prefix."""
    fields = "items(name,generation,crc32c,size,timeCreated),nextPageToken"
    return [
        Stored(
            LakeObject(f"gs://{bucket.name}/{blob.name}", int(blob.generation), str(blob.crc32c)),
            int(blob.size),
            blob.time_created,
        )
        for prefix in prefixes
        for blob in bucket.client.list_blobs(bucket, prefix=prefix, fields=fields)
    ]


def new_names(contract: str, partition: str) -> tuple[str, str]:
    """Make names for one landing's objects: that of the rows which land, and that of those put aside."""
    whose, own = f"{contract}/{partition}", uuid.uuid4().hex
    return f"{LAKE}{whose}/{own}.parquet", f"{QUARANTINE}{whose}/{own}.jsonl.gz"


def owner(uri: str) -> str:
    """Give a landing's name, `<contract>/<partition>/<unique>`, from the address of one of its two objects."""
    name = uri.removeprefix("gs://").partition("/")[2]
    folder, _, file = name.partition("/")[2].rpartition("/")
    return f"{folder}/{file.partition('.')[0]}"


def is_alive(bucket: storage.Bucket, item: LakeObject) -> bool:
    """Tell whether the object is still there at its generation: then a load job can read it."""
    return bool(item.blob(bucket).exists())


def drop(bucket: storage.Bucket, item: LakeObject) -> None:
    """Delete an object that no claim names; it may be gone already."""
    try:
        item.blob(bucket).delete()
    except NotFound:
        return


def superseded(name: str) -> str:
    """Give the name that an object has once a newer claim has replaced it."""
    return SUPERSEDED + name.removeprefix(LAKE).removeprefix(QUARANTINE)


def superseded_uri(uri: str) -> str:
    """Give the address that an object has once a newer claim has replaced it."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return f"gs://{bucket}/{superseded(name)}"


def supersede(bucket: storage.Bucket, item: LakeObject) -> None:
    """Move an older claim's object out of the reach of load jobs; done already, nothing happens.

    A copy and a delete, each with its generation as precondition: Cloud Storage has no move for flat buckets that
    every client offers, and in this order a kill in between leaves both, which the next call settles.
    """
    blob = item.blob(bucket)
    try:
        bucket.copy_blob(
            blob, bucket, superseded(str(blob.name)), source_generation=item.generation, if_generation_match=0
        )
    except PreconditionFailed:
        pass  # an earlier call, or another process, has copied it
    except NotFound:
        return
    drop(bucket, item)


def copy(bucket: storage.Bucket, item: LakeObject, to: str) -> LakeObject:
    """Copy an object on the server's side to a name of its own, for a claim that loads known content again.

    It may have been superseded: objects go that way only, so who does not find it in its place looks there next.

    Raises:
        ObjectGone: it is in neither place, or other bytes are there under its name.
    """
    blob = item.blob(bucket)
    try:
        made = bucket.copy_blob(blob, bucket, to, source_generation=item.generation, if_generation_match=0)
    except NotFound:
        try:
            made = bucket.copy_blob(bucket.blob(superseded(str(blob.name))), bucket, to, if_generation_match=0)
        except NotFound as error:
            raise ObjectGone(f"{item.uri}: gone, also from {SUPERSEDED}") from error
    copied = LakeObject(f"gs://{bucket.name}/{to}", int(made.generation), str(made.crc32c))
    if copied.crc32c != item.crc32c:
        drop(bucket, copied)
        raise ObjectGone(f"{item.uri}: found checksum {copied.crc32c} under its name, expected {item.crc32c}")
    return copied
