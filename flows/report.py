"""What a run says in the end: a row for each partition, and one line that holds only when the sums do."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed
from prefect.states import Completed, Failed
from rich.markup import escape
from rich.table import Table

from flows.artifacts import sending
from flows.artifacts.artifact import Artifact
from flows.etl import gauge
from flows.etl.errors import LandfallError
from flows.etl.plan import Plan
from flows.etl.recheck import Rechecked
from flows.tasks import Done

NUMBERS = ("source_bytes", "source_rows", "quarantined_rows", "lake_rows", "warehouse_rows", "job_id", "seconds")

log = logging.getLogger("flows.etl.report")


class Outcome(Protocol):
    """What a flow gives back, for people: a table, a last line, and what is wrong if not all came out as it should."""

    @property
    def line(self) -> str:
        """Give the last line."""

    @property
    def holds(self) -> bool:
        """Say whether the exit code is 0."""

    def failure(self) -> "RunFailed":
        """Give the error that says what is wrong where it does not hold."""

    def table(self) -> Table:
        """Draw the rows."""


class RunFailed(LandfallError):
    """A run that did not come out as it should; its `report` says what did and what did not."""

    def __init__(self, message: str, report: Outcome) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a run: partitions done, up to date and failed. `verb` is `landed` or `claimed`.

    `rechecked` are those up to date whose rows were held against changed checks, and passed.
    """

    contract: str
    verb: str
    done: list[Done]
    up_to_date: list[str]
    failed: dict[str, str] = field(default_factory=dict)
    rechecked: list[Rechecked] = field(default_factory=list)

    @property
    def warnings(self) -> dict[str, tuple[str, ...]]:
        """Give what checks warn of, by partition."""
        said = {done.claim.partition: done.warnings for done in self.done}
        said |= {checked.partition: checked.warnings for checked in self.rechecked}
        return {partition: warnings for partition, warnings in said.items() if warnings}

    @property
    def line(self) -> str:
        """Give the last line: counts of partitions, then the row equation over those that were done."""
        counts = [(len(self.done), self.verb), (len(self.failed), "failed"), (len(self.up_to_date), "up to date")]
        counts += [(len(self.rechecked), "re-checked"), (len(self.warnings), "with warnings")]
        said = [(n, what) for n, what in counts if n]
        (first, verb), *others = said
        line = f"{first} partition{'' if first == 1 else 's'} {verb}"
        line += "".join(f", {n} {what}" for n, what in others)
        if not self.done:
            return line
        source, arrived, quarantined = self._rows
        where = "loaded" if self.verb == "landed" else "in the lake"
        sign = "=" if source == arrived + quarantined else "!="
        return f"{line}: {source} source rows {sign} {arrived} {where} + {quarantined} quarantined"

    def progress(self, number: int, of: int, started: float) -> str:
        """Say how far a run has come: partitions, bytes read, rows a second since *started* (monotonic)."""
        rows = sum(done.claim.source_rows for done in self.done)
        megabytes = sum(done.claim.source_bytes for done in self.done) / 1e6
        rate = rows / (time.monotonic() - started)
        return f"{number} of {of} partitions, {megabytes:.1f} MB, {rows:,} rows, {rate:,.0f} rows/s"

    @property
    def holds(self) -> bool:
        """Whether every partition came through, and every row with it."""
        source, arrived, quarantined = self._rows
        return not self.failed and source == arrived + quarantined

    @property
    def _rows(self) -> tuple[int, int, int]:
        """Sum what the source held, what arrived and what was quarantined."""
        return (
            sum(done.claim.source_rows for done in self.done),
            sum(done.loaded.warehouse_rows if done.loaded else done.claim.lake_rows or 0 for done in self.done),
            sum(done.claim.quarantined_rows for done in self.done),
        )

    def rows(self) -> list[dict[str, Any]]:
        """Give one row for each partition, for programs: named as in `landfall backfill --json`, and more of each."""
        found = [
            {"partition": done.claim.partition, "status": self.verb, "why": None, **_numbers(done)}
            for done in self.done
        ]
        rechecked = {each.partition for each in self.rechecked}
        found += [
            {"partition": each, "status": "up to date", "why": None}
            for each in self.up_to_date
            if each not in rechecked
        ]
        found += [{"partition": each.partition, "status": "re-checked", "why": None} for each in self.rechecked]
        found += [{"partition": each, "status": "failed", "why": why} for each, why in self.failed.items()]
        nothing, warnings = dict.fromkeys(NUMBERS), self.warnings
        return [
            {"contract": self.contract, **nothing, **row, "warnings": warnings.get(str(row["partition"]), ())}
            for row in sorted(found, key=lambda row: str(row["partition"]))
        ]

    def failure(self) -> "PartitionsFailed":
        """Say which partitions failed, and why."""
        return PartitionsFailed(self)

    def table(self) -> Table:
        """Draw one row for each partition."""
        table = Table(title=f"{self.contract}: {self.verb}")
        table.add_column("partition", no_wrap=True)
        for name in ("source rows", "quarantined", "lake rows", "warehouse rows", "load job", "seconds"):
            table.add_column(name, justify="left" if name == "load job" else "right", overflow="fold")
        rows = {done.claim.partition: _cells(done) for done in self.done}
        rows |= {partition: ["", "", "", "", "up to date", ""] for partition in self.up_to_date}
        rows |= {
            partition: ["", "", "", "", f"[red]failed:[/] {escape(why)}", ""] for partition, why in self.failed.items()
        }
        rows |= {checked.partition: ["", "", "", "", "up to date, re-checked", ""] for checked in self.rechecked}
        for partition, warnings in self.warnings.items():
            rows[partition][4] += "".join(f"\n[yellow]warning:[/] {escape(each)}" for each in warnings)
        for partition in sorted(rows):
            table.add_row(partition, *rows[partition])
        return table


