"""What is drawn: for each contract a strip of cells in time.

Hours and days share their month's cell; if all that is shown lies within two months, hours share their day's.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from flows.etl.partition import Grain, Partition
from flows.etl.status import IN_ORDER, STATES, Standing, State, counts

CLOSE_DAYS = 62  # no longer than this, and each day has a cell
EACH: dict[Grain, str] = {"hour": "hourly", "day": "daily", "month": "monthly", "year": "yearly", "none": "snapshot"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One period, or a month's or a day's shorter ones: `period` covers them, `standings` are at least one."""

    period: Partition
    standings: tuple[Standing, ...]

    @property
    def state(self) -> State:
        """The worst of its partitions'."""
        return min((each.state for each in self.standings), key=STATES.index)

    @property
    def counts(self) -> dict[State, int]:
        """How many partitions are in each state, the worst first."""
        return counts(self.standings)

    @property
    def is_one(self) -> bool:
        """Say whether it is one partition of the contract, and no sum."""
        return self.period == self.standings[0].partition

    @property
    def rows(self) -> int:
        """How many rows are in the table."""
        return sum(each.held.warehouse_rows for each in self.standings if each.held)


@dataclass(frozen=True, slots=True)
class Strip:
    """A contract's cells in order, and what it is in sum; no cell if no period of it has been published yet."""

    name: str
    grain: Grain
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, name: str, grain: Grain, standings: Sequence[Standing], *, is_close: bool = False) -> Self:
        """Gather a contract's partitions, which come in order, into months, or closely into days."""
        groups = itertools.groupby(standings, key=lambda each: _covering(each.partition, is_close=is_close))
        return cls(name, grain, tuple(Cell(period, tuple(group)) for period, group in groups))

    @property
    def each(self) -> str:
        """Say how long a file's period is."""
        return EACH[self.grain]

    @property
    def standings(self) -> list[Standing]:
        """All partitions."""
        return [each for cell in self.cells for each in cell.standings]

    @property
    def counts(self) -> dict[State, int]:
        """How many partitions are in each state, the worst first."""
        return counts(self.standings)

    @property
    def rows(self) -> int:
        """How many rows are in the table."""
        return sum(cell.rows for cell in self.cells)

    @property
    def source_bytes(self) -> int:
        """How many bytes the publisher's files have that these rows are from."""
        return sum(each.held.source_bytes for each in self.standings if each.held)

    @property
    def seconds(self) -> float | None:
        """From claim to load, the median."""
        known = [each.held.seconds for each in self.standings if each.held and each.held.seconds is not None]
        return median(known) if known else None

    @property
    def loaded_at(self) -> dt.datetime | None:
        """When something was last loaded."""
        return max((each.held.loaded_at for each in self.standings if each.held), default=None)

    @property
    def through(self) -> Partition | None:
        """The last period that has rows in the table."""
        return max((each.partition for each in self.standings if each.held), default=None)

    @property
    def behind(self) -> int:
        """How many periods that should be in the table come after the last that is."""
        return sum(1 for _ in itertools.takewhile(lambda each: not each.held, reversed(self.standings)))


@dataclass(frozen=True, slots=True)
class Board:
    """All of it: which environment, when it was asked, and a strip for each contract; closely, days have cells."""

    environment: str
    at: dt.datetime
    strips: tuple[Strip, ...]
    is_close: bool

    @classmethod
    def of(cls, environment: str, at: dt.datetime, found: Mapping[str, tuple[Grain, Sequence[Standing]]]) -> Self:
        """Arrange what `status.read` has found, contract by contract."""
        is_close = _is_close(each.partition for _, standings in found.values() for each in standings)
        strips = (Strip.of(name, grain, each, is_close=is_close) for name, (grain, each) in found.items())
        return cls(environment, at, tuple(strips), is_close)

    @property
    def standings(self) -> list[Standing]:
        """All partitions of all contracts."""
        return [each for strip in self.strips for each in strip.standings]

    @property
    def is_in_order(self) -> bool:
        """Say whether something is to land here, and nobody needs to do anything."""
        return bool(self.strips) and all(each.state in IN_ORDER for each in self.standings)

    @property
    def line(self) -> str:
        """Say it in one line."""
        found = counts(self.standings)
        total = sum(found.values())
        said = [f"{found[state]} {state}" for state in reversed(STATES) if state in found]
        return f"{total} partition{'' if total == 1 else 's'}: {', '.join(said)}" if total else "no partitions"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Periods one after the other that are in the same state for the same reason."""

    contract: str
    first: Partition
    last: Partition
    count: int
    state: State
    why: str

    @property
    def periods(self) -> str:
        """Name them."""
        return str(self.first) if self.count == 1 else f"{self.first} to {self.last}, {self.count}"


def troubles(standings: Iterable[Standing]) -> list[Trouble]:
    """List what somebody should look at, in the given order; neighbours with the same reason in one."""
    found = []
    for (contract, state, why), group in itertools.groupby(standings, key=lambda x: (x.contract, x.state, x.why)):
        if state not in IN_ORDER:
            first, *more = (each.partition for each in group)
            found.append(Trouble(contract, first, more[-1] if more else first, 1 + len(more), state, why))
    return found


def _covering(partition: Partition, *, is_close: bool) -> Partition:
    """Give the month of a day or an hour, or closely the day of an hour; others are their own cell."""
    if partition.start is None or partition.grain not in ("day", "hour"):
        return partition
    if is_close:
        return Partition("day", partition.start.replace(hour=0))
    return Partition("month", partition.start.replace(day=1, hour=0))


def _is_close(partitions: Iterable[Partition]) -> bool:
    """Say whether all lie within two months, and some are of a day or an hour."""
    timed = [each for each in partitions if each.start]
    if not any(each.grain in ("day", "hour") for each in timed):
        return False
    first, end = (
        min(each.start for each in timed if each.start),
        max(each.next.start for each in timed if each.next.start),
    )
    return end - first <= dt.timedelta(days=CLOSE_DAYS)
