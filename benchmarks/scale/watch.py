"""What a service costs while something runs, and how it answers whoever asks meanwhile."""

import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.sorting import FlowRunSort

EVERY_S = 0.5
MEASURED_EVERY = 10  # questions: the kernel walks all pages to tell what a process holds
TROUBLE = ("database is locked", "TimeoutError", "QueuePool limit", "Traceback", " 500 Internal", " 503 ")


def cpu_s(process: psutil.Process) -> float:
    """Give the CPU time of a process and of all that it has started, those that have ended included."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mb(process: psutil.Process) -> float:
    """Give what a process and its children hold, pages that they share once; MB are 10^6 bytes."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 1e6


@dataclass
class Watch:
    """Asks a Prefect server twice a second for its last runs, as its UI does, and measures the answers."""

    client: SyncPrefectClient
    processes: dict[str, psutil.Process]
    answers_s: list[float] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    peak_mb: dict[str, float] = field(default_factory=dict)
    spent_s: dict[str, float] = field(default_factory=dict)
    wall_s: float = 0.0

    def __enter__(self) -> Self:
        self._before = {name: cpu_s(process) for name, process in self.processes.items()}
        self._began, self._ended = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.monotonic() - self._began
        self._ended.set()
        self._thread.join()
        self.spent_s = {name: cpu_s(process) - self._before[name] for name, process in self.processes.items()}

    def answer_ms(self, share: float) -> float:
        """Give the time within which that share of the questions was answered."""
        return statistics.quantiles(self.answers_s, n=100)[round(share * 100) - 1] * 1000

    def _ask(self) -> None:
        while not self._ended.wait(EVERY_S):
            began = time.monotonic()
            try:
                self.client.read_flow_runs(limit=20, sort=FlowRunSort.START_TIME_DESC)
            except httpx.HTTPError as error:
                self.unanswered.append(repr(error))
            self.answers_s.append(time.monotonic() - began)
            if len(self.answers_s) % MEASURED_EVERY == 1:
                for name, process in self.processes.items():
                    self.peak_mb[name] = max(self.peak_mb.get(name, 0), memory_mb(process))


def trouble(log: Path) -> dict[str, int]:
    """Count the lines of a log that tell of trouble, by what they say."""
    lines = log.read_text(errors="replace").splitlines()
    counts = {what: sum(what in line for line in lines) for what in TROUBLE}
    return {what: count for what, count in counts.items() if count}