class PartitionsFailed(RunFailed):
    """Some partitions failed; the others are as the report says."""

    def __init__(self, report: Report) -> None:
        super().__init__("; ".join([report.line, *(f"{name}: {why}" for name, why in report.failed.items())]), report)


Given = TypeVar("Given", bound=Outcome)


def told(report: Given, environment: str, subject: str, artifacts: Sequence[Artifact] = ()) -> Given:
    """Tell people in Prefect's UI what came of a run: artifacts, and its state with the last line, or what is wrong.

    Only to be returned by a flow: Prefect takes the state for the run's, and gives the caller what it holds, the
    report. A state that is given says what we say, where one that Prefect makes of an error begins with "encountered an
    exception", and writes a traceback into the log.

    Raises:
        RunFailed: to the flow's caller, where the report does not hold.
    """
    sending.publish(environment, subject, artifacts)
    state: State[Any]
    if report.holds:
        state = Completed(message=report.line, data=report)
    else:
        failure = report.failure()
        state = Failed(message=str(failure), data=failure)
    return cast(Given, state)


def gather(
    plan: Plan[Any], verb: str, futures: list[PrefectFuture[Done]], rechecks: Sequence[PrefectFuture[Rechecked]] = ()
) -> Report:
    """Wait for every partition, telling of each as it comes; one that fails does not stop the others."""
    started = time.monotonic()
    at_work: list[PrefectFuture[Any]] = [*futures, *rechecks]
    landings = [*plan.due, *(plan.unchecked if rechecks else [])]
    open_ = {future.task_run_id: str(landing.partition) for future, landing in zip(at_work, landings, strict=True)}
    report = Report(plan.contract, verb, [], [str(partition) for partition in plan.up_to_date])

    def share() -> float:
        return _share(plan.contract, len(at_work), [*open_.values()])

    with sending.progress(share):
        for future in as_completed(at_work):
            outcome: object = future.result(raise_on_failure=False)
            partition = open_.pop(future.task_run_id)
            if isinstance(outcome, Done):
                report.done.append(outcome)
                number = len(report.done)
                log.info("%s %s %s; %s", plan.contract, partition, verb, report.progress(number, len(futures), started))
            elif isinstance(outcome, Rechecked):
                report.rechecked.append(outcome)
                log.info("%s %s re-checked", plan.contract, partition)
            else:
                report.failed[partition] = str(outcome)
                log.error("%s %s failed: %s", plan.contract, partition, outcome)
    report.up_to_date[:] = [partition for partition in report.up_to_date if partition not in report.failed]
    report.done.sort(key=lambda done: done.claim.partition)
    report.rechecked.sort(key=lambda checked: checked.partition)
    return report


def _numbers(done: Done) -> dict[str, Any]:
    claim, loaded = done.claim, done.loaded
    return {
        "source_bytes": claim.source_bytes,
        "source_rows": claim.source_rows,
        "quarantined_rows": claim.quarantined_rows,
        "lake_rows": claim.lake_rows,
        "warehouse_rows": loaded.warehouse_rows if loaded else None,
        "job_id": loaded.job_id if loaded else None,
        "seconds": round(done.seconds, 1),
    }


def _share(contract: str, of: int, open_: Sequence[str]) -> float:
    """Say how far a run has come: what was read of a file is most of its partition's work, and never all."""
    begun = sum(gauge.share(f"{contract} {partition}") for partition in open_)
    return (of - len(open_) + 0.9 * begun) / of if of else 1.0


def _cells(done: Done) -> list[str]:
    claim, loaded = done.claim, done.loaded
    return [
        str(claim.source_rows),
        str(claim.quarantined_rows),
        "" if claim.lake_rows is None else str(claim.lake_rows),
        str(loaded.warehouse_rows) if loaded else "",
        (loaded.job_id or "") if loaded else "",
        f"{done.seconds:.1f}",
    ]
