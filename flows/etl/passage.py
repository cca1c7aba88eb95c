"""One pass over a publisher's file: decompressed, read, cleaned, counted and checked, wherever its rows go."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pyarrow as pa

from flows.etl import checks, convert, formats, gauge
from flows.etl.checks import Verdict
from flows.etl.contract import Column, ColumnType
from flows.etl.decode import decompress
from flows.etl.errors import BadFile, CheckFailed, Unequal
from flows.etl.fetch import Download, download
from flows.etl.formats import footer
from flows.etl.quarantine import Quarantine
from flows.etl.ranges import download_after_tail
from flows.etl.source import Source

log = logging.getLogger(__name__)

Write = Callable[[Iterator[pa.Table], tuple[Column, ...]], int]
"""Takes tables of these columns, and the period's behind them, to where nobody sees them yet; gives their rows."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What was counted on the way of a file that holds: records by its bytes, rows written and rows put aside."""

    source_rows: int
    quarantined_rows: int
    rows: int
    added_columns: dict[str, ColumnType]  # that the contract lacks and lets in, by name
    warnings: tuple[str, ...]  # of checks that do not hold and do not stop it


def opened(source: Source) -> AbstractContextManager[Download]:
    """Ask for a file and give its body to read; of Parquet, its end is asked for first.

    Raises:
        SourceError, Transient: as for a download.
    """
    asked = source.address, source.headers, source.reach
    if source.contract.format == "parquet" and source.contract.compression == "none":
        return download_after_tail(*asked, footer.tail_bytes)
    return download(*asked)


def through(body: Download, source: Source, quarantine: Quarantine, write: Write) -> Passed:
    """Read a file's body to its end, and hold all that was read before anything of it may become visible.

    Memory is constant: one block or some row groups, and what *write* keeps.

    Raises:
        BadFile, CheckFailed, Unequal: the file does not hold; what was written so far must not become visible.
        Transient: the same, and a repetition may succeed.
    """
    contract, partition, where = source.contract, source.partition, source.where
    counts = checks.Counts(contract, partition)
    with (
        gauge.reading(str(source), body),
        decompress(body, contract, where, body.announced) as stream,
        formats.read(stream, contract, partition, where, body.tail) as reader,
    ):
        tables = convert.tables(reader, contract, partition, quarantine, counts)
        rows = write(tables, reader.matched.landing)
    _check(where, reader.total, rows + quarantine.rows)
    quarantine.check(reader.total)
    verdict = _judge(source, counts)
    added = {column.name: column.type for column in reader.matched.added}
    return Passed(reader.total, quarantine.rows, rows, added, verdict.warnings)


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
