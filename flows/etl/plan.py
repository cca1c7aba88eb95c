"""What is to be done: which partitions are up to date, and which are due."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flows.etl import landing_log, ledger, table
from flows.etl.contract import Contract
from flows.etl.contract.checks import Change
from flows.etl.destination import Destination
from flows.etl.errand import Errand
from flows.etl.errors import LandfallError, Terminal
from flows.etl.fetch import look
from flows.etl.landing import Landing
from flows.etl.landing_log import Head, Published
from flows.etl.partition import Partition
from flows.etl.served import ask_each, is_same, known, serves_the_same

CONTRACTS_AT_ONCE = 4  # whose logs and tables are asked for

log = logging.getLogger(__name__)
On = TypeVar("On", bound=Errand)


@dataclass(frozen=True, slots=True)
class Plan(Generic[On]):
    """The partitions of a run: each is due or up to date; some of the latter have not passed the present checks."""

    contract: str
    due: list[On]
    up_to_date: list[Partition]
    unchecked: list[On]


@dataclass(frozen=True, slots=True)
class Found:
    """What a survey finds of a partition: `why` it is to be landed, None if it is up to date.

    `announced_bytes` is its file's length as the publisher says it, None where it says none; `unchecked` is one that is
    up to date and whose rows have not passed the present checks.
    """

    landing: Landing
    why: str | None
    announced_bytes: int | None
    unchecked: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Name the contract and the period."""
        return self.landing.contract.name, str(self.landing.partition)


@dataclass(frozen=True, slots=True)
class Order:
    """What a run was asked for: periods of a contract, and an address in place of the contract's, or an older claim.

    `headers` are those that the contract names, with their secret values. `trusted` are addresses by whoever runs this
    process: their hosts may be anywhere, where others' must be public.
    """

    contract: Contract
    periods: list[Partition]
    publisher: str | None
    override: str | None = field(repr=False)
    flow_run_id: str | None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    trusted: tuple[str, ...] = field(default=(), repr=False)
    as_of: int | dt.datetime | None = None


def from_web(destination: Destination, order: Order) -> Plan[Landing]:
    """Find the partitions whose content the publisher has changed, or that are not settled.

    One query to the ledger, one listing of the log, and one HEAD request for each partition that is settled; nothing
    is written.
    """
    (settled,) = _settled(destination, [order])

    def is_up_to_date(landing: Landing) -> bool:
        if order.override or order.as_of is not None:
            return False
        return settled.holds(landing) and serves_the_same(landing, settled.published(landing))

    landings = settled.landings()
    return _plan(order, landings, ask_each(landings, is_up_to_date), settled)


def survey(destination: Destination, orders: Sequence[Order]) -> list[Found]:
    """Find what stands in the way of each partition's being up to date, and how big the files are.

    One query to the ledger for all contracts, one listing of each one's log, and one HEAD request for each partition;
    nothing is written.
    """
    found: list[Found] = []
    for settled in _settled(destination, orders):
        found += ask_each(settled.landings(), lambda landing, settled=settled: _find(settled, landing))  # type: ignore[misc]
    return found


def from_lake(destination: Destination, order: Order) -> Plan[Landing]:
    """Find the partitions whose newest claim is not in the table; the publisher is not asked."""
    (settled,) = _settled(destination, [order])
    landings = settled.landings()
    return _plan(order, landings, [settled.holds(landing) for landing in landings], settled)


def landings(destination: Destination, order: Order) -> list[Landing]:
    """Give a landing for each period of an order, due or not; one query and one listing."""
    (settled,) = _settled(destination, [order])
    return settled.landings()


def _settled(destination: Destination, orders: Sequence[Order]) -> list["_Settled"]:
    """Read what log, ledger and table say: the ledger in one query, the others some at once."""
    spans = [_Span(order) for order in orders]
    with ThreadPoolExecutor(CONTRACTS_AT_ONCE) as pool:
        heads = list(pool.map(lambda each: landing_log.heads(destination.bucket, each.name, *each.of_log), spans))
        rows = ledger.last(destination, [(each.name, *each.of_ledger) for each in spans])
        made = pool.map(lambda each: table.created(destination, each.name), spans)
        return [
            _Settled(destination, order, known, rows[each.name], table_made)
            for order, each, known, table_made in zip(orders, spans, heads, made, strict=True)
        ]


