"""From a claim to the warehouse: fence off older claims, wait for their jobs, replace the partition with one load job.

Anyone may finish anyone's claim, again and again: each step is named by the claim and asks what is there already.
"""

import itertools
import logging
from dataclasses import dataclass

from google.cloud import bigquery

from flows.etl import claims, jobs, lake_object, landing_log, table
from flows.etl.destination import Destination
from flows.etl.errors import StartOver, Transient, Unequal
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim
from flows.etl.revision import check_revision

REPAIRS = 3  # claims that load known content again in one landing, before a person should look

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A claim whose load job is done: its content is in the table, or BigQuery refused it for good."""

    claim: Claim
    job_id: str
    attempt: int
    warehouse_rows: int
    loaded_at: str
    refusal: str | None = None


def finish(landing: Landing) -> Loaded:
    """Bring the newest claim's content to the table; newer ones that appear meanwhile are finished instead.

    Raises:
        StartOver: there is no claim, or its object was deleted from outside: bring the file again.
        Outdated: the newest claim is by newer code or a newer contract.
        Unequal: the table does not hold the claim's rows, although repairs said that they were loaded.
        Transient: BigQuery had passing trouble in all attempts, or no quota is left.
    """
    for _ in range(REPAIRS + 1):
        loaded = _finish_newest(landing)
        if loaded.refusal or loaded.warehouse_rows == loaded.claim.lake_rows:
            return loaded
        log.warning(
            "%s: the table holds %d rows of claim %d, expected %d: loading them again",
            *(landing, loaded.warehouse_rows, loaded.claim.n, loaded.claim.lake_rows),
        )
        claims.repair(landing.bucket, loaded.claim, landing.flow_run_id)
    raise Unequal(
        f"{landing}: found {loaded.warehouse_rows} rows in the table, expected"
        f" {loaded.claim.lake_rows}, after {REPAIRS} repairs; does something else write to it?"
    )


def _finish_newest(landing: Landing) -> Loaded:
    """Finish the newest claim, and count its rows while it is still the newest."""
    at_work, attempt, tried = -1, 0, 0
    while True:
        *older, newest = _entries(landing, landing.settled)
        if newest.n != at_work:
            at_work, attempt = newest.n, 0
            _fence(landing, older)
            _wait_for_older(landing.destination, older)
            continue  # a newer claim may have come meanwhile
        try:
            job, new, reason = _load(landing, newest, attempt)
        except jobs.Forgotten:
            attempt += 1
            continue
        tried += new
        rows = table.count(landing.destination, landing.contract, landing.partition)[0] if reason is None else 0
        if reason is None or not lake_object.is_alive(landing.bucket, newest.lake_object):
            if _entries(landing, newest.n)[-1].n > newest.n:
                continue  # fenced by a newer claim, or counted while it loads: that one is to be finished
            if reason is None:
                return Loaded(newest, str(job.job_id), attempt, rows, job.ended.isoformat())
            raise StartOver(f"{newest.lake_uri}: deleted from outside before it was loaded")
        trouble = f"{landing}: {jobs.message(job)} (job {job.job_id})"
        if reason not in jobs.PASSING | jobs.QUOTA | {"notFound"} and not _was_widened_since(job, landing, newest):
            refusal = f"{trouble}; expected {newest.lake_uri} to fit the table; the old partition stands"
            return Loaded(newest, str(job.job_id), attempt, 0, job.ended.isoformat(), refusal)
        if new and (tried == jobs.ATTEMPTS or reason in jobs.QUOTA):
            raise Transient(f"{trouble}, in {tried} new jobs; run again later, the old partition stands")
        if new:
            jobs.pause_before(attempt)
        attempt += 1


def _entries(landing: Landing, n: int) -> list[Claim]:
    """Read the log from number *n* on, and see that the newest claim is one that this code may load."""
    entries = landing_log.since(landing.bucket, landing.contract.name, str(landing.partition), n)
    if not entries:
        raise StartOver(f"{landing}: no claim in the log; bring the file to the lake first")
    check_revision(landing.contract, entries[-1])
    if entries[-1].contract_fingerprint != landing.contract.fingerprint:
        raise StartOver(f"{landing}: the newest claim was read by an older contract; bring it again")
    return entries


def _fence(landing: Landing, older: list[Claim]) -> None:
    """Take the objects of older claims out of reach: a job of theirs that starts from now on changes nothing.

    With them go the rows that they put aside: `quarantine/` holds those of the newest content, as `lake/` does.
    """
    for claim in older:
        for own in claim.objects:
            lake_object.supersede(landing.bucket, own)


def _wait_for_older(destination: Destination, older: list[Claim]) -> None:
    """Wait until no job of an older claim is at work; their ids are known."""
    for claim in older:
        unknown = 0
        for attempt in itertools.count():
            job = jobs.find(destination, jobs.name(destination, claim, attempt))
            if job is None:
                unknown += 1
                if unknown > 1:  # the first may be forgotten after six months, and another attempt behind it at work
                    break
                continue
            jobs.wait(job)


def _load(landing: Landing, claim: Claim, attempt: int) -> tuple[bigquery.LoadJob, bool, str | None]:
    """Replace the partition by the claim's object in one job, and wait for it.

    Returns the job, whether this call made it, and why it failed.
    """
    destination, contract, decorator = landing.destination, landing.contract, landing.partition.decorator
    fields = table.ensure(destination, contract, claim.added_columns)
    name = jobs.name(destination, claim, attempt)
    target = destination.table(contract.name) + (f"${decorator}" if decorator else "")
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        schema=fields,  # the whole table's: it may have columns that this file lacks
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE_DATA,
        labels={"contract": contract.name},
    )
    job, new = jobs.send(
        destination,
        name,
        lambda: destination.warehouse.load_table_from_uri(
            claim.lake_uri, target, job_id=name, location=destination.location, job_config=config
        ),
    )
    expected = (target.rpartition(".")[2], [claim.lake_uri])
    if (found := (job.destination.table_id, list(job.source_uris))) != expected:
        raise Unequal(f"job {name}: found it to load {found}, expected {expected}; the old partition stands")
    reason = jobs.wait(job)
    if reason is None and job.output_rows != claim.lake_rows:
        raise Unequal(
            f"job {name}: found {job.output_rows} rows loaded, expected {claim.lake_rows} of {claim.lake_uri}"
        )
    return job, new, reason


def _was_widened_since(job: bigquery.LoadJob, landing: Landing, claim: Claim) -> bool:
    """Tell whether the table has columns that a job's schema lacks: another partition's file has added them meanwhile.

    A new attempt knows them, so what was refused may load.
    """
    fields = table.ensure(landing.destination, landing.contract, claim.added_columns)
    known = {field.name.lower() for field in job.schema or ()}
    return not {field.name.lower() for field in fields} <= known
