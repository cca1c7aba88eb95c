"""What one process costs, and servers for it in processes of their own.

Whoever imports this must stay small: on Linux a child's peak memory is at least that of the process that started it.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage's ru_maxrss: bytes on macOS, KiB on Linux


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process used from its start to its end, imports included; MB are 10^6 bytes."""

    cpu_s: float
    peak_mb: float
    wall_s: float
    began: float = 0.0  # seconds since 1970


def run(module: str, *arguments: str, environment: Mapping[str, str], folder: Path | None = None) -> tuple[str, Cost]:
    """Run a module in a fresh interpreter, in a folder; return the last line that it printed, and its cost.

    Raises:
        subprocess.CalledProcessError: it failed; its own words are on standard error.
    """
    return run_command([sys.executable, "-W", "ignore", "-m", module, *arguments], environment, folder)


def run_command(command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> tuple[str, Cost]:
    """Run any command, as `run` does: CPU time is that of all its processes, memory that of the largest.

    Raises:
        subprocess.CalledProcessError: it failed; its own words are on standard error.
    """
    started, began = time.monotonic(), time.time()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder) as process:
        printed = cast(IO[str], process.stdout).read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cost = Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * RSS_UNIT / 1e6, wall_s, began)
    return printed.strip().rpartition("\n")[2], cost


@contextmanager
def served(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that prints its address and serves; give the address, and end the process afterwards."""
    command = [sys.executable, "-u", "-m", module, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            line = cast(IO[str], process.stdout).readline()
            if not (found := ADDRESS.search(line)):
                raise RuntimeError(
                    f"{module}: found {line!r} printed, expected its address; start it by hand to see why"
                )
            yield found[0]
        finally:
            process.terminate()
