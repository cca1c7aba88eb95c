"""Claiming: which content of a partition counts is said by the newest entry of its landing log.

`docs/decisions/0001-landing-log.md` says why each rule is there, and `tests/protocol/` walks through every
interleaving of them.
"""

import dataclasses
import logging
import re
from typing import TypedDict

from google.api_core.exceptions import NotFound
from google.cloud import storage

from flows.etl import lake, lake_object, landing_log
from flows.etl.address import identity
from flows.etl.contract import Contract
from flows.etl.errors import LandfallError, Outdated, StartOver, Transient
from flows.etl.fetch import Validators, look
from flows.etl.lake import Upload
from flows.etl.lake_object import LakeObject
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim, Notes, Published

RACES = 20  # claims that others may make between our listing and our own, before we give up

log = logging.getLogger(__name__)


class _PutAside(TypedDict):
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
    return Notes(_published(landing, upload), landing.contract.checks_fingerprint)


def _published(landing: Landing, upload: Upload) -> Published | None:
    """Say what the contract's address answers while this content is the right one; later runs compare with it.

    For content that was given by another address it is what the publisher serves meanwhile, if anything: the given
    content stands until that changes.
    """
    if not landing.override:
        return Published(identity(landing.published_at), upload.validators)
    try:
        now = look(landing.published_at, landing.headers, reach=landing.reach)
        return Published(identity(landing.published_at), now)
    except LandfallError as error:
        log.info("%s: %s", landing, error)
        return None


def repair(bucket: storage.Bucket, broken: Claim, flow_run_id: str | None) -> Claim | None:
    """Claim a claim's content again under an object of its own; None if another claim came first.

    Raises:
        StartOver: its object is gone, or that of the rows put aside.
    """
    copies: list[LakeObject] = []
    try:
        for own, name in zip(broken.objects, lake_object.new_names(broken.contract, broken.partition), strict=False):
            copies.append(lake_object.copy(bucket, own, name))
    except NotFound as error:
        for made in copies:
            lake_object.drop(bucket, made)
        gone = broken.objects[len(copies)].uri
        raise StartOver(f"{gone}: gone, and with it what claim {broken.n} would load again") from error
    copied, copied_aside = copies[0], copies[1] if len(copies) > 1 else None
    again = dataclasses.replace(
        broken,
        n=broken.n + 1,
        kind="repair",
        lake_uri=copied.uri,
        lake_generation=copied.generation,
        lake_crc32c=copied.crc32c,
        **_put_aside(copied_aside),
        flow_run_id=flow_run_id,
        generation=None,
        claimed_at=None,
    )
    if written := landing_log.append(bucket, again, landing_log.notes_of(bucket, broken)):
        return written
    for own in again.objects:
        lake_object.drop(bucket, own)
    return None


def _is_same(newest: Claim, upload: Upload, contract: Contract) -> bool:
    return (newest.source_sha256, newest.contract_fingerprint) == (upload.source_sha256, contract.fingerprint)


def check_revision(contract: Contract, newest: Claim) -> None:
    """Refuse to land in turn with newer code or a newer contract, and a changed contract that does not say so."""
    converter, content, *runs = contract.fingerprint.split("-")
    landed, landed_content, *ran = newest.contract_fingerprint.split("-")
    where = f"{contract.name} {newest.partition}"
    if newest.contract_revision > contract.revision or int(landed) > int(converter):
        raise Outdated(
            f"{where}: found claim {newest.n} by revision {newest.contract_revision} (converter {landed}), expected"
            f" none newer than this code's revision {contract.revision} (converter {converter}); update this code,"
            " nothing was claimed"
        )
    if newest.contract_revision == contract.revision and content != landed_content:
        raise Outdated(
            f"{where}: found another content of the contract under the same revision {contract.revision}, expected a"
            " raised `revision` with each change of columns, format, dialect or clean hook; raise it, nothing was"
            " claimed"
        )
    if newest.contract_revision == contract.revision and _release(ran) > _release(runs):
        raise Outdated(
            f"{where}: found claim {newest.n} cleaned with {ran[0]}, expected none newer than this environment's"
            f" {runs[0]}; update this environment, or raise `revision` to go back; nothing was claimed"
        )


def _release(runs: list[str]) -> list[int]:
    """Read the version of what runs a clean hook, `pandas3_1_1`; release candidates count as their release."""
    return [int(number) for number in re.findall(r"\d+", "".join(runs))[:3]]


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
        lake_uri=upload.lake_object.uri,
        lake_generation=upload.lake_object.generation,
        lake_crc32c=upload.lake_object.crc32c,
        lake_rows=upload.lake_rows,
        contract_fingerprint=landing.contract.fingerprint,
        contract_revision=landing.contract.revision,
        flow_run_id=landing.flow_run_id,
        checks_fingerprint=landing.contract.checks_fingerprint,
        added_columns=upload.added_columns,
        **_put_aside(upload.quarantine_object),
    )


def _put_aside(item: LakeObject | None) -> _PutAside:
    """Give a claim's fields for the rows that were put aside."""
    return {
        "quarantine_uri": item.uri if item else None,
        "quarantine_generation": item.generation if item else None,
        "quarantine_crc32c": item.crc32c if item else None,
    }
