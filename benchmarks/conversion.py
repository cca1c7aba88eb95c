"""Compare Landfall's conversion with the course's pandas flow: CPU time, peak memory, and whether the values agree.

Usage: python -m benchmarks.conversion [--runs 3] [--scales 1,5]; prints a table, writes its section of
docs/performance.md. With --quick: one run of the month's rows, and nothing is written.

Every run is a process of its own, and the contestants alternate, so that a busy machine slows all of them.
"""

import argparse
import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import requests

from benchmarks.measure import run, served
from benchmarks.page import put
from benchmarks.report import COURSE, COURSE_ZSTD, OURS, Comparison, Run, section, table, wrong

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".local" / "benchmarks"  # ignored by git; the made files stay for the next time


def main() -> int:
    """Measure, print and write; 1 if a target is missed or a value differs."""
    options = _options()
    CACHE.mkdir(parents=True, exist_ok=True)
    for scale in options.scales:
        _make(scale)
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=CACHE))
        publisher = stack.enter_context(served("http.server", "0", "-b", "127.0.0.1", "-d", str(CACHE)))
        storage = stack.enter_context(served("benchmarks.storage_server", f"{scratch}/storage"))
        arena = Arena(publisher, storage, scratch)
        arena.round(options.scales[0])  # to warm up: bytecode, and the file in the page cache
        runs: list[Run] = []
        comparisons: list[Comparison] = []
        for scale in options.scales:
            for _ in range(options.runs):
                objects, costs = arena.round(scale)
                runs += costs
            comparisons += [arena.compare(scale, objects[OURS], objects[name]) for name in (COURSE, COURSE_ZSTD)]
    print(table(runs))
    if not options.quick:
        put("conversion", section(runs, comparisons, f"--runs {options.runs} --scales {options.shown}"))
    failures = wrong(runs, comparisons)
    print("\n".join(failures) or "every target is met, every value equal")
    return 1 if failures else 0


class Arena:
    """The two servers, the environment and the folder that all contestants work in."""

    def __init__(self, publisher: str, storage: str, scratch: str) -> None:
        self._publisher, self._storage, self._scratch = publisher, storage, scratch
        # Whether Python may write bytecode is the machine's business: compiling each import anew is nobody's cost
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._environment = kept | {"STORAGE_EMULATOR_HOST": storage, "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode")}

    def round(self, scale: int) -> tuple[dict[str, str], list[Run]]:
        """Run every contestant once; return the objects that they made, by contestant, and what they cost."""
        address = f"{self._publisher}/{_name(scale)}"
        commands = {
            OURS: ("benchmarks.ours", address),
            COURSE: ("benchmarks.course", address, self._scratch, "gzip"),
            COURSE_ZSTD: ("benchmarks.course", address, self._scratch, "zstd"),
        }
        objects, costs = {}, []
        for contestant, command in commands.items():
            objects[contestant], cost = run(*command, environment=self._environment)
            size_mb = self._size(objects[contestant]) / 1e6
            costs.append(Run(contestant, scale, cost, size_mb))
            print(
                f"{scale}x {contestant}: {cost.cpu_s:.2f} CPU s, {cost.peak_mb:.0f} MB, {cost.wall_s:.2f} s", flush=True
            )
        return objects, costs

    def compare(self, scale: int, ours: str, theirs: str) -> Comparison:
        """Hold the values of two objects against each other."""
        found, _ = run("benchmarks.compare", ours, theirs, environment=self._environment)
        return Comparison(scale, theirs, **json.loads(found))

    def _size(self, name: str) -> int:
        answer = requests.get(f"{self._storage}/storage/v1/b/lake/o/{quote(name, safe='')}", timeout=10)
        answer.raise_for_status()
        return int(answer.json()["size"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="of each contestant at each scale")
    parser.add_argument("--scales", dest="shown", default="1,5", help="how many times the month's rows")
    parser.add_argument("--quick", action="store_true", help="one run of the month's rows; nothing is written")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.shown = 1, "1"
    options.scales = sorted({int(scale) for scale in options.shown.split(",")})
    return options


def _name(scale: int) -> str:
    return f"yellow_{scale}x.csv.gz"


def _make(scale: int) -> None:
    path = CACHE / _name(scale)
    if not path.exists():
        print(f"making {path.name} (once)", flush=True)
        run("benchmarks.yellow", str(path), str(scale), environment=os.environ)


if __name__ == "__main__":
    raise SystemExit(main())
