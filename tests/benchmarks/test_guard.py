"""It stays fast: what a change of the conversion may cost, held by ratios. `make bench` has the figures.

Costs some 8 CPU seconds.
"""

import json
import os
import subprocess
import sys

import pytest

CPU = 3.5  # times gunzip's, with checks, imports aside; 2.0 to 2.4 when this was written
MEMORY = 1.15  # times, for five times the rows; 1.04 to 1.06


@pytest.fixture(scope="module")
def ratios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    # in a small process of its own, for a child's peak memory is at least its parent's
    command = [sys.executable, "-m", "benchmarks.guard", str(tmp_path_factory.mktemp("guard"))]
    # and what measures coverage would be measured
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False, env=kept)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_converting_takes_a_few_times_the_cpu_time_of_decompressing_alone(ratios: dict[str, float]) -> None:
    assert ratios["cpu"] < CPU, f"found {ratios['cpu']:.2f} times gunzip's CPU time, expected less than {CPU}"


def test_five_times_the_rows_take_the_same_memory(ratios: dict[str, float]) -> None:
    assert ratios["memory"] < MEMORY, f"found {ratios['memory']:.2f} times the memory, expected less than {MEMORY}"
