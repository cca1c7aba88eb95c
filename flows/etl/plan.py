"""What is to be done: which partitions are up to date, and which are due."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from flows.etl import claims, ledger, table
from flows.etl.claims import Head, Published
from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.errors import LandfallError
from flows.etl.fetch import look
from flows.etl.landing import Landing
from flows.etl.ledger import Settled
from flows.etl.partition import Partition

LOOKS_AT_ONCE = 4  # HEAD requests to one publisher

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """The partitions of a run, each in one of two lists."""

    contract: str
    due: list[Landing]
    up_to_date: list[Partition]


@dataclass(frozen=True, slots=True)
class Order:
    """What a run was asked for: periods of a contract, and an address in place of the contract's."""

    contract: Contract
    periods: list[Partition]
    publisher: str | None
    override: str | None
    flow_run_id: str | None


def from_web(destination: Destination, order: Order) -> Plan:
    """Find the partitions whose content the publisher has changed, or that were never settled.

    One query to the ledger, one listing of the log, and one HEAD request for each partition that is settled; nothing
    is written. A partition is up to date when its newest claim is loaded, under this contract, and the publisher
    answers what it answered for that claim. The newest claim is the log's and not the ledger's: a claim whose run was
    killed may still load.
    """
    heads, settled, made = _look_back(destination, order)

    def is_up_to_date(landing: Landing) -> bool:
        head, row = heads.get(str(landing.partition)), settled.get(str(landing.partition))
        return made and _is_loaded(head, row, order) and not order.override and _serves_the_same(landing, head)

    landings = [_landing(destination, order, period, settled) for period in order.periods]
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        # each in a copy of this context, which carries the run whose log it writes to
        answers = [pool.submit(copy_context().run, is_up_to_date, landing) for landing in landings]
        return _plan(order, landings, [answer.result() for answer in answers])


def from_lake(destination: Destination, order: Order) -> Plan:
    """Find the partitions whose newest claim is not in the table; the publisher is not asked."""
    heads, settled, made = _look_back(destination, order)
    landings = [_landing(destination, order, period, settled) for period in order.periods]
    done = [made and _is_loaded(heads.get(str(p)), settled.get(str(p)), order) for p in order.periods]
    return _plan(order, landings, done)


def _look_back(destination: Destination, order: Order) -> tuple[dict[str, Head], dict[str, Settled], bool]:
    name, first, last = order.contract.name, order.periods[0], order.periods[-1]
    return (
        claims.heads(destination.bucket, name, first, last),
        ledger.last(destination, name, first, last),
        table.exists(destination, name),
    )


def _is_loaded(head: Head | None, row: Settled | None, order: Order) -> bool:
    return (
        head is not None
        and row is not None
        and (row.n, row.status, row.contract_fingerprint) == (head.n, "loaded", order.contract.fingerprint)
    )


def _serves_the_same(landing: Landing, head: Head | None) -> bool:
    """Ask the publisher; trouble with the answer makes the partition due, where it is met and told again."""
    try:
        now = look(landing.published_at)
    except LandfallError as error:
        log.info("%s: %s", landing, error)
        return False
    return now.tell and head is not None and head.published == Published(landing.published_at, now)


def _landing(destination: Destination, order: Order, period: Partition, settled: dict[str, Settled]) -> Landing:
    row = settled.get(str(period))
    address = order.contract.address(period, order.publisher)
    return Landing(
        destination, order.contract, period, address, order.override, row.n if row else -1, order.flow_run_id
    )


def _plan(order: Order, landings: list[Landing], done: list[bool]) -> Plan:
    return Plan(
        order.contract.name,
        due=[landing for landing, is_done in zip(landings, done, strict=True) if not is_done],
        up_to_date=[landing.partition for landing, is_done in zip(landings, done, strict=True) if is_done],
    )
