"""A job's life: accepted, pending, running, done, and run again at the next start if it was not done.

A job is accepted by a row in one table and done by a row in another, so neither ever conflicts with a write. The row
that says DONE commits together with what the job did.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from localcloud.bigquery.catalog import now_ms
from localcloud.bigquery.configurations import Configuration, JobReference
from localcloud.bigquery.database import Cursor, Database, first
from localcloud.bigquery.faults import Fault, from_duckdb, stopped
from localcloud.bigquery.job_records import Error, JobKey, JobRecord, Statistics, Status
from localcloud.bigquery.parsing import restore

_LOG = logging.getLogger(__name__)
_WORKERS = 32  # most of them wait for their turn to write
_INTERRUPT_EVERY_S = 0.05
_MULTI_REGIONS = {"US", "EU"}  # only their jobs are found without saying where


class Run:
    """One job at work: it reads and writes through here, so that it can be cancelled and ends in one transaction."""

    def __init__(self, database: Database, record: JobRecord, media: Path | None) -> None:
        self.record = record
        self.media = media
        self.ended: Future[None] = Future()
        self._database = database
        self._cancelled = threading.Event()
        self._cursor: Cursor | None = None

    @property
    def project(self) -> str:
        """The project that pays, and that names default to."""
        return self.record.key.project

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """Open the transaction that changes tables; a cancelled job changes nothing."""
        with self._database.write() as cursor:
            yield from self._interruptible(cursor)

    @contextmanager
    def recording(self) -> Iterator[Cursor]:
        """Open a transaction that only notes what the job did, for a job that changes no table."""
        with self._database.append() as cursor:
            yield from self._interruptible(cursor)

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """Open a snapshot."""
        with self._database.read() as cursor:
            yield from self._interruptible(cursor)

    def finish(self, cursor: Cursor, **numbers: object) -> None:
        """Note in the open transaction that the job is done, and with which numbers."""
        record = self.record.with_statistics(end_time=now_ms(), **numbers)
        self.record_end(cursor, record.model_copy(update={"status": Status(state="DONE")}))

    def record_end(self, cursor: Cursor, record: JobRecord) -> None:
        """Write the row that ends the job."""
        cursor.execute(
            "INSERT INTO _catalog.finished_jobs VALUES (?, ?, ?)", [*record.key, record.model_dump_json(by_alias=True)]
        )

    def cancel(self) -> None:
        """Stop the job as soon as possible; what is committed stays."""
        self._cancelled.set()
        threading.Thread(target=self._interrupt, name="bigquery-cancel", daemon=True).start()

    def pause(self, seconds: float) -> None:
        """Wait, unless cancelled."""
        if self._cancelled.wait(seconds):
            raise stopped()

    def _interrupt(self) -> None:
        """Interrupt until it is heard: the engine forgets an interruption that comes while it plans a statement."""
        while not self.ended.done():
            cursor = self._cursor
            if cursor is not None:
                with suppress(duckdb.Error):  # closed in the meantime
                    cursor.interrupt()
            time.sleep(_INTERRUPT_EVERY_S)

    def _interruptible(self, cursor: Cursor) -> Iterator[Cursor]:
        self._cursor = cursor
        try:
            self.pause(0)
            yield cursor
            self.pause(0)
        finally:
            self._cursor = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A job that was accepted and is not done, with the file that was uploaded for it."""

    record: JobRecord
    media: Path | None


def unfinished(cursor: Cursor) -> list[Unfinished]:
    """List the jobs that are not done, the oldest first."""
    found = cursor.execute(
        "SELECT body, media FROM _catalog.accepted_jobs ANTI JOIN _catalog.finished_jobs "
        "USING (project, id) ORDER BY created"
    ).fetchall()
    return [Unfinished(restore(JobRecord, body), Path(media) if media else None) for body, media in found]


