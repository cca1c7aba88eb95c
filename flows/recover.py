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
from flows.logs import join_run_log
from flows.report import RunFailed, told
from flows.runs.recovery import Do, Step, standing


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was done about runs and jobs, in order."""

    done: list[Step]

    @property
    def line(self) -> str:
        """Give the last line: how often what was done, and which runs are for a person."""
        counts = [(sum(step.do == do for step in self.done), do) for do in Do]
        left = [f"{step.subject}: {step.why}" for step in self.done if step.do == Do.GIVE_UP]
        return "; ".join([", ".join(f"{n} {do}" for n, do in counts if n) or "nothing to do", *left])

    @property
    def holds(self) -> bool:
        """Whether no run is left for a person."""
        return not any(step.do == Do.GIVE_UP for step in self.done)

    def failure(self) -> "GivenUp":
        """Say which runs are for a person, and why."""
        return GivenUp(self)

    def table(self) -> Table:
        """Draw one row for each step."""
        table = Table(title="recover")
        for name in ("done", "job or run", "why"):
            table.add_column(name, overflow="fold")
        for step in self.done:
            table.add_row(step.do, step.subject.rpartition("/")[2], escape(step.why))
        return table


class GivenUp(RunFailed):
    """Runs crash however often they are run again: they are for a person. Said once of each."""

    def __init__(self, report: Recovery) -> None:
        super().__init__(report.line, report)


@flow(name="recover", flow_run_name="recover")  # a name without a hyphen: infra/alerts.tf
def recover(repeats: int = 3, pause_s: float = 60) -> Recovery:
    """Set right what Prefect believes of runs that Cloud Run has ended, run those again, and delete leftover jobs.

    Args:
        repeats: How often a crashed run is run again.
        pause_s: Seconds between two looks: only what both find is acted on, so that who still sees to it can end.
    """
    join_run_log()
    values = settings.read()
    runs = connect_to_runs(values)
    found = tasks.look(runs, repeats)
    if found:
        time.sleep(pause_s)
        found = tasks.act(runs, standing(tasks.look(runs, repeats), found))
    return told(Recovery(found), values.environment, "recover")


if __name__ == "__main__":
    from flows.by_hand import run

    run(recover)
