"""The lake's side: one pass from the publisher's bytes to a finalised object, and what becomes of objects later.

Names are unique and objects never change, so a name stands for its bytes. `superseded/` holds what newer claims
replaced; the bucket's lifecycle rule empties it.
"""

import logging
import time
import uuid
from dataclasses import dataclass

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from flows.etl import arrow, convert, formats
from flows.etl.decode import decompress
from flows.etl.errors import BadFile, Unequal
from flows.etl.fetch import Validators, download
from flows.etl.quarantine import Quarantine
from flows.etl.source import Source
from flows.etl.upload import ResumableUpload

LAKE, SUPERSEDED = "lake/", "superseded/"

log = logging.getLogger(__name__)


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
class Upload:
    """A file that has come to the lake and that no claim names yet, with what was counted on the way."""

    validators: Validators
    source_bytes: int
    source_sha256: str
    source_rows: int
    quarantined_rows: int
    lake_rows: int
    lake_object: LakeObject


def bring(bucket: storage.Bucket, source: Source) -> Upload:
    """Fetch, convert and upload one file in a single pass; it is finalised only when all that was read holds.

    Memory is constant: one block, one row group and one upload part.

    Raises:
        SourceError, BadFile, Unequal: nothing is visible in the lake.
        Transient: the same, and a repetition may succeed.
    """
    contract, partition, address = source.contract, source.partition, source.address
    name = _new_name(contract.name, str(partition))
    started = time.monotonic()
    with download(address) as body:
        quarantine = Quarantine(contract.quarantine, address)
        sink = ResumableUpload(bucket.blob(name), "application/vnd.apache.parquet")
        try:
            with formats.read(decompress(body, contract.compression, address), contract, partition, address) as reader:
                parts = convert.tables(reader, contract, partition, quarantine)
                lake_rows = convert.write(parts, arrow.schema(reader.matched.landing, partition), sink)
            _check(address, reader.total, lake_rows + quarantine.rows)
            generation = sink.finish()
        except BaseException:  # whatever it was, also Ctrl-C: nothing of this file shall ever be visible
            sink.cancel()
            raise
    seconds = time.monotonic() - started
    log.info(
        "%s %s: %s rows, %.2f MB read, %.2f MB written, %s rows/s",
        *(contract.name, partition, f"{lake_rows:,}", body.bytes_read / 1e6, sink.size / 1e6),
        f"{lake_rows / seconds:,.0f}",
    )
    return Upload(
        validators=body.validators,
        source_bytes=body.bytes_read,
        source_sha256=body.sha256,
        source_rows=reader.total,
        quarantined_rows=quarantine.rows,
        lake_rows=lake_rows,
        lake_object=LakeObject(sink.name, generation, sink.crc32c),
    )


def _new_name(contract: str, partition: str) -> str:
    return f"{LAKE}{contract}/{partition}/{uuid.uuid4().hex}.parquet"


def _check(address: str, source_rows: int, rows: int) -> None:
    """Hold what the parser gave against what was counted from the bytes, before anything becomes visible."""
    if not source_rows:
        raise BadFile(f"{address}: found a header and no record, expected some; ask the publisher, nothing was written")
    if source_rows != rows:
        raise Unequal(
            f"{address}: found {rows} rows to write or put aside, expected {source_rows}, which is what its bytes hold;"
            " check the contract's dialect, nothing was written"
        )


def is_alive(bucket: storage.Bucket, item: LakeObject) -> bool:
    """Tell whether the object is still there at its generation: then a load job can read it."""
    return bool(item.blob(bucket).exists())


def drop(bucket: storage.Bucket, item: LakeObject) -> None:
    """Delete an object that no claim names; it may be gone already."""
    try:
        item.blob(bucket).delete()
    except NotFound:
        return


def supersede(bucket: storage.Bucket, item: LakeObject) -> None:
    """Move an older claim's object out of the reach of load jobs; done already, nothing happens.

    A copy and a delete, each with its generation as precondition: Cloud Storage has no move for flat buckets that
    every client offers, and in this order a kill in between leaves both, which the next call settles.
    """
    blob = item.blob(bucket)
    name = SUPERSEDED + str(blob.name).removeprefix(LAKE)
    try:
        bucket.copy_blob(blob, bucket, name, source_generation=item.generation, if_generation_match=0)
    except PreconditionFailed:
        pass  # an earlier call, or another process, has copied it
    except NotFound:
        return
    drop(bucket, item)


def copy(bucket: storage.Bucket, item: LakeObject, contract: str, partition: str) -> LakeObject:
    """Copy an object on the server's side to a name of its own, for a claim that loads known content again."""
    name = _new_name(contract, partition)
    made = bucket.copy_blob(item.blob(bucket), bucket, name, source_generation=item.generation, if_generation_match=0)
    return LakeObject(f"gs://{bucket.name}/{name}", int(made.generation), str(made.crc32c))
