"""Mending what diverges, with the means of a landing: nothing here writes to table, log or ledger by itself."""

import dataclasses
import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from google.cloud.bigquery import LoadJob

from flows.etl import claims, jobs, lake, lake_object, landing_log, ledger, load
from flows.etl.address import identity, shown
from flows.etl.fetch import Validators
from flows.etl.lake_object import QUARANTINE
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim, Notes, Published
from flows.etl.ledger import Row
from flows.etl.load import Loaded
from flows.etl.reconcile.divergence import Divergence, Name
from flows.etl.restore import restore

FROM_THE_PUBLISHER: frozenset[Name] = frozenset(
    {
        "lake object gone",
        "lake object changed",
        "quarantine object gone",
        "refused",
        "contract changed",
        "publisher changed",
    }
)
FROM_THE_LAKE: frozenset[Name] = frozenset(
    {"claim not loaded", "ledger row missing", "table dropped", "table made anew", "rows differ"}
)
# what a person has to look at: rows that nobody claims to have written, a publisher
BY_HAND: frozenset[Name] = frozenset({"rows without claim", "publisher does not answer"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done for a partition; `left` are the names of what only a person can mend."""

    partition: str
    done: str
    left: tuple[Name, ...]


def mend(landing: Landing, divergences: Sequence[Divergence]) -> Mended:
    """Mend a partition's divergences: objects first, then its content, from the publisher or from the lake.

    Raises:
        StartOver: the world moved on meanwhile; reconcile again.
        LandfallError: what a landing meets.
    """
    names = {each.name for each in divergences}
    done: list[str] = []
    for each in divergences:
        if each.item and each.name in ("superseded object left", "lake object changed"):
            lake_object.supersede(landing.bucket, each.item.item)
            done.append(f"moved {each.item.item.uri} to superseded/")
        elif each.item and each.name == "unclaimed object":
            lake_object.drop(landing.bucket, each.item.item)
            done.append(f"removed {each.item.item.uri}")
    if "ledger row without claim" in names:
        done += [f"claim {n} written from the ledger" for n in _rewrite_log(landing)]
    if names & FROM_THE_PUBLISHER:
        done.append(_from_the_publisher(landing, names))
    if names & (FROM_THE_PUBLISHER | FROM_THE_LAKE):
        loaded = ledger.record(landing.destination, load.finish(landing))
        done.append(f"claim {loaded.claim.n} loaded, {loaded.warehouse_rows} rows")
    if "ledger row missing" in names:
        done += [f"row of claim {n} written" for n in _rewrite_older_rows(landing)]
    log.info("%s: %s", landing, "; ".join(done))
    return Mended(str(landing.partition), "; ".join(done) or "nothing", tuple(sorted(names & BY_HAND)))


def _from_the_publisher(landing: Landing, names: set[Name]) -> str:
    """Claim the publisher's content; or, where an older one was brought back over it, that one again."""
    newest = landing_log.since(landing.bucket, landing.contract.name, str(landing.partition), max(landing.settled, 0))
    back = newest[-1].as_of if newest else None
    if back is not None and not names & {"publisher changed", "contract changed"}:
        return f"claim {restore(dataclasses.replace(landing, as_of=back)).n} brings claim {back} back"
    return f"claim {claims.claim(landing, lake.bring(landing.bucket, landing.source)).n} from the publisher"


def _rewrite_log(landing: Landing) -> list[int]:
    """Write entries that the log has lost again, as the ledger has them: put-if-absent, in order.

    What the ledger does not have is lost: which columns a file added (the table has them), and over which content an
    older one was brought back.
    """
    bucket, contract, partition = landing.bucket, landing.contract.name, str(landing.partition)
    there = {claim.n for claim in landing_log.since(bucket, contract, partition, 0)}
    whose = f"{contract}/{partition}/"
    aside = {lake_object.owner(each.item.uri): each.item for each in lake_object.stored(bucket, QUARANTINE + whose)}
    written = []
    for row in ledger.rows(landing.destination, contract):
        if row.partition != partition or row.n in there:
            continue
        claim = row.claim(contract)
        beside = aside.get(lake_object.owner(claim.lake_uri))
        claim = dataclasses.replace(claim, **claims.owning([claim.lake_object, *([beside] if beside else [])]))
        if landing_log.append(bucket, claim, Notes(_published(landing, row), row.checks_fingerprint)):
            written.append(row.n)
        there.add(row.n)
    return written


def _published(landing: Landing, row: Row) -> Published | None:
    """Say what the contract's address answered for a row's content, if it is from there."""
    if row.kind == "as_of" or row.source_uri != shown(landing.published_at):
        return None
    return Published(identity(landing.published_at), Validators(row.etag, row.last_modified, row.source_bytes))


def _rewrite_older_rows(landing: Landing) -> list[int]:
    """Write the ledger's rows of older claims again, from the log and from those jobs that BigQuery still knows."""
    destination, written = landing.destination, []
    *older, _ = landing_log.since(landing.bucket, landing.contract.name, str(landing.partition), 0)
    for claim in older:
        if ledger.statuses(destination, claim) or (loaded := _loaded_before(landing, claim)) is None:
            continue
        ledger.write(destination, loaded)
        written.append(claim.n)
    return written


def _loaded_before(landing: Landing, claim: Claim) -> Loaded | None:
    """Find out from its jobs what became of a claim; None if none was ever done, or their records are gone."""
    outcome: Loaded | None = None
    for attempt in itertools.count():
        job = jobs.find(landing.destination, jobs.name(landing.destination, claim, attempt))
        if job is None:
            return outcome
        reason = jobs.wait(job)
        ended = job.ended.isoformat()
        if reason is None:
            return Loaded(claim, str(job.job_id), attempt, int(cast(LoadJob, job).output_rows), ended)
        if reason not in jobs.PASSING | jobs.QUOTA | {"notFound"}:
            outcome = Loaded(claim, str(job.job_id), attempt, 0, ended, jobs.message(job))
    return outcome
