"""Where the five differ, each with a name: facts in, divergences out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from flows.etl import lake_object
from flows.etl.lake_object import Stored
from flows.etl.reconcile.facts import Facts, Gathered

Name = Literal[
    "ledger row without claim",
    "rows without claim",
    "lake object gone",
    "lake object changed",
    "quarantine object gone",
    "superseded object left",
    "unclaimed object",
    "claim not loaded",
    "ledger row missing",
    "refused",
    "contract changed",
    "table dropped",
    "table made anew",
    "rows differ",
    "publisher changed",
    "publisher does not answer",
]
NAMES: tuple[Name, ...] = get_args(Name)


@dataclass(frozen=True, slots=True)
class Divergence:
    """One difference: `found` says what is there and what was expected; `item` is the object that it is about."""

    partition: str
    name: Name
    found: str
    item: Stored | None = None


def compare(gathered: Gathered) -> list[Divergence]:
    """Name each divergence, by partition. Equal counts are taken for equal rows: no query here reads them."""
    return [each for facts in gathered.partitions for each in _of_partition(gathered, facts)]


def _of_partition(gathered: Gathered, facts: Facts) -> Iterator[Divergence]:
    head, row = facts.head, facts.row
    if row and (head is None or row.n > head.n):
        newest = f"{head.n} as the newest" if head else "none"
        yield Divergence(facts.partition, "ledger row without claim", f"row of claim {row.n}, the log has {newest}")
        return  # a log that has lost entries says nothing of what else should be there
    yield from _of_lake(gathered, facts)
    if head is None and facts.rows:
        yield Divergence(facts.partition, "rows without claim", f"{facts.rows} rows in the table, the log has no claim")
    elif head is not None:
        yield from _of_warehouse(gathered, facts)
        yield from _of_publisher(facts)


def _of_lake(gathered: Gathered, facts: Facts) -> Iterator[Divergence]:
    own = facts.newest.lake_object if facts.newest else None
    there = {each.item.uri: each for each in facts.objects}
    mine = lake_object.owner(own.uri) if own else None
    if facts.newest and own:
        if own.uri not in there:
            yield Divergence(facts.partition, "lake object gone", f"no {own.uri}")
        elif (found := there[own.uri]).item != own:
            seen = f"{own.uri} at generation {found.item.generation}, claimed at {own.generation}"
            yield Divergence(facts.partition, "lake object changed", seen, found)
        aside = [each for each in there if lake_object.owner(each) == mine and each != own.uri]
        if facts.newest.puts_aside and not aside:
            yield Divergence(facts.partition, "quarantine object gone", f"no rows put aside beside {own.uri}")
    claimed = {lake_object.owner(uri) for uri in facts.claimed}
    for uri, each in there.items():
        if lake_object.owner(uri) == mine:
            continue
        if lake_object.owner(uri) in claimed:
            yield Divergence(facts.partition, "superseded object left", uri, each)
        elif each.created <= gathered.leftover_before:
            yield Divergence(facts.partition, "unclaimed object", uri, each)


def _of_warehouse(gathered: Gathered, facts: Facts) -> Iterator[Divergence]:
    """Name what ledger and table say of the newest claim; the first that holds explains the others."""
    head, row, newest, made = facts.head, facts.row, facts.newest, gathered.table_made
    if head is None or newest is None:
        return
    expected = f"{facts.rows} rows in the table, {newest.lake_rows} in the lake"
    what: tuple[Name, str] | None = None
    if row is None or row.n < head.n:
        there = made is not None and facts.rows == newest.lake_rows
        last = f"the ledger's last row is of claim {row.n}" if row else "the ledger has no row"
        what = ("ledger row missing" if there else "claim not loaded", f"claim {head.n}: {last}, {expected}")
    elif row.status == "refused":
        what = ("refused", f"claim {head.n}: BigQuery refused it, the old rows stand")
    elif row.contract_fingerprint != gathered.contract.fingerprint:
        what = ("contract changed", f"read by {row.contract_fingerprint}, now {gathered.contract.fingerprint}")
    elif made is None:
        what = ("table dropped", expected)
    elif row.loaded_at < made:
        what = ("table made anew", f"at {made:%Y-%m-%d %H:%M:%S}, after claim {head.n} was loaded; {expected}")
    elif facts.rows != newest.lake_rows:
        what = ("rows differ", expected)
    if what:
        yield Divergence(facts.partition, *what)


def _of_publisher(facts: Facts) -> Iterator[Divergence]:
    """Hold what the publisher says against what it said of the newest claim; one that tells nothing says nothing."""
    noted = facts.head.notes.published if facts.head else None
    if facts.trouble:
        yield Divergence(facts.partition, "publisher does not answer", facts.trouble)
    elif facts.served and facts.served.validators.tell and facts.served != noted:
        before = noted.validators if noted else "nothing"
        yield Divergence(facts.partition, "publisher changed", f"{facts.served.validators}, before {before}")
