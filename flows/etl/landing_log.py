"""The landing log's entries: numbered claims in the lake, one small object each, written by put-if-absent.

The order is the number's, never a clock's.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Literal, Self

from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

from flows.etl.contract import ColumnType
from flows.etl.errors import Outdated
from flows.etl.fetch import Validators
from flows.etl.lake_object import LakeObject
from flows.etl.partition import Partition

LOG = "log/"
DIGITS = 8  # numbers are padded, so that names sort as numbers do
# metadata of an entry
PUBLISHED = "published"  # what the publisher answers, where that content is what it serves
CHECKS = "checks"  # the fingerprint of the checks that its rows were last held against

Kind = Literal["landing", "repair", "as_of"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry of the log: which content, read how, lies where. Field names are those of the ledger.

    `generation` is the entry's own, given by storage when it was written; `None` while it is not. A claim that brings
    an older one's content back says which (`as_of`), and over what (`stands_over`): the sha256 of what the publisher
    served meanwhile, None where that could not be read.
    """

    contract: str
    partition: str
    n: int
    kind: Kind
    source_uri: str
    etag: str | None
    last_modified: str | None
    source_bytes: int
    source_sha256: str
    source_rows: int
    quarantined_rows: int
    lake_uri: str
    lake_generation: int
    lake_crc32c: str
    lake_rows: int
    contract_fingerprint: str
    contract_revision: int
    flow_run_id: str | None
    generation: int | None = None
    claimed_at: str | None = None
    quarantine_uri: str | None = None
    quarantine_generation: int | None = None
    quarantine_crc32c: str | None = None
    checks_fingerprint: str | None = None
    added_columns: dict[str, ColumnType] = field(default_factory=dict)  # the object has them, the contract lacks them

    as_of: int | None = None
    stands_over: str | None = None

    @property
    def stands_for(self) -> str:
        """The sha256 of the publisher's content for which this claim is the right one; mostly its own."""
        return self.stands_over or self.source_sha256

    @property
    def lake_object(self) -> LakeObject:
        """The object that this claim loads."""
        return LakeObject(self.lake_uri, self.lake_generation, self.lake_crc32c)

    @property
    def quarantine_object(self) -> LakeObject | None:
        """The object with the rows that were put aside; None if there are none."""
        if self.quarantine_uri is None or self.quarantine_generation is None or self.quarantine_crc32c is None:
            return None
        return LakeObject(self.quarantine_uri, self.quarantine_generation, self.quarantine_crc32c)

    @property
    def objects(self) -> list[LakeObject]:
        """All objects that this claim owns."""
        return [self.lake_object, *([self.quarantine_object] if self.quarantine_object else [])]

    def written(self, blob: storage.Blob) -> Self:
        """Give the claim as storage holds it: with the entry's generation and the server's time."""
        return dataclasses.replace(self, generation=int(blob.generation), claimed_at=blob.time_created.isoformat())


@dataclass(frozen=True, slots=True)
class Published:
    """What the publisher answers at a contract's address while it serves a claim's content.

    The address is one's `identity`: its query, which may be a signature, is hashed.
    """

    address: str
    validators: Validators

    def text(self) -> str:
        """Write it as the metadata of a log entry."""
        return json.dumps([self.address, *dataclasses.astuple(self.validators)])

    @classmethod
    def read(cls, text: str) -> Self:
        """Read it back."""
        address, *validators = json.loads(text)
        return cls(address, Validators(*validators))


