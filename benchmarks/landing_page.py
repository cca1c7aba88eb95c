"""From what `landing.py` measured to its section of docs/performance.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.machine import described
from benchmarks.measure import Cost
from benchmarks.targets import Target, table

LIBRARIES = ("prefect", "prefect-gcp", "google-cloud-bigquery", "google-cloud-storage")


@dataclass(frozen=True, slots=True)
class Walk:
    """A backfill over a slow network, and the same command when all has landed; requests are those that waited."""

    at_once: int
    landed: Cost
    again: Cost
    requests: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, over *number* partitions where it takes several.

    `first` are seconds to the first request for a file, from the process's start and from the flow's.
    """

    number: int
    probe: dict[str, Any]
    status: dict[str, Any]
    help: list[Cost]
    status_command: list[Cost]
    first: list[tuple[float, float]]
    walks: list[Walk]
    job_mb: float | None = None  # of 10^6 bytes

    def wall_s(self, at_once: int) -> float:
        """Give the median of backfills."""
        return median(walk.landed.wall_s for walk in self.walks if walk.at_once == at_once)

    @property
    def overhead_s(self) -> float:
        """What a partition takes of the backfill's own process, Prefect's part included, beyond planning it."""
        return median((walk.landed.cpu_s - walk.again.cpu_s) / self.number for walk in self.walks)


def targets(found: Figures, at_once: int) -> list[Target]:
    """Hold all of it against what must be reached."""
    probe, status = found.probe, found.status
    heads = len(probe["heads"]) / found.number
    held = [
        Target("lake to warehouse: CPU s of ours a partition", median(probe["load_s"]), 0.1, " s", ".3f"),
        Target(
            f"the same, a month of {probe['month_rows']:,} rows: KB that pass this process",
            (probe["month_sent"] + probe["month_received"]) / 1000, 100, " KB", ".0f",
        ),
        Target("an up-to-date partition: requests to its publisher", heads, 1, "", "g"),
        Target("the same: CPU ms of ours, in a run of its own", 1000 * median(probe["plan_one_s"]), 50, " ms", ".0f"),
        Target(f"backfill of {found.number}, {at_once} at once: times as fast as one at a time",
               found.wall_s(1) / found.wall_s(at_once), 1.8, " times", ".1f", at_least=True),
        Target("the same: CPU s of overhead a partition", found.overhead_s, 0.3, " s", ".2f"),
        Target("10,000 partitions in the ledger, status: queries", status["status_queries"], 1, "", "g"),
        Target("the same: CPU s", status["status"][0], 2, " s"),
        Target("10,000 partitions in the ledger, planning: queries", status["plan_queries"], 1, "", "g"),
        Target("the same: CPU s", status["plan"][0], 2, " s"),
        Target("`landfall --help`: CPU s", median(cost.cpu_s for cost in found.help), 0.3, " s"),
        Target("`landfall status`: CPU s", median(cost.cpu_s for cost in found.status_command), 1, " s"),
        Target("flow start to first byte, warm server", median(since for _, since in found.first), 2, " s"),
    ]  # fmt: skip
    if found.job_mb is not None:
        held.append(
            Target("a Cloud Run job that lands a file of CSV, Prefect included", found.job_mb, 400, " MB", ".0f")
        )
    return held


def section(found: Figures, delay_ms: int, at_once: int) -> str:
    """Write the page's section."""
    probe = found.probe
    waits = median(walk.requests for walk in found.walks) / found.number
    return f"""## From the bucket to the table, and what surrounds it

{table(targets(found, at_once))}

- **No row passes the process that loads.** For a file of 40 rows, from its claim to the ledger's row, it sends
  {probe["load_sent"] / 1000:.1f} KB and receives {probe["load_received"] / 1000:.1f} KB in
  {probe["load_requests"]:.0f} requests; for one of {probe["month_rows"]:,} rows {probe["month_sent"] / 1000:.1f} KB and
  {probe["month_received"] / 1000:.1f} KB. CPU time: {_s(probe["load_s"])}, and {probe["month_s"]:.3f} s.
- **A partition that is up to date** takes {1000 * median(probe["plan_one_s"]):.0f} ms of CPU time in a run of its own,
  with a query to the ledger, a listing and a look at the table, and {1000 * probe["plan_more_s"]:.1f} ms among many.
- **A backfill** of {found.number} small files, with {delay_ms} ms before each answer of publisher and storage: one at a
  time {found.wall_s(1):.0f} s, {at_once} at once {found.wall_s(at_once):.0f} s (medians of {len(found.walks) // 2}
  each, in turn; {waits:.0f} such answers a partition). Its own process takes {found.overhead_s:.2f} CPU s a partition
  more than the same command takes when all has landed.
- **10,000 partitions in the ledger**: `landfall status` is told how they stand within
  {found.status["status"][1]:.1f} s, and a plan which are settled within {found.status["plan"][1]:.1f} s, with the local
  cloud's work on the same processors.
- **Commands**: `landfall --help` {_cost(found.help)}; `landfall status` {_cost(found.status_command)}.
- **A run by hand** asks for its file {_s([since for _, since in found.first])} after its flow began, and
  {_s([since for since, _ in found.first])} after its process did: before, it imports Prefect and Google's libraries.

- **A Cloud Run job**: [what memory it needs](job-memory.md).

### How the landing was measured

    .venv/bin/python -m benchmarks.landing

- {described(LIBRARIES)}
- On a local cloud and a Prefect server of its own, through relays that count requests and bytes, heads included. A
  relay's wait stands for a round trip: one for each request, one more for each connection.
- CPU time is user and system time; of commands it is that of the whole process with its imports.
- 10,000 partitions: ten hourly contracts, as `benchmarks/status.py` makes them. The plan is without its requests to
  publishers: that is one HEAD request a partition, four at once.

### What the landing does not show

- Google's own times: a load job takes seconds there, and a query one.
- The network of others: 200 ms are a publisher on another continent, storage is nearer.
"""


def _s(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return f"{median(ordered):.3g} s ({ordered[0]:.3g} to {ordered[-1]:.3g})"


def _cost(costs: Sequence[Cost]) -> str:
    figures: list[tuple[Callable[[Cost], float], str]] = [
        (lambda cost: cost.cpu_s, "CPU s"),
        (lambda cost: cost.wall_s, "s of wall time"),
    ]
    return ", ".join(f"{median(map(figure, costs)):.2f} {what}" for figure, what in figures)
