"""How each partition stands, by ledger, log and tables alone: the publisher is not asked, and no row is read.

- `landed`: the newest claim is in the table, as the contract and its checks are now.
- `quarantined`: the same, and rows of the file were put aside, no more than the contract allows.
- `stale`: rows are in the table, and a run of now would do something about them: they were read under another
  contract (its fingerprint has changed), or not held against its present checks.
- `failed`: there is a newest claim and it is not in the table: BigQuery refused it, a run ended between claim and
  load (or is at work just now), or the log has lost entries. What the table held before stands.
- `missing`: nothing is in the table: the period was never claimed, or the table was dropped or made anew since.

A file that is refused before it is claimed (404, another form, failed checks) leaves no trace here: its partition
stays what it was. Whether the publisher has changed a file, `plan.from_web` and reconciliation ask; whether log, lake
and table hold what the ledger says, reconciliation does.
"""

import dataclasses
import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from flows.etl import landing_log, ledger, table
from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.errors import ContractError
from flows.etl.landing_log import Head
from flows.etl.partition import STYLES, Partition

CONTRACTS_AT_ONCE = 4  # whose logs and tables are asked for

State = Literal["failed", "missing", "stale", "quarantined", "landed"]
STATES: tuple[State, ...] = get_args(State)  # the worst first
IN_ORDER: frozenset[State] = frozenset({"quarantined", "landed"})  # nobody needs to do anything


@dataclass(frozen=True, slots=True)
class Said:
    """What the ledger says of a claim that BigQuery has loaded or refused."""

    n: int
    kind: str
    status: str
    source_bytes: int
    source_rows: int
    quarantined_rows: int
    warehouse_rows: int
    contract_fingerprint: str
    contract_revision: int
    last_modified: str | None
    claimed_at: dt.datetime | None
    loaded_at: dt.datetime

    @property
    def seconds(self) -> float | None:
        """From the claim, by storage's clock, to the end of its load job, by BigQuery's; fetching comes before it."""
        return (self.loaded_at - self.claimed_at).total_seconds() if self.claimed_at else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A partition's state and why; `held` is what the ledger says of the rows that are in the table, if any are."""

    contract: str
    partition: Partition
    state: State
    why: str
    held: Said | None

    def flat(self) -> dict[str, Any]:
        """Give it as one row, for programs; what is not known is None."""
        held = self.held
        return {
            "contract": self.contract,
            "partition": str(self.partition),
            "state": self.state,
            "why": self.why,
            "n": held and held.n,
            "kind": held and held.kind,
            "source_bytes": held and held.source_bytes,
            "source_rows": held and held.source_rows,
            "quarantined_rows": held and held.quarantined_rows,
            "warehouse_rows": held and held.warehouse_rows,
            "contract_revision": held and held.contract_revision,
            "last_modified": held and held.last_modified,
            "claimed_at": held and held.claimed_at,
            "loaded_at": held and held.loaded_at,
            "seconds": held and held.seconds,
        }


@dataclass(frozen=True, slots=True)
class Span:
    """Which periods are asked for: those of any grain that touch it. None: no bound."""

    first: dt.datetime | None = None
    end: dt.datetime | None = None  # not included

    @classmethod
    def read(cls, first: str | None, last: str | None) -> Self:
        """Read two periods of any grain, the second included.

        Raises:
            ContractError: one of them is no period, or they are in the wrong order.
        """
        begin, close = (_period(text) if text else None for text in (first, last))
        span = cls(begin.start if begin else None, close.next.start if close else None)
        if span.first and span.end and span.end <= span.first:
            raise ContractError(f"status: found {first} to {last}, expected the earlier first")
        return span

    def touches(self, partition: Partition) -> bool:
        """Tell whether a period is, in part, within; a snapshot always is."""
        if partition.start is None:
            return True
        end = partition.next.start
        return (self.end is None or partition.start < self.end) and (not self.first or not end or end > self.first)


ALWAYS = Span()


def _period(text: str) -> Partition:
    for grain in STYLES:
        try:
            return Partition.parse(grain, text)
        except ContractError:
            continue
    raise ContractError(
        f"status: found the period {text!r}, expected a year, month, day or hour:"
        " 2021, 2021-01, 2021-01-31, 2021-01-31T07"
    )


