"""The lake's side: one pass from the publisher's bytes to finalised objects that no claim names yet."""

import logging
import time
from dataclasses import dataclass

from google.cloud import storage

from flows.etl import arrow, checks, convert, formats, lake_object
from flows.etl.checks import Verdict
from flows.etl.contract import ColumnType
from flows.etl.decode import decompress
from flows.etl.errors import BadFile, CheckFailed, Unequal
from flows.etl.fetch import Validators, download
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
    contract, partition, where = source.contract, source.partition, source.where
    name, aside = lake_object.new_names(contract.name, str(partition))
    started = time.monotonic()
    with download(source.address, source.headers, source.reach) as body:
        quarantine = Quarantine(contract.quarantine, where, bucket.blob(aside))
        counts = checks.Counts(contract, partition)
        sink = ResumableUpload(bucket.blob(name), "application/vnd.apache.parquet")
        try:
            with (
                decompress(body, contract, where, body.announced) as stream,
                formats.read(stream, contract, partition, where) as reader,
            ):
                parts = convert.tables(reader, contract, partition, quarantine, counts)
                lake_rows = convert.write(parts, arrow.schema(reader.matched.landing, partition), sink)
            _check(where, reader.total, lake_rows + quarantine.rows)
            quarantine.check(reader.total)
            verdict = _judge(source, counts)
            put_aside = quarantine.finish()
            generation = sink.finish()
        except BaseException:  # whatever it was, also Ctrl-C: nothing of this file shall ever be visible
            sink.cancel()
            quarantine.remove(bucket)
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
        added_columns={column.name: column.type for column in reader.matched.added},
        quarantine_object=put_aside,
        warnings=verdict.warnings,
    )


def discard(bucket: storage.Bucket, upload: Upload) -> None:
    """Delete what was uploaded and no claim names."""
    for own in upload.objects:
        lake_object.drop(bucket, own)


def _check(where: str, source_rows: int, rows: int) -> None:
    """Hold what the parser gave against what was counted from the bytes, before anything becomes visible."""
    if not source_rows:
        raise BadFile(f"{where}: found a header and no record, expected some; ask the publisher, nothing was written")
    if source_rows != rows:
        raise Unequal(
            f"{where}: found {rows} rows to write or put aside, expected {source_rows}, which is what its bytes hold;"
            " check the contract's dialect, nothing was written"
        )


def _judge(source: Source, counts: checks.Counts) -> Verdict:
    """Hold the rows as a whole against the contract's checks, before anything becomes visible."""
    verdict = checks.judge(source.contract, source.partition, counts.rows, counts.found, source.rows_before)
    if verdict.stops:
        raise CheckFailed(
            f"{source}: {'; '.join(verdict.stops)}; correct the file or the contract's checks, nothing was written"
        )
    for note in verdict.notes:
        log.info("%s: %s", source, note)
    for warning in verdict.warnings:
        log.warning("%s: %s", source, warning)
    return verdict