class _Span:
    """Which periods are asked for of an order."""

    def __init__(self, order: Order) -> None:
        first, last = order.periods[0], order.periods[-1]
        self.name = order.contract.name
        self.of_log = first, last
        self.of_ledger = (first.previous if _compares(order.contract) else first), last


def _compares(agreed: Contract) -> bool:
    """Tell whether a check asks for the rows of the period before."""
    return any(isinstance(check, Change) for check in agreed.checks)


class _Settled:
    """What log, ledger and table say of the partitions of an order, read once."""

    def __init__(
        self,
        destination: Destination,
        order: Order,
        heads: Mapping[str, Head],
        rows: Mapping[str, ledger.Settled],
        table_made: dt.datetime | None,
    ) -> None:
        self._destination, self._order = destination, order
        self._heads, self._rows, self._table_made = heads, rows, table_made
        self._compares = _compares(order.contract)

    def holds(self, landing: Landing) -> bool:
        """Tell whether the newest claim is in the table, read under this contract."""
        return self.lacks(landing) is None

    def lacks(self, landing: Landing) -> str | None:
        """Say what the newest claim lacks to be in the table, read under this contract; None if nothing.

        The newest by the log, not by the ledger: a claim whose run was killed may still load. And in this table: what
        was loaded before it was made (again) is not there.
        """
        head, row = self._heads.get(str(landing.partition)), self._rows.get(str(landing.partition))
        if head is None:
            return "new"
        if row is None or row.n != head.n:
            return "not finished"
        if row.status != "loaded":
            return row.status
        if self._table_made is None or row.loaded_at < self._table_made:
            return "not in the table"
        return None if row.contract_fingerprint == self._order.contract.fingerprint else "contract changed"

    def published(self, landing: Landing) -> Published | None:
        """Give what the publisher answered for the newest claim's content."""
        head = self._heads.get(str(landing.partition))
        return head.notes.published if head else None

    def passed_checks(self, landing: Landing) -> bool:
        """Tell whether the newest claim's rows were held against the contract's present checks, or it has none."""
        head, wanted = self._heads.get(str(landing.partition)), self._order.contract.checks_fingerprint
        return wanted is None or (head is not None and head.notes.checks == wanted)

    def landings(self) -> list[Landing]:
        """Give a landing for each period."""
        order = self._order
        return [
            Landing(
                self._destination,
                order.contract,
                period,
                order.contract.address(period, order.publisher),
                order.override,
                self._rows[str(period)].n if str(period) in self._rows else -1,
                order.flow_run_id,
                self._rows_before(period),
                order.headers,
                order.trusted,
                order.as_of,
            )
            for period in order.periods
        ]

    def _rows_before(self, period: Partition) -> int | None:
        row = self._rows.get(str(period.previous)) if self._compares else None
        return row.lake_rows if row and row.status == "loaded" else None


def _find(settled: _Settled, landing: Landing) -> Found:
    """Look at one partition; trouble with the publisher's answer makes it due, where it is met and told again."""
    lacks, published = settled.lacks(landing), settled.published(landing)
    try:
        now = look(landing.published_at, landing.headers, known(landing, published), landing.reach)
    except LandfallError as error:
        log.info("%s: %s", landing, error)
        trouble = "not served" if isinstance(error, Terminal) else "no answer"
        return Found(landing, f"{lacks}, {trouble}" if lacks else trouble, None)
    if lacks or not is_same(landing, published, now):
        return Found(landing, lacks or "published anew", now.length)
    return Found(landing, None, now.length, not settled.passed_checks(landing))


def _plan(order: Order, landings: list[Landing], done: list[bool], settled: _Settled) -> Plan[Landing]:
    up_to_date = [landing for landing, is_done in zip(landings, done, strict=True) if is_done]
    return Plan(
        order.contract.name,
        due=[landing for landing, is_done in zip(landings, done, strict=True) if not is_done],
        up_to_date=[landing.partition for landing in up_to_date],
        unchecked=[landing for landing in up_to_date if not settled.passed_checks(landing)],
    )
