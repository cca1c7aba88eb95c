"""The lake's side: one pass from the publisher's bytes to finalised objects that no claim names yet."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from google.cloud import storage

from flows.etl import arrow, convert, lake_object, passage
from flows.etl.contract import Column, ColumnType
from flows.etl.fetch import Validators
from flows.etl.lake_object import LakeObject
from flows.etl.quarantine import Quarantine
from flows.etl.source import Source
from flows.etl.upload import ResumableUpload

log = logging.getLogger(__name__)


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
    added_columns: dict[str, ColumnType]  # that the contract lacks and lets in, by name
    quarantine_object: LakeObject | None = None
    warnings: tuple[str, ...] = ()  # of checks that do not hold and do not stop it

    @property
    def objects(self) -> list[LakeObject]:
        """All that was uploaded: the rows, and those that were put aside."""
        return [self.lake_object, *([self.quarantine_object] if self.quarantine_object else [])]


def bring(bucket: storage.Bucket, source: Source) -> Upload:
    """Fetch, convert and upload one file in a single pass; it is finalised only when all that was read holds.

    Memory is constant: one block, one row group and one upload part.

    Raises:
        SourceError, BadFile, CheckFailed, Unequal: nothing is visible in the lake.
        Transient: the same, and a repetition may succeed.
    """
    contract, partition = source.contract, source.partition
    name, aside = lake_object.new_names(contract.name, str(partition))
    started = time.monotonic()
    with passage.opened(source) as body:
        quarantine = Quarantine(contract.quarantine, source.where, bucket.blob(aside))
        sink = ResumableUpload(bucket.blob(name), "application/vnd.apache.parquet")

        def write(tables: Iterator[pa.Table], columns: tuple[Column, ...]) -> int:
            return convert.write(tables, arrow.schema(columns, partition), sink)

        try:
            passed = passage.through(body, source, quarantine, write)
            put_aside = quarantine.finish()
            generation = sink.finish()
        except BaseException:  # whatever it was, also Ctrl-C: nothing of this file shall ever be visible
            sink.cancel()
            quarantine.remove(bucket)
            raise
    seconds = time.monotonic() - started
    log.info(
        "%s %s: %s rows, %.2f MB read, %.2f MB written, %s rows/s",
        *(contract.name, partition, f"{passed.rows:,}", body.bytes_read / 1e6, sink.size / 1e6),
        f"{passed.rows / seconds:,.0f}",
    )
    return Upload(
        validators=body.validators,
        source_bytes=body.bytes_read,
        source_sha256=body.sha256,
        source_rows=passed.source_rows,
        quarantined_rows=passed.quarantined_rows,
        lake_rows=passed.rows,
        lake_object=LakeObject(sink.name, generation, sink.crc32c),
        added_columns=passed.added_columns,
        quarantine_object=put_aside,
        warnings=passed.warnings,
    )


def discard(bucket: storage.Bucket, upload: Upload) -> None:
    """Delete what was uploaded and no claim names."""
    for own in upload.objects:
        lake_object.drop(bucket, own)