def read(
    destination: Destination, contracts: Sequence[Contract], now: dt.datetime, span: Span = ALWAYS
) -> dict[str, list[Standing]]:
    """Say how each partition of each contract stands, in order: those that should be there, and those that are.

    One query for all, and for each contract one listing of its log (a request for each thousand claims) and one look at
    its table.

    Args:
        destination: Which lake and warehouse.
        contracts: As they are now.
        now: In UTC: what should be there is what has been published by then, as the contract says.
        span: Which periods; all by default.
    """
    # the ledger first: a claim that is made meanwhile is then one that is not loaded, and none that the log has lost
    said = _ledger(destination, [each.name for each in contracts])
    with ThreadPoolExecutor(CONTRACTS_AT_ONCE) as pool:
        heads = pool.map(lambda each: landing_log.heads(destination.bucket, each.name), contracts)
        made = pool.map(lambda each: table.created(destination, each.name), contracts)
        return {
            contract.name: [
                judge(contract, each, known.get(str(each)), said[contract.name].get(str(each), {}), table_made)
                for each in _periods(contract, {*known, *said[contract.name]}, now)
                if span.touches(each)
            ]
            for contract, known, table_made in zip(contracts, heads, made, strict=True)
        }


def judge(
    contract: Contract,
    partition: Partition,
    head: Head | None,
    said: Mapping[str, Said],
    table_made: dt.datetime | None,
) -> Standing:
    """Give a partition's state.

    Args:
        contract: As it is now.
        partition: One of its periods.
        head: The log's newest claim.
        said: The ledger's newest rows, by status: `loaded`, `refused`.
        table_made: When the contract's table was made, None if it is absent: what was loaded before is not in it.
    """
    newest = max(said.values(), key=lambda row: (row.n, row.status == "loaded"), default=None)
    loaded = said.get("loaded")
    is_held = loaded is not None and table_made is not None and loaded.loaded_at >= table_made
    held = loaded if is_held else None

    state: State
    why = ""
    if head is None and newest is None:
        state, why = "missing", "never claimed"
    elif newest and (head is None or newest.n > head.n):
        state, why = "failed", f"the log has lost claim {newest.n}; reconcile"
    elif head and (newest is None or newest.n < head.n):
        state, why = "failed", f"claim {head.n} is not loaded: its run ended before, or is at work"
    elif newest and newest.status == "refused":
        state, why = "failed", f"BigQuery refused claim {newest.n}"
    elif held is None:
        state, why = "missing", f"the table was {'made anew' if table_made else 'dropped'} after it was loaded"
    elif held.contract_fingerprint != contract.fingerprint:
        state, why = "stale", _changed(held, contract)
    elif contract.checks_fingerprint not in (None, head.notes.checks if head else None):
        state, why = "stale", "not held against the contract's present checks"
    elif held.quarantined_rows:
        state, why = "quarantined", f"{held.quarantined_rows} of {held.source_rows} rows put aside"
    else:
        state = "landed"
    return Standing(contract.name, partition, state, why, held)


def _changed(held: Said, contract: Contract) -> str:
    if held.contract_revision != contract.revision:
        return f"read by revision {held.contract_revision} of the contract, which is at {contract.revision}"
    return f"read by {held.contract_fingerprint}, the contract is {contract.fingerprint} now"


def _periods(contract: Contract, found: Iterable[str], now: dt.datetime) -> list[Partition]:
    """Give the periods that should be there, and those found that are the contract's, before or after those."""
    try:
        expected = contract.periods(None, None, now)
    except ContractError:  # none has been published yet
        expected = []
    due = {str(each) for each in expected}
    others = []
    for name in set(found) - due:
        try:
            others += contract.periods(name, name, now)
        except ContractError:  # before its first, or dropped by BigQuery as its contract says
            continue
    return sorted([*expected, *others]) if others else expected


def _ledger(destination: Destination, contracts: list[str]) -> dict[str, dict[str, dict[str, Said]]]:
    """Read the newest loaded and the newest refused claim of each partition in one query.

    By contract, period and status.
    """
    names = ", ".join(each.name for each in dataclasses.fields(Said))
    query = f"""
        SELECT contract, `partition`, {names} FROM `{destination.table(ledger.TABLE)}`
        WHERE contract IN UNNEST(@contracts)
        QUALIFY ROW_NUMBER() OVER (PARTITION BY contract, `partition`, status ORDER BY n DESC) = 1
    """  # noqa: S608 - our own names
    config = bigquery.QueryJobConfig(
        query_parameters=[bigquery.ArrayQueryParameter("contracts", "STRING", contracts)], use_query_cache=False
    )
    said: dict[str, dict[str, dict[str, Said]]] = {name: defaultdict(dict) for name in contracts}
    try:
        rows = destination.warehouse.query(query, job_config=config, location=destination.location).result()
    except NotFound:  # nothing has landed in this dataset yet
        return said
    for contract, partition, *values in (row.values() for row in rows):
        row = Said(*values)
        said[contract][partition][row.status] = row
    return said


def counts(standings: Iterable[Standing]) -> dict[State, int]:
    """Count the partitions of each state, the worst first; states that none is in are left out."""
    found = sorted(STATES.index(each.state) for each in standings)
    return {STATES[index]: sum(1 for _ in group) for index, group in itertools.groupby(found)}
