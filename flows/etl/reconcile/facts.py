"""What the five say of a contract's partitions: asked in a constant number of queries and listings."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flows.etl import lake_object, landing_log, ledger, sweep, table
from flows.etl.address import identity
from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.errors import ContractError, LandfallError
from flows.etl.fetch import look
from flows.etl.lake_object import LAKE, QUARANTINE, LakeObject, Stored
from flows.etl.landing import Landing
from flows.etl.landing_log import Claim, Head, Published
from flows.etl.ledger import Row
from flows.etl.plan import Order, landings
from flows.etl.served import LOOKS_AT_ONCE
from flows.etl.sweep import LOGS_AT_ONCE


@dataclass(frozen=True, slots=True)
class Newest:
    """What the newest claim says, from the ledger's row of it or, without one, from the log."""

    lake_object: LakeObject
    lake_rows: int
    puts_aside: bool

    @classmethod
    def of(cls, said: Row | Claim) -> "Newest":
        """Take what both say."""
        item = LakeObject(said.lake_uri, said.lake_generation, said.lake_crc32c)
        return cls(item, said.lake_rows, said.quarantined_rows > 0)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one partition; None where one of the five has nothing to say.

    `claimed` are the addresses of objects that any claim names. `served` is what the publisher answers, `trouble` why
    it does not; both are None where it was not asked.
    """

    partition: str
    head: Head | None = None
    newest: Newest | None = None
    row: Row | None = None
    objects: tuple[Stored, ...] = ()
    claimed: frozenset[str] = frozenset()
    rows: int = 0
    served: Published | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts of a contract's partitions, and what is one for all: `table_made` by BigQuery's clock, None if absent.

    `leftover_before`: an object of before this time that no claim names is left over, by storage's clock.
    """

    contract: Contract
    table_made: dt.datetime | None
    leftover_before: dt.datetime
    partitions: tuple[Facts, ...]
    landings: Mapping[str, Landing]


def gather(destination: Destination, order: Order, older_than: dt.timedelta) -> Gathered:
    """Ask log, lake, ledger and warehouse for all that they have of a contract, and the publisher for what has landed.

    Three queries, four listings, one HEAD request a partition that has landed; a log is read only where
    the ledger does not know the newest claim, or an object in the lake.

    Args:
        destination: Which lake and warehouse.
        order: The contract, and how its publisher is asked; the periods do not matter.
        older_than: How old an object must be to be left over.
    """
    contract, bucket = order.contract, destination.bucket
    objects: dict[str, list[Stored]] = defaultdict(list)
    before = sweep.server_time(bucket) - older_than
    for each in lake_object.stored(bucket, f"{LAKE}{contract.name}/", f"{QUARANTINE}{contract.name}/"):
        objects[lake_object.owner(each.item.uri).split("/")[1]].append(each)
    heads = landing_log.heads(bucket, contract.name)  # after the objects: what was claimed by then is seen
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in ledger.rows(destination, contract.name):
        rows[row.partition].append(row)
    counts = table.counts(destination, contract)
    names = _of_contract(contract, {*objects, *heads, *rows, *counts})

    def facts(name: str) -> Facts:
        head, row = heads.get(name), rows[name][-1] if rows[name] else None
        newest = Newest.of(row) if head and row and row.n == head.n else None
        claimed = {each.lake_uri for each in rows[name]}
        owners = {lake_object.owner(uri) for uri in claimed}
        if not newest or any(lake_object.owner(each.item.uri) not in owners for each in objects[name]):
            claims = landing_log.since(bucket, contract.name, name, 0) if head else []
            claimed |= {own.uri for claim in claims for own in claim.objects}
            newest = Newest.of(claims[-1]) if claims else None
        return Facts(name, head, newest, row, tuple(objects[name]), frozenset(claimed), counts.get(name, 0))

    with ThreadPoolExecutor(LOGS_AT_ONCE) as pool:
        found = list(pool.map(facts, names))
    periods = [contract.period(name) for name in names]
    ours = landings(destination, dataclasses.replace(order, periods=periods)) if periods else []
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        found = list(pool.map(_ask, found, ours))
    made = table.created(destination, contract.name)
    return Gathered(contract, made, before, tuple(found), {str(landing.partition): landing for landing in ours})


def _ask(facts: Facts, landing: Landing) -> Facts:
    """Ask the publisher for what has landed."""
    if not facts.head:
        return facts
    noted = facts.head.notes.published
    address = identity(landing.published_at)
    try:
        known = noted.validators if noted and noted.address == address else None
        now = look(landing.published_at, landing.headers, known, landing.reach)
    except LandfallError as error:
        return dataclasses.replace(facts, trouble=str(error))
    return dataclasses.replace(facts, served=Published(address, now))


def _of_contract(contract: Contract, names: Iterable[str]) -> list[str]:
    """Leave out what is none of the contract's periods by now: before its first, or expired in BigQuery."""
    now, kept = dt.datetime.now(dt.UTC), []
    for name in sorted(names):
        try:
            contract.periods(name, name, now)
        except ContractError:
            continue
        kept.append(name)
    return kept
