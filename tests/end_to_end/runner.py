"""Starts runs in the forking runner, and waits for them or kills them."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

SOURCE = Path(__file__).with_name("forking_runner.py")

# more than the minute that a request to Prefect may take
PATIENT_S = 150

# a fork takes other threads' locks along and not the threads: Arrow's and numpy's libraries must start none at import
ONE_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "OPENBLAS_NUM_THREADS": "1"}


@dataclass
class Run:
    """One flow run in a process of its own."""

    pid: int
    log: Path
    _ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None

    @property
    def text(self) -> str:
        """What it printed so far."""
        return self.log.read_text() if self.log.exists() else ""

    @property
    def last_line(self) -> str:
        lines = self.text.strip().splitlines()
        return lines[-1] if lines else ""

    def wait(self, timeout_s: float = PATIENT_S) -> int:
        """Wait for its end, and give its exit code: negative for a signal."""
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f"a run goes on after {timeout_s} s:\n{self.text}")
        assert self.code is not None
        return self.code

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to it and to what it started; an ended run is left alone."""
        if not self._ended.is_set():
            try:
                os.killpg(self.pid, how)
            except ProcessLookupError:
                return

    def end(self, code: int) -> None:
        self.code = code
        self._ended.set()


class Runner:
    """The forking runner's other side."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._logs, self._count = logs, 0
        self._lock, self._known = threading.Lock(), threading.Lock()
        self._runs: dict[int, Run] = {}
        self._early: dict[int, int] = {}  # runs that ended before their start was read
        self._started: Queue[int] = Queue()
        with (logs / "runner.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(SOURCE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**environment, **ONE_THREAD},
            )
        threading.Thread(target=self._listen, daemon=True).start()
        self._started.get(timeout=60)

    def start(self, *argv: str, plant: str | None = None, **environment: str) -> Run:
        """Start a flow: its name, then its arguments."""
        assert self._process.stdin
        with self._lock:
            self._count += 1
            log = self._logs / f"{self._count:04d}-{Path(argv[0]).stem}.log"
            order = {"argv": argv, "env": environment, "log": str(log), "plant": plant}
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            run = Run(self._started.get(timeout=60), log)
            with self._known:
                self._runs[run.pid] = run
                if run.pid in self._early:
                    run.end(self._early.pop(run.pid))
        return run

    def run(self, *argv: str, plant: str | None = None, **environment: str) -> Run:
        """Start a flow and wait for its end."""
        run = self.start(*argv, plant=plant, **environment)
        run.wait()
        return run

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            said = json.loads(line)
            if "started" in said:
                self._started.put(said["started"])
                continue
            with self._known:
                if run := self._runs.get(said["ended"]):
                    run.end(said["code"])
                else:
                    self._early[said["ended"]] = said["code"]
