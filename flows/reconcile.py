"""Hold publisher, log, lake, warehouse and ledger against each other, and mend what differs when asked.

python flows/reconcile.py flights --mend
"""

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from prefect import flow
from rich.markup import escape
from rich.table import Table

from flows import settings, tasks
from flows.artifacts import upkeep
from flows.connection import connect
from flows.etl.reconcile.divergence import Divergence
from flows.etl.reconcile.mend import Mended
from flows.etl.reconcile.twice import Compared
from flows.logs import join_run_log
from flows.order import every_order
from flows.report import RunFailed, told

LEFT_OVER_AFTER = dt.timedelta(days=1)  # an unclaimed object that is younger may belong to a landing at work


@dataclass(frozen=True, slots=True)
class Line:
    """A divergence, and what mending said of it, if it was asked for."""

    contract: str
    divergence: Divergence
    said: str
    is_mended: bool


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was compared, and each divergence; `tried` says whether mending was asked for."""

    partitions: int
    found: list[Line]
    tried: bool

    @property
    def line(self) -> str:
        """Give the last line."""
        counts = [f"{self.partitions} partition{'' if self.partitions == 1 else 's'} compared"]
        counts.append(f"{len(self.found)} divergence{'' if len(self.found) == 1 else 's'}")
        if self.tried:
            counts.append(f"{sum(each.is_mended for each in self.found)} mended")
        return ", ".join(counts)

    @property
    def holds(self) -> bool:
        """Say whether nothing differs, or not any more."""
        return all(each.is_mended for each in self.found)

    def failure(self) -> RunFailed:
        """Say what still differs."""
        left = [
            f"{each.contract} {each.divergence.partition}: {each.divergence.name}"
            for each in self.found
            if not each.is_mended
        ]
        return RunFailed("; ".join([self.line, *left]), self)

    def table(self) -> Table:
        """Draw one row for each divergence."""
        table = Table(title="divergences")
        for name in ("contract", "partition", "divergence", "found", "mended"):
            table.add_column(name, overflow="fold")
        for line in self.found:
            each = line.divergence
            cells = (line.contract, each.partition, each.name, each.found, line.said)
            table.add_row(*(escape(cell) for cell in cells))
        return table


Partition = tuple[str, str]  # contract and period


def _mend(compared: list[Compared]) -> dict[Partition, Mended | str]:
    """Mend each partition that diverges; gives what was done, or why it failed: one does not stop the others."""
    futures = {
        (each.gathered.contract.name, name): tasks.mend.submit(each.gathered.landings[name], list(divergences))
        for each in compared
        for name, divergences in groupby(each.divergences, key=lambda divergence: divergence.partition)
    }
    outcomes = {where: future.result(raise_on_failure=False) for where, future in futures.items()}
    return {
        where: outcome if isinstance(outcome, Mended) else f"failed: {outcome}" for where, outcome in outcomes.items()
    }


def _report(compared: list[Compared], mended: dict[Partition, Mended | str]) -> Reconciled:
    lines = []
    for each in compared:
        contract = each.gathered.contract.name
        for divergence in each.divergences:
            outcome = mended.get((contract, divergence.partition))
            if isinstance(outcome, Mended):
                is_mended = divergence.name not in outcome.left
                lines.append(Line(contract, divergence, outcome.done if is_mended else "by hand", is_mended))
            else:
                lines.append(Line(contract, divergence, outcome or "", is_mended=False))
    return Reconciled(sum(len(each.gathered.partitions) for each in compared), lines, bool(mended))


@flow(  # a name without a hyphen: infra/alerts.tf
    name="reconcile", flow_run_name="reconcile", task_runner=tasks.FOUR_AT_ONCE
)
def reconcile(contract: str | None = None, mend: bool = False) -> Reconciled:
    """Name each divergence of what has landed, and mend it if asked.

    Args:
        contract: The data set: a file in flows/contracts/; all that have landed something if it is left out.
        mend: Land again, load again, write into the ledger again, move or remove objects: whatever mends it.
    """
    join_run_log(*([contract] if contract else []))
    values = settings.read()
    destination = connect(values)
    orders = every_order(values, destination, contract)
    compared = [tasks.compare(destination, order, LEFT_OVER_AFTER) for order in orders]
    report = _report(compared, _mend(compared) if mend else {})
    return told(report, values.environment, "reconcile", upkeep.of_reconciliation(report))


if __name__ == "__main__":
    from flows.by_hand import run

    run(reconcile)
