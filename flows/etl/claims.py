"""The landing log: numbered claims, written by put-if-absent, say which content of a partition counts.

The order is the number's, never a clock's. `docs/decisions/0001-landing-log.md` says why each rule is there, and
`tests/protocol/` walks through every interleaving of them.
"""

import dataclasses
import json
import logging
from dataclasses import dataclass
from typing import Literal, Self

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from flows.etl import lake
from flows.etl.contract import Contract
from flows.etl.errors import LandfallError, Outdated, StartOver, Transient
from flows.etl.fetch import Validators, look
from flows.etl.lake import LakeObject, Upload
from flows.etl.landing import Landing
from flows.etl.partition import Partition

LOG = "log/"
DIGITS = 8  # numbers are padded, so that names sort as numbers do
PUBLISHED = "published"  # metadata of an entry: what the publisher answers, where that content is what it serves
RACES = 20  # claims that others may make between our listing and our own, before we give up

log = logging.getLogger(__name__)

Kind = Literal["landing", "repair"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry of the log: which content, read how, lies where. Field names are those of the ledger.

    `generation` is the entry's own, given by storage when it was written; `None` while it is not.
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

    @property
    def lake_object(self) -> LakeObject:
        """The object that this claim loads."""
        return LakeObject(self.lake_uri, self.lake_generation, self.lake_crc32c)

    def written(self, blob: storage.Blob) -> Self:
        """Give the claim as storage holds it: with the entry's generation and the server's time."""
        return dataclasses.replace(self, generation=int(blob.generation), claimed_at=blob.time_created.isoformat())


@dataclass(frozen=True, slots=True)
class Published:
    """What the publisher answers at a contract's address while it serves a claim's content."""

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
class Head:
    """The newest entry of a partition's log: its number, and what the publisher answered for its content."""

    n: int
    published: Published | None


def heads(bucket: storage.Bucket, contract: str, first: Partition, last: Partition) -> dict[str, Head]:
    """List the newest claim of each partition from *first* to *last*, in one listing; those without are left out."""
    prefix = f"{LOG}{contract}/"
    blobs = bucket.client.list_blobs(
        bucket,
        prefix=prefix,
        start_offset=f"{prefix}{first}/",
        end_offset=f"{prefix}{last}/:",  # ':' follows '9'
        fields="items(name,metadata),nextPageToken",
    )
    newest: dict[str, Head] = {}
    for blob in blobs:
        partition, _, entry = blob.name.removeprefix(prefix).partition("/")
        seen = (blob.metadata or {}).get(PUBLISHED)
        newest[partition] = Head(int(entry.removesuffix(".json")), Published.read(seen) if seen else None)
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


def claim(landing: Landing, upload: Upload) -> Claim:
    """Claim an uploaded content for its partition, or adopt the newest claim if it names the same.

    Raises:
        StartOver: the publisher serves something else by now.
        Outdated: a newer revision has claimed.
        Transient: others were quicker, again and again; or storage did not answer, and the claim may stand.
    """
    bucket, contract = landing.bucket, landing.contract
    for _ in range(RACES):
        entries = since(bucket, contract.name, str(landing.partition), landing.settled)
        newest = entries[-1] if entries else None
        if any(entry.lake_uri == upload.lake_object.uri for entry in entries):
            log.info("%s: claimed before, its reply was lost", landing)
            return entries[-1]
        if newest:
            check_revision(contract, newest)
            if _is_same(newest, upload, contract) and lake.is_alive(bucket, newest.lake_object):
                lake.drop(bucket, upload.lake_object)
                _remember(bucket, newest, _published(landing, upload))
                log.info("%s: claim %d names the same content, adopted", landing, newest.n)
                return newest
        if look(landing.address) != upload.validators:
            lake.drop(bucket, upload.lake_object)
            raise StartOver(f"{landing.address}: the publisher serves another content than was just read")
        made = _claim_of(landing, upload, newest.n + 1 if newest else 0)
        if written := _append(bucket, made, _published(landing, upload)):
            return written
    raise Transient(f"{landing}: {RACES} other claims came first; run again, nothing was loaded")


def _published(landing: Landing, upload: Upload) -> Published | None:
    """Say what the contract's address answers while this content is the right one; later runs compare with it.

    For content that was given by another address it is what the publisher serves meanwhile, if anything: the given
    content stands until that changes.
    """
    if not landing.override:
        return Published(landing.published_at, upload.validators)
    try:
        return Published(landing.published_at, look(landing.published_at))
    except LandfallError as error:
        log.info("%s: %s", landing, error)
        return None


def _append(bucket: storage.Bucket, made: Claim, published: Published | None) -> Claim | None:
    """Write a claim under its number, or return None if that number is taken."""
    blob = _entry(bucket, made)
    blob.metadata = {PUBLISHED: published.text()} if published else None
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


def _remember(bucket: storage.Bucket, newest: Claim, published: Published | None) -> None:
    """Note that the publisher answers otherwise for the same content: else each run would read all of it again."""
    if published:
        blob = _entry(bucket, newest)
        blob.metadata = {PUBLISHED: published.text()}
        blob.patch()


def _entry(bucket: storage.Bucket, of: Claim) -> storage.Blob:
    blob: storage.Blob = bucket.blob(f"{LOG}{of.contract}/{of.partition}/{of.n:0{DIGITS}d}.json")
    return blob


def repair(bucket: storage.Bucket, broken: Claim, flow_run_id: str | None) -> Claim | None:
    """Claim a claim's content again under an object of its own; None if another claim came first.

    Raises:
        StartOver: its object is gone.
    """
    partition = broken.partition
    try:
        copied = lake.copy(bucket, broken.lake_object, broken.contract, partition)
    except NotFound as error:
        raise StartOver(f"{broken.lake_uri}: gone, and with it what claim {broken.n} would load again") from error
    made = dataclasses.replace(
        broken,
        n=broken.n + 1,
        kind="repair",
        lake_uri=copied.uri,
        lake_generation=copied.generation,
        lake_crc32c=copied.crc32c,
        flow_run_id=flow_run_id,
        generation=None,
        claimed_at=None,
    )
    published = _entry(bucket, broken)
    published.reload()
    seen = (published.metadata or {}).get(PUBLISHED)
    if written := _append(bucket, made, Published.read(seen) if seen else None):
        return written
    lake.drop(bucket, copied)
    return None


def _is_same(newest: Claim, upload: Upload, contract: Contract) -> bool:
    return (newest.source_sha256, newest.contract_fingerprint) == (upload.source_sha256, contract.fingerprint)


def check_revision(contract: Contract, newest: Claim) -> None:
    """Refuse to land in turn with newer code or a newer contract, and a changed contract that does not say so."""
    converter, _, content = contract.fingerprint.partition("-")
    landed, _, landed_content = newest.contract_fingerprint.partition("-")
    where = f"{contract.name} {newest.partition}"
    if newest.contract_revision > contract.revision or int(landed) > int(converter):
        raise Outdated(
            f"{where}: found claim {newest.n} by revision {newest.contract_revision} (converter {landed}), expected"
            f" none newer than this code's revision {contract.revision} (converter {converter}); update this code,"
            " nothing was claimed"
        )
    if newest.contract_revision == contract.revision and content != landed_content:
        raise Outdated(
            f"{where}: found another content of the contract under the same revision {contract.revision}, expected a"
            " raised `revision` with each change of columns, format or dialect; raise it, nothing was claimed"
        )


def _claim_of(landing: Landing, upload: Upload, n: int) -> Claim:
    return Claim(
        contract=landing.contract.name,
        partition=str(landing.partition),
        n=n,
        kind="landing",
        source_uri=landing.address,
        etag=upload.validators.etag,
        last_modified=upload.validators.last_modified,
        source_bytes=upload.source_bytes,
        source_sha256=upload.source_sha256,
        source_rows=upload.source_rows,
        quarantined_rows=upload.quarantined_rows,
        lake_uri=upload.lake_object.uri,
        lake_generation=upload.lake_object.generation,
        lake_crc32c=upload.lake_object.crc32c,
        lake_rows=upload.lake_rows,
        contract_fingerprint=landing.contract.fingerprint,
        contract_revision=landing.contract.revision,
        flow_run_id=landing.flow_run_id,
    )