class Jobs:
    """All jobs of a warehouse. `work` does each kind; `delay_s` is spent half pending and half running."""

    def __init__(self, database: Database, work: Mapping[str, Callable[[Run], None]], delay_s: float) -> None:
        self._database = database
        self._work = work
        self._delay_s = delay_s
        self._active: dict[JobKey, Run] = {}
        self._accepting = threading.Lock()
        self._closing = False
        self._pool = ThreadPoolExecutor(_WORKERS, "bigquery-job")
        with database.read() as cursor:
            left = unfinished(cursor)
        for job in left:
            self._start(Run(database, job.record, job.media))

    def accept(
        self, project: str, reference: JobReference, configuration: Configuration, location: str, media: Path | None
    ) -> JobRecord:
        """Take a job on; from now on it happens, even if this process is killed.

        Raises:
            Fault: duplicate for an id that was ever used, also by a job that failed; invalid for a malformed one.
        """
        record = new_record(project, reference, configuration, location)
        row = [*record.key, record.statistics.creation_time, record.model_dump_json(by_alias=True)]
        with self._accepting, self._database.append() as cursor:
            if _used(cursor, record.key):
                raise Fault("duplicate", f"Already Exists: Job {record.id}")
            cursor.execute("INSERT INTO _catalog.accepted_jobs VALUES (?, ?, ?, ?, ?)", [*row, media and str(media)])
        self._start(Run(self._database, record, media))
        return record

    def get(self, key: JobKey, location: str | None = None) -> JobRecord:
        """Look a job up.

        Raises:
            Fault: notFound, also where the location is another one, or is not given and must be.
        """
        record = self.find(key)
        there = record.location.upper() if record else ""
        if record is None or (location.upper() != there if location else there not in _MULTI_REGIONS):
            raise Fault("notFound", f"Not found: Job {key}" + (f" in location {location}" if location else ""))
        return record

    def find(self, key: JobKey) -> JobRecord | None:
        """Look a job up, wherever it runs."""
        run = self._active.get(key)  # first: a job leaves here only after its end is written
        return run.record if run else self._stored(key)

    def recent(self, project: str) -> Iterator[JobRecord]:
        """Walk through a project's jobs, the newest first."""
        with self._database.read() as cursor:
            cursor.execute(
                "SELECT coalesce(f.body, a.body) FROM _catalog.accepted_jobs a LEFT JOIN _catalog.finished_jobs f "
                "USING (project, id) WHERE project = ? ORDER BY created DESC",
                [project],
            )
            while row := cursor.fetchone():
                record = restore(JobRecord, row[0])
                run = self._active.get(record.key)
                yield run.record if run else record

    def cancel(self, key: JobKey, location: str | None = None) -> JobRecord:
        """Ask a job to stop; one that is done already stays as it is.

        Raises:
            Fault: notFound.
        """
        record = self.get(key, location)
        if run := self._active.get(key):
            run.cancel()
        return record

    async def wait(self, key: JobKey, seconds: float) -> None:
        """Wait for a job's end, but not longer than told."""
        if run := self._active.get(key):
            await asyncio.wait([asyncio.wrap_future(run.ended)], timeout=seconds)

    def delayed(self) -> bool:
        """Say whether jobs take longer than they need."""
        return self._delay_s > 0

    def close(self) -> None:
        """Stop all jobs; those that are not done run at the next start."""
        self._closing = True
        for run in list(self._active.values()):
            run.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, run: Run) -> None:
        self._active[run.record.key] = run
        self._pool.submit(self._run, run)

    def _run(self, run: Run) -> None:
        try:
            fault = self._attempt(run)
            if fault is None or not self._closing:  # the end of this process stops a job, but does not end it
                self._end(run, fault)
        finally:
            run.ended.set_result(None)

    def _end(self, run: Run, fault: Fault | None) -> None:
        if fault is not None:
            error = Error.of(fault)
            failed = Status(state="DONE", error_result=error, errors=(error,))
            record = run.record.with_statistics(end_time=now_ms()).model_copy(update={"status": failed})
            with self._database.append() as cursor:
                run.record_end(cursor, record)
        del self._active[run.record.key]
        if run.media:
            run.media.unlink(missing_ok=True)

    def _attempt(self, run: Run) -> Fault | None:
        """Do a job's work; give the reason if it failed."""
        try:
            run.pause(self._delay_s / 2)
            running = run.record.with_statistics(start_time=now_ms())
            run.record = running.model_copy(update={"status": Status(state="RUNNING")})
            run.pause(self._delay_s / 2)
            self._work[(run.record.configuration.job_type or "").lower()](run)
        except Fault as fault:
            return fault
        except duckdb.Error as error:
            return from_duckdb(error, "invalidQuery" if run.record.configuration.query else "invalid")
        except Exception as error:  # noqa: BLE001 - a job that never ends would keep its clients waiting for ever
            _LOG.exception("job %s failed in a way that this server does not know", run.record.key)
            return Fault("backendError", repr(error))
        return None

    def _stored(self, key: JobKey) -> JobRecord | None:
        # two looks by the primary keys cost less than a join, and most jobs that are asked for are done
        with self._database.read() as cursor:
            found = first(cursor, "SELECT body FROM _catalog.finished_jobs WHERE project = ? AND id = ?", key) or first(
                cursor, "SELECT body FROM _catalog.accepted_jobs WHERE project = ? AND id = ?", key
            )
        return restore(JobRecord, found[0]) if found else None


def new_record(project: str, reference: JobReference, configuration: Configuration, location: str) -> JobRecord:
    """Word a job that was just asked for.

    Raises:
        Fault: required without anything to do, invalid for a malformed id.
    """
    kinds = {
        "LOAD": configuration.load,
        "QUERY": configuration.query,
        "COPY": configuration.copying,
        "EXTRACT": configuration.extract,
    }
    asked = [kind for kind, given in kinds.items() if given is not None]
    if len(asked) != 1:
        raise Fault("required", "Required parameter is missing: exactly one of load, query, copy and extract")
    job_id = reference.job_id or f"job_{uuid.uuid4().hex}"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,1024}", job_id):
        raise Fault("invalid", f"Invalid job ID {job_id!r}")
    return JobRecord(
        id=f"{project}:{location}.{job_id}",
        etag=uuid.uuid4().hex,
        job_reference=JobReference(project_id=project, job_id=job_id, location=location),
        configuration=configuration.model_copy(update={"job_type": asked[0]}),
        status=Status(state="PENDING"),
        statistics=Statistics(creation_time=now_ms()),
    )


def _used(cursor: Cursor, key: JobKey) -> bool:
    return first(cursor, "SELECT 1 FROM _catalog.accepted_jobs WHERE project = ? AND id = ?", key) is not None
