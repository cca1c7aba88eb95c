"""The warehouse: everything that is kept, and the work that is going on."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlglot import exp

from localcloud.bigquery import catalog
from localcloud.bigquery.configurations import Configuration, JobReference, Query
from localcloud.bigquery.copies import run_copy, run_extract
from localcloud.bigquery.database import Database
from localcloud.bigquery.expirations import Expirations
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.job_records import JobRecord
from localcloud.bigquery.jobs import Jobs, new_record, unfinished
from localcloud.bigquery.loads import Lake, run_load
from localcloud.bigquery.queries import dry_run, run_query
from localcloud.bigquery.resources import DatasetKey
from localcloud.bigquery.results import Results
from localcloud.bigquery.snapshots import Snapshots
from localcloud.bigquery.sql import parse


class Warehouse:
    """A BigQuery in one folder, for one process at a time.

    `job_delay_s` slows every job down, half of it pending and half running, so that these states can be seen.
    Jobs that an earlier process did not finish start again at once.
    """

    def __init__(self, root: Path, lake: Lake, *, job_delay_s: float = 0.0) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.uploads = root / "uploads"
        self.uploads.mkdir(exist_ok=True)
        pins = root / "pins"
        shutil.rmtree(pins, ignore_errors=True)  # of jobs that were killed
        pins.mkdir()
        self.database = Database(root / "warehouse.duckdb")
        self._drop_abandoned_uploads()
        self.results = Results(root / "results")
        self.snapshots = Snapshots(self.database)
        self._expirations = Expirations(self.database)
        self.jobs = Jobs(
            self.database,
            {
                "load": lambda run: run_load(run, lake, pins),
                "query": lambda run: run_query(run, self.results),
                "copy": run_copy,
                "extract": lambda run: run_extract(run, lake, pins),
            },
            job_delay_s,
        )

    def submit(
        self, project: str, reference: JobReference, configuration: Configuration, media: Path | None = None
    ) -> JobRecord:
        """Take a job on, or check it at once if it is a dry run.

        Raises:
            Fault: duplicate, invalid, required; for a dry run also what the query would fail with.
        """
        location = reference.location or self._location(project, configuration)
        if configuration.dry_run:
            with self.database.read() as cursor:
                return dry_run(cursor, new_record(project, reference, configuration, location))
        if configuration.load and not (media or configuration.load.source_uris):
            raise Fault("required", "Required parameter is missing: sourceUris")
        return self.jobs.accept(project, reference, configuration, location, media)

    def close(self) -> None:
        """End what is running and let go of the files."""
        self._expirations.close()
        self.jobs.close()
        self.snapshots.close()
        self.database.close()

    def _drop_abandoned_uploads(self) -> None:
        """Remove the uploads that became no job, or whose job is done."""
        with self.database.read() as cursor:
            wanted = {str(job.media) for job in unfinished(cursor)}
        for path in self.uploads.iterdir():
            if str(path) not in wanted:
                path.unlink()

    def _location(self, project: str, configuration: Configuration) -> str:
        """Choose where a job runs when it does not say: where its first dataset lies."""
        key = None
        if configuration.load:
            key = configuration.load.destination_table.key(project).parent
        elif configuration.copying:
            key = configuration.copying.destination_table.key(project).parent
        elif configuration.extract:
            key = configuration.extract.source_table.key(project).parent
        elif configuration.query:
            key = _first_dataset(configuration.query, project)
        if key is None:
            return catalog.DEFAULT_LOCATION
        with self.database.read() as cursor:
            found = catalog.find_dataset(cursor, key)
        return (found.location if found else None) or catalog.DEFAULT_LOCATION


def _first_dataset(query: Query, project: str) -> DatasetKey | None:
    if query.default_dataset:
        return query.default_dataset.key(project)
    if query.destination_table:
        return query.destination_table.key(project).parent
    try:
        statements = parse(query.query)
    except Fault:  # the job itself will say so
        return None
    for statement in statements:
        for table in statement.find_all(exp.Table):
            if table.db:
                return DatasetKey(table.catalog or project, table.db)
    return None
