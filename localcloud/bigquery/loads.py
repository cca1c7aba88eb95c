"""Load jobs: files of the lake, or an uploaded one, into a table."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import duckdb

from localcloud.bigquery import catalog
from localcloud.bigquery.columns import logical_bytes
from localcloud.bigquery.configurations import Load
from localcloud.bigquery.faults import Fault, stopped
from localcloud.bigquery.job_records import LoadStatistics
from localcloud.bigquery.jobs import Run
from localcloud.bigquery.sources import Source, in_users_words, read
from localcloud.bigquery.writing import Target, write


class StoredFile(Protocol):
    """An object of the lake: its bytes lie in a local file and never change."""

    @property
    def name(self) -> str:
        """The object's name within its bucket."""

    @property
    def path(self) -> Path:
        """The local file that holds its bytes."""

    @property
    def size(self) -> int:
        """How many bytes there are."""


class Lake(Protocol):
    """Where `gs://` addresses lead."""

    def matching(self, uri: str) -> Sequence[StoredFile]:
        """Give the objects that an address or pattern means now.

        Raises:
            LookupError: there is none.
            ValueError: it is malformed.
        """

    def put(self, uri: str, path: Path) -> None:
        """Make an object of a local file's bytes."""


def run_load(run: Run, lake: Lake, pins: Path) -> None:
    """Do a load job: all files' rows and the job's end commit together, or nothing does.

    Raises:
        Fault: notFound for files, dataset or table, invalid for what is in the files.
    """
    load = run.record.configuration.load
    if load is None:
        raise Fault("required", "Required parameter is missing: load")
    with _pinned(_found(run, load, lake), pins) as sources:
        try:
            _load(run, load, sources)
        except duckdb.InterruptException as error:
            raise stopped() from error
        except duckdb.Error as error:
            raise in_users_words(error, sources) from error


def _load(run: Run, load: Load, sources: Sequence[Source]) -> None:
    target = _target(load, run.project)
    with run.writing() as cursor:
        catalog.dataset(cursor, target.key.parent, run.record.location)
        existing = catalog.find_table(cursor, target.key)
        known = existing.columns if existing and not _replaces_all(load) else ()
        rows = read(cursor, load, sources, known)
        written = write(cursor, target, rows)
        statistics = LoadStatistics(
            input_files=len(sources),
            input_file_bytes=sum(source.size for source in sources),
            output_rows=written.rows,
            output_bytes=logical_bytes(written.table.columns, written.rows),
        )
        run.finish(cursor, load=statistics)


def _target(load: Load, project: str) -> Target:
    return Target(
        key=load.destination_table.key(project),
        partition=load.destination_table.partition,
        create_disposition=load.create_disposition,
        write_disposition=load.write_disposition,
        schema_update_options=load.schema_update_options,
        declared=load.table_schema,
        replaces_schema=_replaces_all(load),
        time_partitioning=load.time_partitioning,
        range_partitioning=load.range_partitioning,
        clustering=load.clustering,
        properties=load.destination_table_properties,
    )


def _replaces_all(load: Load) -> bool:
    """Say whether the files decide the table's schema: a truncated whole table, and files that know their columns."""
    truncates = load.write_disposition == "WRITE_TRUNCATE" and load.destination_table.partition is None
    return truncates and (load.source_format == "PARQUET" or load.autodetect)


def _found(run: Run, load: Load, lake: Lake) -> list[Source]:
    if run.media:
        return [Source("the uploaded file", run.media, run.media.stat().st_size)]
    found = []
    for uri in load.source_uris:
        bucket = uri.removeprefix("gs://").partition("/")[0]
        if not uri.startswith("gs://"):
            raise Fault("invalid", f"Source URI must be a Google Cloud Storage location: {uri}")
        try:
            files = lake.matching(uri)
        except LookupError as error:
            raise Fault("notFound", f"Not found: URI {uri}") from error
        except ValueError as error:
            raise Fault("invalid", f"Invalid source URI: {error}") from error
        found += [Source(f"gs://{bucket}/{file.name}", file.path, file.size) for file in files]
    return found


@contextmanager
def _pinned(sources: Sequence[Source], folder: Path) -> Iterator[list[Source]]:
    """Link the files, so that what is deleted or overwritten during the load changes nothing."""
    pinned: list[Source] = []
    try:
        for source in sources:
            link = folder / uuid.uuid4().hex
            try:
                os.link(source.path, link)
            except FileNotFoundError as error:  # gone since it was listed
                raise Fault("notFound", f"Not found: URI {source.name}") from error
            pinned.append(Source(source.name, link, source.size))
        yield pinned
    finally:
        for source in pinned:
            source.path.unlink(missing_ok=True)
