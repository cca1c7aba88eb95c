"""Remove what landings that died have left in the lake: objects that no claim names.

python flows/sweep.py flights --dry-run
"""

import datetime as dt
from dataclasses import dataclass

from prefect import flow
from rich.markup import escape
from rich.table import Table

from flows import settings, tasks
from flows.artifacts import upkeep
from flows.connection import connect
from flows.etl import contract as contracts
from flows.etl.lake_object import Stored
from flows.logs import join_run_log
from flows.report import RunFailed, told


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed, or in a dry run would remove."""

    found: list[Stored]
    dry_run: bool

    @property
    def line(self) -> str:
        """Give the last line: how many objects, and their size."""
        what = f"{len(self.found)} object{'' if len(self.found) == 1 else 's'}"
        said = "would be removed" if self.dry_run else "removed"
        return f"{what} {said}, {sum(each.size_bytes for each in self.found):,} bytes"

    @property
    def holds(self) -> bool:
        """Say yes: an object that was left is no failure."""
        return True

    def failure(self) -> RunFailed:
        """Say what was found, though it never fails."""
        return RunFailed(self.line, self)

    def table(self) -> Table:
        """Draw one row for each object."""
        table = Table(title="objects that no claim names")
        for name in ("object", "bytes", "created"):
            table.add_column(name, justify="right" if name == "bytes" else "left", overflow="fold")
        for each in self.found:
            table.add_row(escape(each.item.uri), f"{each.size_bytes:,}", f"{each.created:%Y-%m-%d %H:%M:%S}")
        return table


@flow(name="sweep", flow_run_name="sweep")  # a name without a hyphen: infra/alerts.tf
def sweep(contract: str | None = None, older_than_hours: float = 24, dry_run: bool = False) -> Swept:
    """Remove the objects in the lake that no claim names.

    Args:
        contract: The data set: a file in flows/contracts/; everything in the bucket if it is left out.
        older_than_hours: How old an object must be, by Cloud Storage's clock; a landing at work may still claim it.
        dry_run: Only list them.
    """
    join_run_log(*([contract] if contract else []))
    values = settings.read()
    name = contracts.read(settings.CONTRACTS, contract).name if contract else None
    older_than = dt.timedelta(hours=older_than_hours)
    report = Swept(tasks.sweep(connect(values), name, older_than, dry_run=dry_run), dry_run)
    return told(report, values.environment, "sweep", upkeep.of_sweep(report))


if __name__ == "__main__":
    from flows.by_hand import run

    run(sweep)
