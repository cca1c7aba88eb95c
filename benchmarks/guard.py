"""Two ratios of the conversion that hardly depend on the machine, from small files, in seconds: what tests hold.

Usage: python -m benchmarks.guard FOLDER; prints JSON: our CPU time as a multiple of gunzip's, and peak memory at five
times the rows as a multiple of that at one. CPU time is that of the rows alone: a run of few rows is taken off one of
many, and with it the imports. Stay small: on Linux a child's peak memory is at least that of its parent.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import inputs
from benchmarks.measure import Cost, run, run_command, served

FEW, TIMES = 0.2, 5  # of the month's rows in the smaller file, and how many times as many are in the larger one
RUNS = 2  # of which the cheaper counts: others at work make a run dearer, never cheaper
REPEAT = """
import sys
from isal import igzip
header, body = igzip.open(sys.argv[1]).read().split(b"\\n", 1)
with igzip.open(sys.argv[2], "wb", compresslevel=2) as larger:
    larger.write(header + b"\\n")
    for _ in range(int(sys.argv[3])):
        larger.write(body)
"""


def main(folder: Path) -> None:
    """Make both files, measure, and print."""
    inputs.write_contracts(folder)
    inputs.make(folder, FEW, "csv.gz")
    few, many = inputs.name(FEW, "csv.gz"), inputs.name(FEW * TIMES, "csv.gz")
    subprocess.run([sys.executable, "-c", REPEAT, few, many, str(TIMES)], check=True, cwd=folder)
    with (
        served("http.server", "0", "-b", "127.0.0.1", "-d", str(folder)) as publisher,
        served("benchmarks.null_storage") as storage,
    ):
        environment = {**os.environ, "STORAGE_EMULATOR_HOST": storage}
        ours = {each: _ours(f"{publisher}/{each}", folder, environment) for each in (few, many)}
        gunzip = ["sh", "-c", f"gunzip -c {many} >/dev/null"]
        floor_s = min(run_command(gunzip, environment, folder)[1].cpu_s for _ in range(RUNS))
    rows_s = (ours[many].cpu_s - ours[few].cpu_s) * TIMES / (TIMES - 1)
    print(json.dumps({"cpu": rows_s / floor_s, "memory": ours[many].peak_mb / ours[few].peak_mb}))


def _ours(address: str, folder: Path, environment: Mapping[str, str]) -> Cost:
    runs = [
        run("benchmarks.ours", address, str(folder), "yellow_checked", environment=environment)[1] for _ in range(RUNS)
    ]
    return Cost(min(each.cpu_s for each in runs), min(each.peak_mb for each in runs), runs[0].wall_s)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
