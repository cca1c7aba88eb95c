"""Claiming: which content of a partition counts is said by the newest entry of its landing log.

`docs/decisions/0001-landing-log.md` says why each rule is there, and `tests/protocol/` walks through every
interleaving of them.
"""

import dataclasses
import logging
from typing import TypedDict

from google.cloud import storage

from flows.etl import lake, lake_object, landing_log
from flows.etl.contract import Contract
from flows.etl.errors import ObjectGone, Outdated, StartOver, Transient
from flows.etl.fetch import Validators, look
from flows.etl.lake import Upload
from flows.etl.lake_object import LakeObject
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim, Notes
from flows.etl.revision import check_revision
from flows.etl.served import published_meanwhile

RACES = 20  # claims that others may make between our listing and our own, before we give up

log = logging.getLogger(__name__)


class _NotWritten(TypedDict):
    generation: None
    claimed_at: None


NOT_WRITTEN: _NotWritten = {"generation": None, "claimed_at": None}


class _Objects(TypedDict):
    lake_uri: str
    lake_generation: int
    lake_crc32c: str
    quarantine_uri: str | None
    quarantine_generation: int | None
    quarantine_crc32c: str | None


def claim(landing: Landing, upload: Upload) -> Claim:
    """Claim an uploaded content for its partition, or adopt the newest claim if it names the same.

    Raises:
        StartOver: the publisher serves something else by now.
        Outdated: a newer revision has claimed.
        Transient: others were quicker, again and again; or storage did not answer, and the claim may stand.
    """
    bucket, contract = landing.bucket, landing.contract
    for _ in range(RACES):
        entries = landing_log.since(bucket, contract.name, str(landing.partition), landing.settled)
        newest = entries[-1] if entries else None
        if any(entry.lake_uri == upload.lake_object.uri for entry in entries):
            log.info("%s: claimed before, its reply was lost", landing)
            return entries[-1]
        if newest:
            try:
                check_revision(contract, newest)
            except Outdated:
                lake.discard(bucket, upload)
                raise
            if _is_same(newest, upload, contract) and all(lake_object.is_alive(bucket, own) for own in newest.objects):
                lake.discard(bucket, upload)
                landing_log.remember(bucket, contract.name, newest.partition, newest.n, _notes(landing, upload))
                log.info("%s: claim %d names the same content, adopted", landing, newest.n)
                return newest
        if _serves(landing, upload.validators) != upload.validators:
            lake.discard(bucket, upload)
            raise StartOver(f"{landing.where}: the publisher serves another content than was just read")
        made = _claim_of(landing, upload, newest.n + 1 if newest else 0)
        if written := landing_log.append(bucket, made, _notes(landing, upload)):
            return written
    raise Transient(f"{landing}: {RACES} other claims came first; run again, nothing was loaded")


def _serves(landing: Landing, known: Validators) -> Validators:
    return look(landing.address, landing.address_headers, known, landing.address_reach)


def _notes(landing: Landing, upload: Upload) -> Notes:
    """Give what is to be remembered of this content: its rows have just passed the contract's checks."""
    return Notes(published_meanwhile(landing, upload.validators), landing.contract.checks_fingerprint)


def repair(bucket: storage.Bucket, broken: Claim, flow_run_id: str | None) -> Claim | None:
    """Claim a claim's content again under an object of its own; None if another claim came first.

    Raises:
        StartOver: its object is gone, or that of the rows put aside.
    """
    try:
        copies = copy_objects(bucket, broken)
    except ObjectGone as error:
        raise StartOver(f"{error}, and with it what claim {broken.n} would load again") from error
    again = dataclasses.replace(
        broken, n=broken.n + 1, kind="repair", flow_run_id=flow_run_id, **owning(copies), **NOT_WRITTEN
    )
    if written := landing_log.append(bucket, again, landing_log.notes_of(bucket, broken)):
        return written
    entries = landing_log.since(bucket, broken.contract, broken.partition, broken.n)
    if not any(entry.lake_uri == again.lake_uri for entry in entries):  # else it is ours, and its reply was lost
        drop_all(bucket, copies)
    return None


def copy_objects(bucket: storage.Bucket, claim: Claim) -> list[LakeObject]:
    """Copy a claim's objects on the server's side: that of its rows, and that of the rows put aside if it has one.

    Raises:
        ObjectGone: one of them is there no more; no copy is left.
    """
    copies: list[LakeObject] = []
    for own, name in zip(claim.objects, lake_object.new_names(claim.contract, claim.partition), strict=False):
        try:
            copies.append(lake_object.copy(bucket, own, name))
        except ObjectGone:
            drop_all(bucket, copies)
            raise
    return copies


def drop_all(bucket: storage.Bucket, items: list[LakeObject]) -> None:
    """Delete objects that no claim names."""
    for each in items:
        lake_object.drop(bucket, each)


def owning(items: list[LakeObject]) -> _Objects:
    """Give a claim's fields for the objects that it owns."""
    rows, aside = items[0], items[1] if len(items) > 1 else None
    return {
        "lake_uri": rows.uri,
        "lake_generation": rows.generation,
        "lake_crc32c": rows.crc32c,
        "quarantine_uri": aside.uri if aside else None,
        "quarantine_generation": aside.generation if aside else None,
        "quarantine_crc32c": aside.crc32c if aside else None,
    }


def _is_same(newest: Claim, upload: Upload, contract: Contract) -> bool:
    return (newest.stands_for, newest.contract_fingerprint) == (upload.source_sha256, contract.fingerprint)


def _claim_of(landing: Landing, upload: Upload, n: int) -> Claim:
    return Claim(
        contract=landing.contract.name,
        partition=str(landing.partition),
        n=n,
        kind="landing",
        source_uri=landing.where,
        etag=upload.validators.etag,
        last_modified=upload.validators.last_modified,
        source_bytes=upload.source_bytes,
        source_sha256=upload.source_sha256,
        source_rows=upload.source_rows,
        quarantined_rows=upload.quarantined_rows,
        lake_rows=upload.lake_rows,
        contract_fingerprint=landing.contract.fingerprint,
        contract_revision=landing.contract.revision,
        flow_run_id=landing.flow_run_id,
        checks_fingerprint=landing.contract.checks_fingerprint,
        added_columns=upload.added_columns,
        **owning(upload.objects),
    )
