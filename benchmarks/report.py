"""From measurements to words: the table, what was missed, and the section of docs/performance.md."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import targets
from benchmarks.machine import described
from benchmarks.measure import Cost
from benchmarks.targets import Target

OURS, COURSE, COURSE_ZSTD = "Landfall", "the course's flow", "the course's flow with zstd"
PEAK_MB, GROWTH = 200, 0.10  # the targets: at one month's rows, and how much more at five times these
ROWS = 1_369_765
LIBRARIES = ("pyarrow", "isal", "google-cloud-storage", "requests", "pandas", "numpy")


@dataclass(frozen=True, slots=True)
class Run:
    """One process of one contestant."""

    contestant: str
    scale: int
    cost: Cost
    size_mb: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two outputs held against each other: rows of ours and theirs, and for each column what was found in both."""

    scale: int
    theirs: str
    rows: list[int]
    columns: dict[str, Any]

    def differences(self) -> list[str]:
        """Name what is not equal."""
        found = [] if len(set(self.rows)) == 1 else [f"{self.scale}x, {self.theirs}: rows {self.rows}"]
        for name, column in self.columns.items():
            if column["differing"] or len(set(column["nulls"])) > 1 or len(set(column["sums"])) > 1:
                found.append(f"{self.scale}x, {self.theirs}: column {name}: {column}")
        return found


def table(runs: list[Run]) -> str:
    """Lay the runs out as a Markdown table: median (lowest to highest)."""
    lines = [
        "| Rows | | CPU s | Peak memory MB | Wall s | Parquet MB |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for scale, contestant in dict.fromkeys((run.scale, run.contestant) for run in runs):
        some = _of(runs, contestant, scale)
        cells = [
            f"{scale * ROWS:,}",
            contestant,
            _spread((run.cost.cpu_s for run in some), ".2f"),
            _spread((run.cost.peak_mb for run in some), ".0f"),
            _spread((run.cost.wall_s for run in some), ".1f"),
            f"{some[-1].size_mb:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def reached(runs: list[Run]) -> list[Target]:
    """Hold the figures against what must be reached."""
    found = []
    if some := _of(runs, OURS, 1):
        peak_mb = max(run.cost.peak_mb for run in some)
        found.append(Target(f"Peak memory, {ROWS:,} rows", peak_mb, PEAK_MB, " MB", ".0f"))
    if (growth := _growth(runs)) is not None:
        found.append(Target("The same, five times the rows: more by", growth * 100, GROWTH * 100, " %", ".1f"))
    return found


def wrong(runs: list[Run], comparisons: list[Comparison]) -> list[str]:
    """Say which target was missed and which values differ; empty if all is well."""
    return [difference for each in comparisons for difference in each.differences()] + targets.missed(reached(runs))


def section(runs: list[Run], comparisons: list[Comparison], options: str) -> str:
    """Write the page's section."""
    return f"""## From the web to the bucket

What it costs to bring one month of yellow taxi trips from the web into the bucket as Parquet, by Landfall and by the
course's pandas flow, which reads the whole file into a frame, parses two times, writes a Parquet file to disk (gzip;
here also zstd) and uploads it.

{table(runs)}

Median (lowest to highest). CPU time is user and system time of the whole process, imports included; peak memory is
its largest resident set; MB are 10^6 bytes.

{_ratios(runs)}
{_growth_said(runs)}
{_equality(comparisons)}

### What was to be reached

{targets.table(reached(runs))}

### How it was measured

    {_pool()}.venv/bin/python -m benchmarks.conversion {options}

- {described(LIBRARIES)}
- The file is made by `benchmarks/yellow.py`: like `yellow_tripdata_2021-01.csv.gz` in columns, rows, size (26 MB,
  125 MB without gzip) and in how values are written; at five times the rows, five times as large.
- Each run is a fresh process, started in turn with the others, after a round that is not counted; the publisher and
  storage are processes of their own and are not counted either.
- After the last round both Parquet files are read and held against each other: rows, and in each column nulls, sum
  and every value (amounts to the hundredth).

### What it does not show

- A network: the publisher and the local cloud's storage are on loopback, so wall time is little more than work.
- Google Cloud Storage, its latency and its limits.
- Prefect, which both flows would carry alike, and the load into BigQuery.
- The publisher's real file: the values here are drawn at random.
"""


def _of(runs: list[Run], contestant: str, scale: int) -> list[Run]:
    return [run for run in runs if run.contestant == contestant and run.scale == scale]


def _spread(values: Iterable[float], form: str) -> str:
    ordered = sorted(values)
    return f"{median(ordered):{form}} ({ordered[0]:{form}} to {ordered[-1]:{form}})"


def _typical(runs: list[Run], contestant: str, scale: int, figure: Callable[[Cost], float]) -> float:
    return median(figure(run.cost) for run in _of(runs, contestant, scale))


def _growth(runs: list[Run]) -> float | None:
    """How much more memory ours needs for five times the rows; None if that was not measured."""
    if not _of(runs, OURS, 1) or not _of(runs, OURS, 5):
        return None
    one, five = (_typical(runs, OURS, scale, lambda cost: cost.peak_mb) for scale in (1, 5))
    return five / one - 1


def _ratios(runs: list[Run]) -> str:
    lines = []
    for scale in dict.fromkeys(run.scale for run in runs):
        for course in (COURSE, COURSE_ZSTD):
            cpu, peak = (
                _typical(runs, course, scale, figure) / _typical(runs, OURS, scale, figure)
                for figure in (lambda cost: cost.cpu_s, lambda cost: cost.peak_mb)
            )
            lines.append(
                f"- At {scale * ROWS:,} rows {course} needs {cpu:.1f} times Landfall's CPU time"
                f" and {peak:.1f} times its memory."
            )
    return "\n".join(lines)


def _growth_said(runs: list[Run]) -> str:
    growth = _growth(runs)
    return "" if growth is None else f"- Five times the rows change Landfall's peak memory by {growth:+.1%}."


def _equality(comparisons: list[Comparison]) -> str:
    differences = [difference for each in comparisons for difference in each.differences()]
    if differences:
        return "- **The outputs differ:** " + "; ".join(differences)
    columns = len(comparisons[0].columns)
    return f"- The outputs hold the same rows, and in all {columns} columns the same nulls, sums and values."


def _pool() -> str:
    """Repeat the setting of Arrow's allocator, which decides some of the memory, where the caller made one."""
    chosen = os.environ.get("ARROW_DEFAULT_MEMORY_POOL")
    return f"ARROW_DEFAULT_MEMORY_POOL={chosen} " if chosen else ""
