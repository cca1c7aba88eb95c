"""Bringing an older claim's content back: a new claim of it, which stands until the publisher changes its own.

`docs/decisions/0018-as-of.md` says why it carries what it does.
"""

import dataclasses
import datetime as dt
import logging

from flows.etl import claims, lake_object, landing_log, ledger, table
from flows.etl.address import identity, shown
from flows.etl.contract import Contract
from flows.etl.errors import ClaimGone, LandfallError, ObjectGone, Outdated, Transient, WarehouseRefused
from flows.etl.fetch import download, look
from flows.etl.lake_object import LakeObject
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim, Notes, Published
from flows.etl.revision import check_revision

CHUNK_BYTES = 1 << 20

log = logging.getLogger(__name__)


def restore(landing: Landing) -> Claim:
    """Claim the content of the older claim that a landing asks for, or adopt the newest if it is that already.

    Raises:
        ClaimGone: there is no such claim, BigQuery refused it, or its object is deleted; nothing was written.
        Outdated: it was read under a contract of another content, or a newer revision has claimed.
        WarehouseRefused: the table cannot take its columns.
        Transient: others were quicker, again and again.
    """
    bucket, contract, partition = landing.bucket, landing.contract.name, str(landing.partition)
    entries = landing_log.since(bucket, contract, partition, 0)
    wanted = _wanted(landing, entries)
    _check(landing, wanted)
    copies: list[LakeObject] = []
    for _ in range(claims.RACES):
        newest = entries[-1]
        check_revision(landing.contract, newest)
        published, served = _served(landing, newest)
        if _is_restored(newest, wanted, served, landing) and all(
            lake_object.is_alive(bucket, own) for own in newest.objects
        ):
            claims.drop_all(bucket, copies)
            log.info("%s: claim %d holds the content of claim %d", landing, newest.n, wanted.n)
            return newest
        copies = copies or _copy(landing, wanted)
        made = _claim_of(landing, wanted, newest.n + 1, copies, served)
        notes = Notes(published, landing_log.notes_of(bucket, wanted).checks)
        if written := landing_log.append(bucket, made, notes):
            return written
        entries = landing_log.since(bucket, contract, partition, newest.n)
        if any(entry.lake_uri == made.lake_uri for entry in entries):
            return entries[-1]  # claimed before, its reply was lost
    claims.drop_all(bucket, copies)
    raise Transient(f"{landing}: {claims.RACES} other claims came first; run again, nothing was loaded")


def _wanted(landing: Landing, entries: list[Claim]) -> Claim:
    """Choose a claim by its number, or the one that was the newest at a time."""
    as_of = landing.as_of
    if isinstance(as_of, dt.datetime):
        found = [each for each in entries if dt.datetime.fromisoformat(str(each.claimed_at)) <= as_of][-1:]
    else:
        found = [each for each in entries if each.n == as_of]
    if not found:
        there = ", ".join(f"{each.n} of {each.claimed_at}" for each in entries[-5:]) or "none"
        raise ClaimGone(
            f"{landing}: found no claim as of {as_of}, expected one of its log ({there}); see"
            f" `landfall history {landing.contract.name} {landing.partition}`, nothing was written"
        )
    return found[0]


def _check(landing: Landing, wanted: Claim) -> None:
    """Refuse what could not be loaded, before anything is claimed: a claim that fails would stand in the way."""
    if _content(wanted.contract_fingerprint) != _content(landing.contract.fingerprint):
        raise Outdated(
            f"{landing}: found claim {wanted.n} read under revision {wanted.contract_revision} of the contract, whose"
            f" columns, format, dialect or clean hook differ, expected those of revision {landing.contract.revision}:"
            " its rows are not what the contract now says; to go back, write the older contract under a raised"
            " `revision` and ask again, nothing was written"
        )
    if ledger.statuses(landing.destination, wanted) == {"refused"}:
        raise ClaimGone(
            f"{landing}: found claim {wanted.n} refused by BigQuery, expected one that was loaded; see"
            f" `landfall history {landing.contract.name} {landing.partition}`, nothing was written"
        )


def _content(fingerprint: str) -> str:
    """Give the part of a fingerprint that is the contract's own; the others are versions of code."""
    return fingerprint.split("-")[1]


def _served(landing: Landing, newest: Claim) -> tuple[Published | None, str | None]:
    """Find out what the publisher serves meanwhile: what it says of it, and its sha256; None and None if it does not.

    Its bytes are read only where it does not say that they are those of the newest claim.
    """
    noted = landing_log.notes_of(landing.bucket, newest).published
    known = newest.stands_over or (newest.source_sha256 if newest.source_uri == shown(landing.published_at) else None)
    try:
        now = look(landing.published_at, landing.headers, noted.validators if noted else None, landing.reach)
        if known and now.tell and noted == Published(identity(landing.published_at), now):
            return noted, known
        with download(landing.published_at, landing.headers, landing.reach) as body:
            while body.read(CHUNK_BYTES):
                pass
            return Published(identity(landing.published_at), body.validators), body.sha256
    except LandfallError as error:
        log.warning("%s: what is brought back will not stand once the publisher answers again: %s", landing, error)
        return None, None


def _is_restored(newest: Claim, wanted: Claim, served: str | None, landing: Landing) -> bool:
    return (
        newest.source_sha256 == wanted.source_sha256
        and newest.contract_fingerprint == landing.contract.fingerprint
        and served in (None, newest.stands_for)
    )


def _copy(landing: Landing, wanted: Claim) -> list[LakeObject]:
    """Copy the claim's objects, and see that the table takes their columns."""
    try:
        copies = claims.copy_objects(landing.bucket, wanted)
    except ObjectGone as error:
        raise ClaimGone(
            f"{landing}: found claim {wanted.n} without its object ({error}), expected that the bucket's"
            " lifecycle rule had left it; land the file from elsewhere with --source, nothing was written"
        ) from error
    try:
        table.ensure(landing.destination, landing.contract, wanted.added_columns)
    except WarehouseRefused:
        claims.drop_all(landing.bucket, copies)
        raise
    return copies


def _claim_of(landing: Landing, wanted: Claim, n: int, copies: list[LakeObject], served: str | None) -> Claim:
    """Make the claim: an older one's content, under the present contract, over what the publisher serves."""
    contract: Contract = landing.contract
    return dataclasses.replace(
        wanted,
        n=n,
        kind="as_of",
        as_of=wanted.n,
        stands_over=served,
        contract_fingerprint=contract.fingerprint,
        contract_revision=contract.revision,
        flow_run_id=landing.flow_run_id,
        **claims.owning(copies),
        **claims.NOT_WRITTEN,
    )
