"""Copy jobs: tables into a table, and extract jobs: a table into files of the lake."""

from __future__ import annotations

import uuid
from pathlib import Path

from localcloud.bigquery import catalog
from localcloud.bigquery.columns import describe, names
from localcloud.bigquery.configurations import Extract
from localcloud.bigquery.database import Cursor, literal, quoted
from localcloud.bigquery.faults import Fault, not_implemented
from localcloud.bigquery.job_records import CopyStatistics, ExtractStatistics
from localcloud.bigquery.jobs import Run
from localcloud.bigquery.loads import Lake
from localcloud.bigquery.partitions import in_partition
from localcloud.bigquery.resources import Column, Schema, Table, TableReference
from localcloud.bigquery.writing import Rows, Target, write


def run_copy(run: Run) -> None:
    """Do a copy job: a new destination gets the layout of the first source.

    Raises:
        Fault: notFound for a source or the destination's dataset, duplicate, invalid.
    """
    copy = run.record.configuration.copying
    if copy is None or not copy.sources:
        raise Fault("required", "Required parameter is missing: sourceTable")
    key = copy.destination_table.key(run.project)
    with run.writing() as cursor:
        catalog.dataset(cursor, key.parent, run.record.location)
        is_new = catalog.find_table(cursor, key) is None
        first, selects = None, []
        for reference in copy.sources:
            table, select = _rows(cursor, reference, run.project)
            first = first or table
            selects.append(select)
        if first is None:
            raise Fault("required", "Required parameter is missing: sourceTables")
        # the rows are read before the destination, which may be a source, is emptied
        held = quoted(f"copied_{uuid.uuid4().hex}")
        cursor.execute(f"CREATE TEMP TABLE {held} AS {' UNION ALL '.join(selects)}")
        written = write(
            cursor,
            Target(
                key=key,
                partition=copy.destination_table.partition,
                create_disposition=copy.create_disposition,
                write_disposition=copy.write_disposition,
                declared=Schema(fields=first.columns) if is_new else None,
                time_partitioning=first.time_partitioning if is_new else None,
                range_partitioning=first.range_partitioning if is_new else None,
                clustering=first.clustering if is_new else None,
            ),
            Rows(f"SELECT * FROM {held}", _columns(cursor, held, first)),
        )
        run.finish(cursor, copied=CopyStatistics(copied_rows=written.rows))


def run_extract(run: Run, lake: Lake, folder: Path) -> None:
    """Do an extract job: one file for each pattern.

    Raises:
        Fault: notFound, or notImplemented for a compression that the format lacks here.
    """
    extract = run.record.configuration.extract
    if extract is None or not extract.uris:
        raise Fault("required", "Required parameter is missing: destinationUris")
    file = folder / uuid.uuid4().hex
    try:
        with run.reading() as cursor:
            _, select = _rows(cursor, extract.source_table, run.project)
            cursor.execute(f"COPY ({select}) TO {literal(str(file))} ({_format(extract)})")
        for uri in extract.uris:
            lake.put(uri.replace("*", "000000000000"), file)
    finally:
        file.unlink(missing_ok=True)
    with run.recording() as cursor:
        counts = ExtractStatistics(destination_uri_file_counts=tuple(1 for _ in extract.uris))
        run.finish(cursor, extract=counts)


def _rows(cursor: Cursor, reference: TableReference, project: str) -> tuple[Table, str]:
    key = reference.key(project)
    table = catalog.table(cursor, key)
    if table.view is not None:
        raise Fault("invalid", f"{key} is a view, which is not allowed as a source")
    condition = in_partition(table, reference.partition) if reference.partition else "true"
    return table, f"SELECT {names(table.columns)} FROM {key.sql} WHERE {condition}"


def _columns(cursor: Cursor, held: str, first: Table) -> tuple[Column, ...]:
    """Describe the copied rows, with the descriptions that the first source gives them."""
    described = {column.lower: column for column in first.columns}
    return tuple(described.get(column.lower, column) for column in describe(cursor, f"SELECT * FROM {held}"))


def _format(extract: Extract) -> str:
    packed = extract.compression
    if extract.destination_format == "PARQUET":
        return f"FORMAT parquet, COMPRESSION {'uncompressed' if packed == 'NONE' else packed.lower()}"
    if packed not in {"NONE", "GZIP"}:
        raise not_implemented(f"jobs.insert: extract.compression = {packed!r} of text")
    compression = "gzip" if packed == "GZIP" else "none"
    if extract.destination_format == "CSV":
        header = str(extract.print_header).lower()
        delimiter = literal(extract.field_delimiter)
        return f"FORMAT csv, HEADER {header}, DELIMITER {delimiter}, COMPRESSION {compression}"
    return f"FORMAT json, COMPRESSION {compression}"
