"""Removing what landings that died have left in the lake: objects that no claim names.

`superseded/` is the bucket's lifecycle rule's, an upload that was never finalised is Cloud Storage's own (it expires
after a week), and `log/` is never touched.
"""

import datetime as dt
import email.utils
import logging
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import requests
from google.cloud import storage

from flows.etl import lake_object, landing_log, ledger
from flows.etl.destination import Destination
from flows.etl.errors import Transient
from flows.etl.lake_object import LAKE, QUARANTINE, Stored

LOGS_AT_ONCE = 8  # partitions whose logs are read side by side
TIMEOUT_S = (10, 60)

log = logging.getLogger(__name__)


def sweep(
    destination: Destination, contract: str | None, older_than: dt.timedelta, *, dry_run: bool = False
) -> list[Stored]:
    """Remove the objects under `lake/` and `quarantine/` that no claim names; a dry run only lists them.

    Objects are listed first, and a partition's log is read after that: what was claimed by then is seen. Only what is
    older than *older_than* by storage's own clock is looked at: a landing that is still at work may be about to claim
    it. One that slept for longer starts over, as its load finds no object.

    An object is kept for its name alone: also where it was put back from outside, under another generation.

    One listing and one query; a log is read only where an old object has not been loaded.

    Args:
        destination: Whose lake.
        contract: The data set; None for all that the bucket holds, also of contracts that are gone.
        older_than: How old an object must be.
        dry_run: Remove nothing.

    Raises:
        Outdated: newer code wrote a claim that this code cannot read; nothing of its partition was removed.
        Transient: storage does not say what time it is.
    """
    bucket = destination.bucket
    before = server_time(bucket) - older_than
    within = f"{contract}/" if contract else ""
    found = lake_object.stored(bucket, LAKE + within, QUARANTINE + within)
    loaded = {lake_object.owner(uri) for uri in ledger.lake_uris(destination)}
    suspects: dict[str, list[Stored]] = defaultdict(list)
    for each in found:
        whose = lake_object.owner(each.item.uri)
        if each.created <= before and whose not in loaded:
            suspects[whose.rpartition("/")[0]].append(each)
    with ThreadPoolExecutor(LOGS_AT_ONCE) as pool:
        # each in a copy of this context, which carries the run whose log it writes to
        work = [
            pool.submit(copy_context().run, _sweep_partition, bucket, partition, old, dry_run)
            for partition, old in sorted(suspects.items())
        ]
        return [each for done in work for each in done.result()]  # by partition


def server_time(bucket: storage.Bucket) -> dt.datetime:
    """Ask Cloud Storage what time it is: its answers say so, as every web server's do, in whole seconds.

    Gives the end of the running second, so that an object of this second counts as older than no time at all.
    """
    answer = requests.head(bucket.client.api_endpoint, timeout=TIMEOUT_S)  # whatever it answers, it says when
    try:
        return email.utils.parsedate_to_datetime(answer.headers["Date"]) + dt.timedelta(seconds=1)
    except (KeyError, ValueError) as error:
        raise Transient(
            f"{bucket.client.api_endpoint}: found the date {answer.headers.get('Date')!r}, expected the time; run"
            " again, nothing was removed"
        ) from error


def _sweep_partition(bucket: storage.Bucket, partition: str, old: list[Stored], dry_run: bool) -> list[Stored]:
    """Remove those of a partition's old objects that its log does not name."""
    contract, _, period = partition.partition("/")
    # an object that is not named as a landing names it belongs to no partition, and no claim can name it
    claims = landing_log.since(bucket, contract, period, 0) if contract and period else []
    named = {own.uri for claim in claims for own in claim.objects}
    unnamed = [each for each in old if each.item.uri not in named]
    for each in unnamed:
        if not dry_run:
            lake_object.drop(bucket, each.item)
            log.info("%s: removed, %d bytes of %s that no claim names", each.item.uri, each.size_bytes, each.created)
    return unnamed
