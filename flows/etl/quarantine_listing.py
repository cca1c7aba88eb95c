"""The rows that were put aside, read back for people: those of each partition's newest content."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import storage

from flows.etl import landing_log
from flows.etl.errors import Unequal
from flows.etl.landing_log import Claim
from flows.etl.partition import Partition

CHUNK_BYTES = 1 << 20  # what is asked of storage at a time


@dataclass(frozen=True, slots=True)
class PutAside:
    """One row of a file that did not land. `line` and `column` are None where there is none to name."""

    partition: str
    file: str
    record: int
    line: int | None
    column: str | None
    reason: str
    raw: str


def read(bucket: storage.Bucket, contract: str, first: Partition, last: Partition) -> Iterator[PutAside]:
    """Read what the newest claims of the partitions from *first* to *last* put aside, in order.

    The newest claim's by the log: also one that BigQuery refused, or that no run has loaded yet.

    Raises:
        Unequal: a claim's object is gone, or holds another number of rows than the claim says.
    """
    for partition, head in sorted(landing_log.heads(bucket, contract, first, last).items()):
        newest = landing_log.since(bucket, contract, partition, head.n)[-1]
        yield from _rows(bucket, newest)


def _rows(bucket: storage.Bucket, claim: Claim) -> Iterator[PutAside]:
    number = 0
    for entry in _entries(bucket, claim):
        number += 1
        yield PutAside(partition=claim.partition, **entry)
    if number != claim.quarantined_rows:
        raise Unequal(
            f"{claim.contract} {claim.partition}: found {number} rows in {claim.quarantine_uri or 'no object'},"
            f" expected the {claim.quarantined_rows} that claim {claim.n} put aside; land the partition again"
        )


def _entries(bucket: storage.Bucket, claim: Claim) -> Iterator[dict[str, Any]]:
    """Read the object's lines; an object that is gone has none."""
    if claim.quarantine_object is None:
        return
    try:
        with (
            claim.quarantine_object.blob(bucket).open("rb", chunk_size=CHUNK_BYTES) as packed,
            gzip.open(packed, "rt", encoding="utf-8") as lines,
        ):
            yield from map(json.loads, lines)
    except NotFound:
        return
