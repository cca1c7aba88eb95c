"""Find runs that ended without a word, run them again, and remove the Cloud Run jobs that nobody needs.

python flows/recover.py
"""

import time
from dataclasses import dataclass

from prefect import flow
from rich.markup import escape
from rich.table import Table

from flows import settings, tasks
from flows.connection import connect_to_runs
from flows.etl.errors import LandfallError
from flows.logs import join_run_log
from flows.runs.recovery import Do, Step, standing


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was done about runs and jobs, in order."""

    done: list[Step]

    @property
    def line(self) -> str:
        """Give the last line: how often what was done."""
        counts = [(sum(step.do == do for step in self.done), do) for do in Do]
        return ", ".join(f"{n} {do}" for n, do in counts if n) or "nothing to do"

    @property
    def holds(self) -> bool:
        """Whether no run is left for a person."""
        return not any(step.do == Do.GIVE_UP for step in self.done)

    def table(self) -> Table:
        """Draw one row for each step."""
        table = Table(title="recover")
        for name in ("done", "job or run", "why"):
            table.add_column(name, overflow="fold")
        for step in self.done:
            table.add_row(step.do, step.subject.rpartition("/")[2], escape(step.why))
        return table


class GivenUp(LandfallError):
    """Runs crash however often they are run again: they are for a person. Said once of each."""


@flow(name="recover", flow_run_name="recover")  # a name without a hyphen: infra/alerts.tf
def recover(repeats: int = 3, pause_s: float = 60) -> Recovery:
    """Set right what Prefect believes of runs that Cloud Run has ended, run those again, and delete leftover jobs.

    Args:
        repeats: How often a crashed run is run again.
        pause_s: Seconds between two looks: only what both find is acted on, so that who still sees to it can end.
    """
    join_run_log()
    runs = connect_to_runs(settings.read())
    found = tasks.look(runs, repeats)
    if found:
        time.sleep(pause_s)
        found = tasks.act(runs, standing(tasks.look(runs, repeats), found))
    recovery = Recovery(found)
    if not recovery.holds:
        raise GivenUp("; ".join(f"{step.subject}: {step.why}" for step in found if step.do == Do.GIVE_UP))
    return recovery


if __name__ == "__main__":
    from flows.by_hand import run

    run(recover)
