"""From measurements to words: the table, the targets, and the section of docs/performance.md."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import targets
from benchmarks.arena import Run
from benchmarks.contestants import CHECKED, COPY, COURSE, COURSE_ZSTD, DLT, FLOOR, OURS, PARQUET
from benchmarks.machine import described
from benchmarks.measure import Cost
from benchmarks.targets import Target

ROWS = 1_369_765
MONTHS = 5  # at which scale the ratios must hold
PEAK_MB, GROWTH = 150, 0.10
# of CPU time at that scale: who is held against whom, and what the ratio must be
AT_MOST = ((OURS, FLOOR, 1.7), (CHECKED, FLOOR, 2.2), (PARQUET, OURS, 0.7))
AT_LEAST = ((COURSE, OURS, 10.0), (COURSE_ZSTD, OURS, 2.0), (DLT, OURS, 1.8))
LIBRARIES = ("pyarrow", "isal", "google-cloud-storage", "requests", "pandas", "numpy", "duckdb", "polars")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a contestant's output holds, as `digest` says it."""

    scale: float
    contestant: str
    found: dict[str, Any]

    def differences(self, ours: "Comparison") -> list[str]:
        """Name what is not as in ours."""
        where = f"{self.scale:g}x, {self.contestant}"
        if self.found["rows"] != ours.found["rows"]:
            return [f"{where}: found {self.found['rows']} rows, expected Landfall's {ours.found['rows']}"]
        return [
            f"{where}: column {name}: found {column}, expected Landfall's {ours.found['columns'][name]}"
            for name, column in self.found["columns"].items()
            if column != ours.found["columns"][name]
        ]


