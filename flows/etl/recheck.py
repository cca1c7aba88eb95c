"""A changed check on rows that have landed: asked of the table by one query, and nothing lands again."""

import logging
from dataclasses import dataclass

from google.cloud import bigquery

from flows.etl import checks, landing_log, table
from flows.etl.checks import Parameter, Verdict
from flows.etl.errand import Errand
from flows.etl.errors import CheckFailed
from flows.etl.landing import Landing
from flows.etl.landing_log import Notes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A partition whose rows have passed the contract's present checks; those that only warn say so."""

    partition: str
    warnings: tuple[str, ...]


def recheck(landing: Landing) -> Rechecked:
    """Hold a partition's rows in the table against the contract's checks, and remember that they passed.

    Raises:
        CheckFailed: they did not; the rows stand, and the next run asks again.
    """
    rows, found = count(landing)
    verdict = hold(landing, rows, found)
    notes = Notes(published=None, checks=landing.contract.checks_fingerprint)
    landing_log.remember(landing.bucket, landing.contract.name, str(landing.partition), landing.settled, notes)
    return Rechecked(str(landing.partition), verdict.warnings)


def hold(landing: Errand, rows: int, found: list[int]) -> Verdict:
    """Hold what was counted in a table against the contract's checks, and tell of what does not hold.

    Raises:
        CheckFailed: a check that stops does not hold.
    """
    verdict = checks.judge(landing.contract, landing.partition, rows, found, landing.rows_before)
    for note in verdict.notes:
        log.info("%s: %s", landing, note)
    for warning in verdict.warnings:
        log.warning("%s: %s", landing, warning)
    if verdict.stops:
        raise CheckFailed(
            f"{landing}: {'; '.join(verdict.stops)}; correct the contract's checks, or ask the publisher for another"
            " file: the rows landed under other checks and stand in the table, nothing was written"
        )
    return verdict


def count(landing: Landing) -> tuple[int, list[int]]:
    """Count the partition's rows in the table, and those of them that count against each check."""
    destination, contract, partition = landing.destination, landing.contract, landing.partition
    counts, parameters = checks.aggregates(contract, partition)
    rows, *found = table.count(destination, contract, partition, counts, [_parameter(each) for each in parameters])
    return rows, found


def _parameter(given: Parameter) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if isinstance(given.value, tuple):
        return bigquery.ArrayQueryParameter(given.name, given.type, list(given.value))
    return bigquery.ScalarQueryParameter(given.name, given.type, given.value)
