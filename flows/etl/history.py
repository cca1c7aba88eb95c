"""What a partition has held: its claims, what became of them, and whether their objects are still there."""

from dataclasses import dataclass
from typing import Literal

from flows.etl import lake_object, landing_log, ledger
from flows.etl.destination import Destination
from flows.etl.lake_object import LAKE, QUARANTINE, SUPERSEDED
from flows.etl.landing_log import Claim
from flows.etl.ledger import Row

Where = Literal["lake", "superseded", "gone"]


@dataclass(frozen=True, slots=True)
class Past:
    """A claim, and what the ledger says of it: `loaded`, `refused`, or `not loaded`."""

    claim: Claim
    status: str
    row: Row | None
    where: Where


def read(destination: Destination, contract: str, partition: str | None) -> list[Past]:
    """Read the claims of a partition, or of all partitions, in order.

    One query, three listings, and a reading of each log entry.

    Raises:
        Outdated: newer code wrote a claim that this code cannot read.
    """
    bucket = destination.bucket
    whose = f"{contract}/{partition}/" if partition else f"{contract}/"
    there = {each.item for each in lake_object.stored(bucket, LAKE + whose, QUARANTINE + whose)}
    moved = {each.item.uri: each.item.crc32c for each in lake_object.stored(bucket, SUPERSEDED + whose)}
    said = {(row.partition, row.n): row for row in ledger.rows(destination, contract)}
    names = [partition] if partition else sorted(landing_log.heads(bucket, contract))

    def where(claim: Claim) -> Where:
        if all(own in there for own in claim.objects):
            return "lake"
        places = [(lake_object.superseded_uri(own.uri), own.crc32c) for own in claim.objects]
        return "superseded" if all(moved.get(uri) == crc32c for uri, crc32c in places) else "gone"

    return [
        Past(claim, row.status if row else "not loaded", row, where(claim))
        for name in names
        for claim in landing_log.since(bucket, contract, name, 0)
        for row in [said.get((name, claim.n))]
    ]
