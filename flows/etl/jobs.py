"""BigQuery jobs under names of our own: sent once whatever is lost on the way, and judged when they are done.

https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid
"""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar, cast

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from flows.etl.destination import Destination
from flows.etl.landing_log import Claim

ATTEMPTS = 5  # new jobs for one claim in one run, after passing trouble inside BigQuery
# https://cloud.google.com/bigquery/docs/error-messages: trouble that a new job may not meet
PASSING = {"backendError", "internalError", "jobBackendError", "jobInternalError", "rateLimitExceeded",
           "jobRateLimitExceeded", "stopped", "timeout"}  # fmt: skip
QUOTA = {"quotaExceeded", "billingTierLimitExceeded"}

log = logging.getLogger(__name__)


class Forgotten(Exception):
    """A job's name is taken, and its record is gone: BigQuery keeps them for six months. The next attempt is free."""


Job = TypeVar("Job", bigquery.LoadJob, bigquery.QueryJob)


def name(destination: Destination, claim: Claim, attempt: int, prefix: str = "landfall") -> str:
    """Name the job of one attempt: equal for every process that finishes this claim, unequal for all else."""
    dataset = destination.dataset.dataset_id
    return f"{prefix}-{dataset}-{claim.contract}-{claim.partition}-{claim.n}-{claim.generation}-{attempt}"


def find(destination: Destination, job_id: str) -> bigquery.LoadJob | bigquery.QueryJob | None:
    """Fetch a job by its id, or None if there is none (BigQuery forgets them after six months)."""
    try:
        return _get(destination, job_id)
    except NotFound:
        return None


def send(destination: Destination, job_id: str, begin: Callable[[], Job]) -> tuple[Job, bool]:
    """Send a job, or take over the one that has this id: one's own whose reply was lost, or another process's.

    Returns it, and whether it is new: what an old one met in passing may be over.

    Raises:
        Forgotten: there was a job of this name, of which nothing is known any more.
    """
    try:
        return begin(), True
    except Conflict:
        log.info("%s: exists, waiting for it", job_id)
    try:
        return cast(Job, _get(destination, job_id)), False
    except NotFound as error:
        raise Forgotten(job_id) from error


def _get(destination: Destination, job_id: str) -> bigquery.LoadJob | bigquery.QueryJob:
    job = destination.warehouse.get_job(job_id, project=destination.dataset.project, location=destination.location)
    return cast(bigquery.LoadJob | bigquery.QueryJob, job)  # ids of ours name no other kind


def wait(job: bigquery.LoadJob | bigquery.QueryJob) -> str | None:
    """Wait until a job is done, whoever sent it; returns the reason of its failure, or None."""
    pause = 0.05
    while not job.done():
        time.sleep(pause)
        pause = min(pause * 1.5, 3)
    return str(job.error_result["reason"]) if job.error_result else None


def pause_before(attempt: int) -> None:
    """Give BigQuery time before another attempt, each another: who was turned away together comes back one by one."""
    time.sleep(min(2**attempt, 30) * random.uniform(1, 1.5))  # noqa: S311 - no secret


def message(job: bigquery.LoadJob | bigquery.QueryJob) -> str:
    """Give BigQuery's own words on a failed job: the result, then what else it names."""
    words = [job.error_result["message"], *(error["message"] for error in job.errors or [])]
    return "; ".join(dict.fromkeys(words))