def table(runs: list[Run]) -> str:
    """Lay the runs out as a Markdown table: median (lowest to highest)."""
    lines = [
        "| Rows | | CPU s | CPU, floor = 1 | Peak memory MB | Wall s | Parquet MB | Runs |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for scale, contestant in dict.fromkeys((run.scale, run.contestant) for run in runs):
        some = _of(runs, contestant, scale)
        floor = _ratio(runs, contestant, FLOOR, scale)
        cells = [
            f"{round(scale * ROWS):,}",
            contestant.replace("|", targets.BAR),
            _spread((run.cost.cpu_s for run in some), ".2f"),
            "" if floor is None else f"{floor:.2f}",
            _spread((run.cost.peak_mb for run in some), ".0f"),
            _spread((run.cost.wall_s for run in some), ".1f"),
            f"{some[-1].size_mb:.1f}" if some[-1].size_mb else "",
            str(len(some)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def targets_of(runs: list[Run]) -> list[Target]:
    """Hold the figures against what must be reached, as far as they were measured."""
    found = []
    for one, other, bound in (*AT_MOST, *AT_LEAST):
        if (ratio := _ratio(runs, one, other, MONTHS)) is not None:
            at_least = (one, other, bound) in AT_LEAST
            found.append(
                Target(f"CPU of {one} over {other}, {MONTHS * ROWS:,} rows", ratio, bound, " times", at_least=at_least)
            )
    ours = [run for run in runs if run.contestant in (OURS, CHECKED)]
    if ours:
        most = max(run.cost.peak_mb for run in ours)
        found.append(Target("Peak memory of Landfall's conversion", most, PEAK_MB, " MB", ".0f"))
        peaks = [_typical(runs, OURS, scale, _peak_mb) for scale in _scales(runs, OURS)]
        if len(peaks) > 1:
            growth = f"The same, from {min(_scales(runs, OURS)):g} to {max(_scales(runs, OURS)):g} times the rows"
            found.append(Target(f"{growth}: more by", (max(peaks) / peaks[0] - 1) * 100, GROWTH * 100, " %", ".1f"))
    return found


def wrong(runs: list[Run], comparisons: list[Comparison]) -> list[str]:
    """Say which target was missed and which values differ; empty if all is well."""
    return [*_differences(comparisons), *targets.missed(targets_of(runs))]


def section(runs: list[Run], comparisons: list[Comparison], options: str) -> str:
    """Write the page's section."""
    return f"""## From the web to the bucket

What it costs to bring one month of yellow taxi trips, five, and twenty-five of them in one file, from the web into the
bucket as Parquet: by Landfall, and by what one would take instead.

![CPU time of each, at {MONTHS * ROWS:,} rows](pictures/performance-cpu.svg)

![Peak memory of each, by rows](pictures/performance-memory.svg)

{table(runs)}

Median (lowest to highest). CPU time is user and system time of a whole command with all its processes, imports
included; peak memory is the largest resident set of its largest process; MB are 10^6 bytes. The floor, `{FLOOR}`,
fetches and decompresses and nothing else.

{_equality(comparisons)}

### What was to be reached

{targets.table(targets_of(runs))}

### Who they are

- **Landfall** is `flows/etl/lake.py`, from the publisher's first byte to a finalised object: hash, record count, types,
  Parquet, upload, checksum. **With checks** it also holds the rows against the checks of the shipped contract
  `yellow_trips`. **Kept nowhere** is the same into a storage that takes an upload and drops it. **From Parquet** reads
  the same rows from a file such as TLC publishes today.
- **The course's flow** reads the whole file into a frame, parses two times, writes Parquet to disk (gzip, as taught,
  and zstd) and uploads it. **dlt** yields Arrow batches into its filesystem destination. **DuckDB** and **Polars** are
  given the types and stream, by way of the disk. `benchmarks/rivals/` has each, with where its settings come from.
- A whole Cloud Run job, with Prefect, is measured [elsewhere](job-memory.md).
- None but Landfall hashes the source, counts its records apart from the parser, or keeps the object back until both
  hold.

### How it was measured

    {_pool()}make bench OPTIONS="--only conversion"    # benchmarks/conversion.py {options}

- {described(LIBRARIES)} dlt is of `benchmarks/rivals.lock`.
- The file is made by `benchmarks/yellow.py`: like `yellow_tripdata_2021-01.csv.gz` in columns, rows, size (26 MB,
  125 MB without gzip) and in how values are written; at five times the rows, five times as large.
- Each run is a fresh process, started in turn with the others, after a round that is not counted; the publisher and
  storage are processes of their own and are not counted either. Slow contestants and the largest file have fewer runs,
  as the table says.
- Every output up to {MONTHS * ROWS:,} rows is read again, and for each column nulls, sum and a hash over all values in
  their order (amounts to the hundredth) are held against ours.

### What it does not show

- A network: the publisher and the local cloud's storage are on loopback, so wall time is little more than work.
- Google Cloud Storage, its latency and its limits; nor what `{COPY}` adds by its own upload, which converts nothing.
- Prefect, which both flows would carry alike, and the load into BigQuery.
- The publisher's real file: the values here are drawn at random.
"""


def _of(runs: list[Run], contestant: str, scale: float) -> list[Run]:
    return [run for run in runs if run.contestant == contestant and run.scale == scale]


def _scales(runs: list[Run], contestant: str) -> list[float]:
    return sorted({run.scale for run in runs if run.contestant == contestant})


def _cpu_s(cost: Cost) -> float:
    return cost.cpu_s


def _peak_mb(cost: Cost) -> float:
    return cost.peak_mb


def _typical(runs: list[Run], contestant: str, scale: float, figure: Callable[[Cost], float]) -> float:
    return median(figure(run.cost) for run in _of(runs, contestant, scale))


def _ratio(runs: list[Run], one: str, other: str, scale: float) -> float | None:
    """How many times the other's CPU time one takes; None if not both were measured."""
    if not _of(runs, one, scale) or not _of(runs, other, scale):
        return None
    return _typical(runs, one, scale, _cpu_s) / _typical(runs, other, scale, _cpu_s)


def _spread(values: Iterable[float], form: str) -> str:
    ordered = sorted(values)
    return f"{median(ordered):{form}} ({ordered[0]:{form}} to {ordered[-1]:{form}})"


def _differences(comparisons: list[Comparison]) -> list[str]:
    ours = {each.scale: each for each in comparisons if each.contestant == OURS}
    return [said for each in comparisons if each.scale in ours for said in each.differences(ours[each.scale])]


def _equality(comparisons: list[Comparison]) -> str:
    if found := _differences(comparisons):
        return "**The outputs differ:** " + "; ".join(found)
    columns = len(comparisons[0].found["columns"])
    return (
        f"All outputs that were compared, {len(comparisons)} of them, hold the same rows, and in all {columns} columns"
        " the same nulls, sums and values."
    )


def _pool() -> str:
    """Repeat the setting of Arrow's allocator, which decides some of the memory, where the caller made one."""
    chosen = os.environ.get("ARROW_DEFAULT_MEMORY_POOL")
    return f"ARROW_DEFAULT_MEMORY_POOL={chosen} " if chosen else ""
