"""What a backfill was to do and what became of it: a row for each partition, and how fast it goes."""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rich.filesize import decimal
from rich.table import Table

from flows.artifacts import sending
from flows.etl.partition import Partition
from flows.etl.plan import Found
from flows.report import RunFailed

Status = Literal["landed", "re-checked", "up to date", "failed", "at work", "scheduled", "not begun"]
SHOWN: tuple[Status, ...] = ("landed", "failed", "up to date", "re-checked", "at work", "scheduled", "not begun")
LEFT: tuple[Status, ...] = ("failed", "at work", "scheduled", "not begun")

EACH_BYTES = 1_000_000  # what a partition costs besides its bytes, in time, as if there were so many more

log = logging.getLogger("flows.etl.backfill")  # below flows.etl, which goes to the run's log in Prefect


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one partition. Counts are those of what it holds now, None where nothing was landed."""

    contract: str
    partition: str
    status: Status
    why: str | None = None
    source_bytes: int | None = None
    source_rows: int | None = None
    quarantined_rows: int | None = None
    warehouse_rows: int | None = None
    flow_run_id: str | None = None


class Watch(Protocol):
    """Who is told how a backfill goes on."""

    def begin(self, work: Sequence[Found]) -> None:
        """Hear what there is to do, once, before any of it is begun."""

    def end(self, found: Found, ended: Ended) -> None:
        """Hear of one partition that came to its end."""

    def wait(self, at_work: int, scheduled: int) -> None:
        """Hear how many partitions are at work elsewhere, and how many wait."""

    def stop(self) -> None:
        """Hear that nothing more is begun."""


@dataclass(slots=True)
class Pace:
    """How far a backfill has come, and how long the rest takes.

    By bytes if the publisher announced all files' lengths, by partitions if not.
    """

    work: Sequence[Found]
    clock: Callable[[], float] = time.monotonic
    number: int = 0
    read_bytes: int = 0
    _weight: int = 0
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def total_bytes(self) -> int | None:
        """Sum what the publisher announced; None unless it did for all."""
        known = [each.announced_bytes for each in self.work if each.announced_bytes is not None]
        return sum(known) if len(known) == len(self.work) else None

    def end(self, found: Found) -> None:
        """Count one partition."""
        self.number += 1
        self.read_bytes += found.announced_bytes or 0
        self._weight += self._of(found)

    @property
    def share(self) -> float:
        """Say how much of the work has come to its end, from 0 to 1."""
        return self._weight / (sum(map(self._of, self.work)) or 1)

    @property
    def line(self) -> str:
        """Say it in one line: partitions, bytes a second, time left."""
        return f"{self.number} of {len(self.work)} partitions, {self.rate}"

    @property
    def rate(self) -> str:
        """Say the same without the count of partitions."""
        passed = max(self.clock() - self._started, 1e-3)
        said: list[str] = []
        if self.total_bytes:
            said += [f"{decimal(self.read_bytes)} of {decimal(self.total_bytes)}"]
            said += [f"{decimal(round(self.read_bytes / passed))}/s"]
        else:
            said += [f"{self.number / passed * 60:.1f} a minute"]
        if self._weight and self.number < len(self.work):
            left = passed * (sum(map(self._of, self.work)) / self._weight - 1)
            said += [f"{dt.timedelta(seconds=round(left))} left"]
        return ", ".join(said)

    def _of(self, found: Found) -> int:
        return EACH_BYTES + (found.announced_bytes or 0) if self.total_bytes else 1


@dataclass(frozen=True, slots=True)
class Backfilled:
    """The outcome of a backfill: one entry a partition, by contract and period as they were asked for.

    `stopped` says that somebody stopped it.
    """

    ended: list[Ended]
    stopped: bool = False

    @property
    def failed(self) -> list[Ended]:
        """Give those that failed."""
        return [each for each in self.ended if each.status == "failed"]

    @property
    def line(self) -> str:
        """Give the last line: how many partitions came to which end, then the row equation over those that landed."""
        counts = Counter(each.status for each in self.ended)
        said = [(counts[status], status) for status in SHOWN if counts[status]] or [(0, "landed")]
        (first, status), *others = said
        line = f"{first} partition{'' if first == 1 else 's'} {status}"
        line += "".join(f", {n} {what}" for n, what in others)
        if not counts["landed"]:
            return line
        source, loaded, quarantined = self._rows
        sign = "=" if source == loaded + quarantined else "!="
        return f"{line}: {source} source rows {sign} {loaded} loaded + {quarantined} quarantined"

    @property
    def holds(self) -> bool:
        """Whether every partition that was asked for is in the table, and every row with it; and nobody stopped it."""
        source, loaded, quarantined = self._rows
        is_all = not any(each.status in LEFT for each in self.ended)
        return is_all and source == loaded + quarantined and not self.stopped

    def failure(self) -> "BackfillIncomplete":
        """Say which partitions failed, and why; or that somebody stopped it."""
        return BackfillIncomplete(self)

    @property
    def _rows(self) -> tuple[int, int, int]:
        landed = [each for each in self.ended if each.status == "landed"]
        return (
            sum(each.source_rows or 0 for each in landed),
            sum(each.warehouse_rows or 0 for each in landed),
            sum(each.quarantined_rows or 0 for each in landed),
        )

    def table(self) -> Table:
        """Draw one row for each contract."""
        table = Table(title="backfill")
        table.add_column("contract", no_wrap=True)
        shown = [status for status in SHOWN if any(each.status == status for each in self.ended)]
        for name in (*shown, "read", "rows", "quarantined"):
            table.add_column(name, justify="right")
        for contract in dict.fromkeys(each.contract for each in self.ended):
            its = [each for each in self.ended if each.contract == contract]
            counts = Counter(each.status for each in its)
            landed = [each for each in its if each.status == "landed"]
            read = decimal(sum(each.source_bytes or 0 for each in landed))
            rows = sum(each.warehouse_rows or 0 for each in landed)
            quarantined = sum(each.quarantined_rows or 0 for each in landed)
            numbers = [str(counts[status] or "") for status in shown]
            table.add_row(contract, *numbers, *((read, f"{rows:,}", f"{quarantined:,}") if landed else ()))
        return table


class BackfillIncomplete(RunFailed):
    """A backfill that failed in part, or that somebody stopped; its `report` says what is left."""

    def __init__(self, report: Backfilled) -> None:
        whys = [f"{each.contract} {each.partition}: {each.why}" for each in report.failed]
        super().__init__("; ".join(["stopped: " * report.stopped + report.line, *whys]), report)
        self.report: Backfilled = report


@dataclass(slots=True)
class Told:
    """Tells the run's log how a backfill goes on, and whoever else watches it."""

    watch: Watch | None
    stopped: bool = False
    _pace: Pace = field(default_factory=lambda: Pace([]))

    def begin(self, work: Sequence[Found]) -> None:
        """Tell what there is to do."""
        self._pace = Pace(work)
        if self.watch:
            self.watch.begin(work)

    def end(self, found: Found, ended: Ended) -> None:
        """Tell of one partition that came to its end."""
        self._pace.end(found)
        if ended.status == "failed":
            log.error("%s failed: %s; %s", found.landing, ended.why, self._pace.line)
        else:
            log.info("%s %s; %s", found.landing, ended.status, self._pace.line)
        if self.watch:
            self.watch.end(found, ended)

    def wait(self, at_work: int, scheduled: int) -> None:
        """Tell how many partitions are at work elsewhere, and how many wait."""
        if self.watch:
            self.watch.wait(at_work, scheduled)

    @property
    def share(self) -> float:
        """Say how much of the work has come to its end, from 0 to 1."""
        return self._pace.share

    def stop(self, what_goes_on: str) -> None:
        """Tell that nothing more is begun, and remember it."""
        self.stopped = True
        if self.watch:
            self.watch.stop()
        log.warning("stopped: %s", what_goes_on)


Land = Callable[[Sequence[Found], Told], list[Ended]]


def gather(found: Sequence[Found], land: Land, watch: Watch | None) -> Backfilled:
    """Land what is due, and say what became of everything that was found."""
    due = [each for each in found if each.why or each.unchecked]
    told = Told(watch)
    told.begin(due)
    with sending.progress(lambda: told.share):
        ended = {(each.contract, each.partition): each for each in land(due, told)}
    return Backfilled([ended.get(each.key) or _without_an_end(each) for each in found], told.stopped)


def _without_an_end(found: Found) -> Ended:
    return Ended(*found.key, "not begun" if found.why or found.unchecked else "up to date")


def periods(partitions: Iterable[Partition]) -> str:
    """Say periods, which are in order, in few words: `2013-01 to 2013-03, 2013-05`."""
    spans: list[list[Partition]] = []
    for each in partitions:
        if spans and each.start and spans[-1][-1].next == each:
            spans[-1].append(each)
        else:
            spans.append([each])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans)
