"""The table of docs/reliability.md: what became of each fault at each boundary, as the last `make chaos` saw it."""

import datetime as dt
import os
import platform
from collections.abc import Sequence

from tests.chaos.boundaries import BOUNDARIES
from tests.chaos.faults import MEANINGS
from tests.chaos.scenario import Outcome

BEGIN, END = "<!-- written by make chaos -->", "<!-- end -->"


def written(text: str, outcomes: Sequence[Outcome], line: str, seed: int, seconds: float, schedules: int) -> str:
    """Give the page with the outcome between its marks; *schedules* is how many kept to the model."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{_section(outcomes, line, seed, seconds, schedules)}\n{END}{after}"


def _section(outcomes: Sequence[Outcome], line: str, seed: int, seconds: float, schedules: int) -> str:
    today = dt.datetime.now(dt.UTC).date()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    reads = sum(each.verdict.reads for each in outcomes if each.verdict)
    in_load = sum(each.verdict.reads_in_load for each in outcomes if each.verdict)
    kinds = [kind for kind in MEANINGS if any(each.scenario.fault.kind == kind for each in outcomes)]
    rows = ["| boundary | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for boundary in BOUNDARIES:
        cells = [
            _cell([e for e in outcomes if e.scenario.boundary == boundary and e.scenario.fault.kind == kind])
            for kind in kinds
        ]
        rows.append(f"| {boundary.name} | " + " | ".join(cells) + " |")
    return "\n".join(
        [
            f"    {line}",
            "",
            (
                f"`make chaos SEED={seed}`, {today}, {seconds / 60:.0f} minutes on {machine}."
                f" A reader asked {reads:,} times, {in_load:,} of them while a job loaded, and saw no half content."
                f" {schedules} generated schedules kept to the model."
            ),
            "",
            *rows,
            "",
            *(f"- *{kind}*: {MEANINGS[kind]}." for kind in kinds),
        ]
    )


def _cell(outcomes: Sequence[Outcome]) -> str:
    """Give one cell: before and after its boundary."""
    order = sorted(outcomes, key=lambda each: (each.scenario.form, each.scenario.fault.phase == "after"))
    return " ".join(_mark(each) for each in order)


def _mark(outcome: Outcome) -> str:
    mark = "A" if outcome.scenario.fault.phase == "after" else "B"
    if outcome.wrong:
        return f"{mark}:**wrong**"
    if outcome.code == 0:
        return f"{mark}:itself"
    return f"{mark}:{'done' if 'up to date' in outcome.repeat else 'repeat'}"