@dataclass(frozen=True, slots=True)
class Notes:
    """What is noted beside an entry, as its metadata: it may change, the entry does not. None: nothing to note."""

    published: Published | None
    checks: str | None

    @classmethod
    def of(cls, blob: storage.Blob) -> Self:
        """Read them from an entry's metadata."""
        metadata = blob.metadata or {}
        seen = metadata.get(PUBLISHED)
        return cls(Published.read(seen) if seen else None, metadata.get(CHECKS))

    def metadata(self) -> dict[str, str]:
        """Write them as an entry's metadata; storage keeps what a patch does not name."""
        noted = {PUBLISHED: self.published.text() if self.published else None, CHECKS: self.checks}
        return {key: value for key, value in noted.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of a partition's log: its number, and what is noted beside it."""

    n: int
    notes: Notes


def contracts(bucket: storage.Bucket) -> list[str]:
    """List the contracts that have ever claimed something here."""
    listing = bucket.client.list_blobs(bucket, prefix=LOG, delimiter="/")
    for _ in listing:  # the folders come with the pages
        pass
    return sorted(folder.removeprefix(LOG).removesuffix("/") for folder in listing.prefixes)


def heads(
    bucket: storage.Bucket, contract: str, first: Partition | None = None, last: Partition | None = None
) -> dict[str, Head]:
    """List the newest claim of each partition from *first* to *last*, in one listing; those without are left out."""
    prefix = f"{LOG}{contract}/"
    blobs = bucket.client.list_blobs(
        bucket,
        prefix=prefix,
        start_offset=f"{prefix}{first}/" if first else None,
        end_offset=f"{prefix}{last}/:" if last else None,  # ':' follows '9'
        fields="items(name,metadata),nextPageToken",
    )
    newest: dict[str, Head] = {}
    for blob in blobs:
        partition, _, entry = blob.name.removeprefix(prefix).partition("/")
        newest[partition] = Head(int(entry.removesuffix(".json")), Notes.of(blob))
    return newest


def since(bucket: storage.Bucket, contract: str, partition: str, n: int) -> list[Claim]:
    """Read the claims of a partition from number *n* on, in order.

    *n* is the last in the ledger: whoever wrote that row had settled everything before it.

    Raises:
        Outdated: newer code wrote a claim that this code cannot read.
    """
    prefix = f"{LOG}{contract}/{partition}/"
    found = bucket.client.list_blobs(bucket, prefix=prefix, start_offset=f"{prefix}{max(n, 0):0{DIGITS}d}.json")
    return [_read(blob) for blob in found]


def _read(blob: storage.Blob) -> Claim:
    entry = json.loads(blob.download_as_bytes())
    try:
        return Claim(**entry).written(blob)
    except TypeError as error:
        raise Outdated(
            f"gs://{blob.bucket.name}/{blob.name}: found an entry of another form ({error}), expected this code's;"
            " update this code, nothing was loaded"
        ) from error


def append(bucket: storage.Bucket, made: Claim, notes: Notes) -> Claim | None:
    """Write a claim under its number, or return None if that number is taken."""
    blob = _entry(bucket, made.contract, made.partition, made.n)
    blob.metadata = notes.metadata() or None
    entry = {
        field.name: getattr(made, field.name)
        for field in dataclasses.fields(made)
        if field.name not in ("generation", "claimed_at")  # storage says these
    }
    try:
        blob.upload_from_string(
            json.dumps(entry, indent=1),
            content_type="application/json",
            if_generation_match=0,
            checksum="crc32c",
        )
    except PreconditionFailed:
        return None
    return made.written(blob)


def remember(bucket: storage.Bucket, contract: str, partition: str, n: int, notes: Notes) -> None:
    """Note what is known by now of an entry's content: what the publisher answers for it, which checks it passed.

    Else each run would read, or check, all of it again.
    """
    if metadata := notes.metadata():
        blob = _entry(bucket, contract, partition, n)
        blob.metadata = metadata
        blob.patch()


def notes_of(bucket: storage.Bucket, claim: Claim) -> Notes:
    """Read what is noted beside a claim."""
    blob = _entry(bucket, claim.contract, claim.partition, claim.n)
    blob.reload()
    return Notes.of(blob)


def _entry(bucket: storage.Bucket, contract: str, partition: str, n: int) -> storage.Blob:
    blob: storage.Blob = bucket.blob(f"{LOG}{contract}/{partition}/{n:0{DIGITS}d}.json")
    return blob
