"""Compare Landfall's conversion, web to bucket, with what one would take instead: CPU time, memory, and the values.

Usage: python -m benchmarks.conversion [--runs 5] [--scales 1,5,25] [--among WORDS] [--quick]; prints a table, and
writes its section of docs/performance.md with two charts. With --quick: one run of a fifth of the month's rows; with
--among: those contestants whose names have one of the words, parted by commas. Neither writes, nor do other scales.

Every run is a process of its own, and the contestants alternate, so that a busy machine slows all of them.
"""

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.arena import Arena, Run, arena
from benchmarks.contestants import Contestant, present
from benchmarks.measure import run
from benchmarks.page import PAGE, put
from benchmarks.report import Comparison, section, table, targets_of, wrong
from benchmarks.targets import table as table_of_targets

CACHE = Path(__file__).resolve().parents[1] / ".local" / "benchmarks"  # ignored by git; made files stay
LARGE, RUNS_OF_LARGE = 25, 2
COMPARED = 5  # up to this scale, every output is read again


def main() -> int:
    """Measure, print and write; 1 if a target is missed or a value differs."""
    options = _options()
    CACHE.mkdir(parents=True, exist_ok=True)
    words = options.among.split(",")
    among = [each for each in present() if any(word in each.name for word in words)]
    for scale in options.scales:
        for form in sorted({each.form for each in among if each.largest >= scale}):
            inputs.make(CACHE, scale, form)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch, arena(Path(scratch), CACHE) as place:
        runs, comparisons = _measured(place, among, options.scales, options.runs)
    print(table(runs), table_of_targets(targets_of(runs)), sep="\n\n")
    if options.scales == [1, 5, 25] and not options.quick and options.among == "":
        _draw(runs)
        put("conversion", section(runs, comparisons, f"--runs {options.runs}"))
    failures = wrong(runs, comparisons)
    print("\n".join(failures) or "every target is met, every value equal")
    return 1 if failures else 0


def _measured(
    place: Arena, among: list[Contestant], scales: list[float], times: int
) -> tuple[list[Run], list[Comparison]]:
    """Run all of them in turn, each time all, and compare what the last runs made."""
    for each in among:  # to warm up: bytecode, and the file in the page cache
        place.tidy(place.run(each, scales[0])[1])
    runs: list[Run] = []
    comparisons: list[Comparison] = []
    for scale in scales:
        taking = [each for each in among if each.largest >= scale]
        asked = {each.name: min(times, each.few, RUNS_OF_LARGE if scale >= LARGE else times) for each in taking}
        for number in range(max(asked.values())):
            for each in taking:
                if number >= asked[each.name]:
                    continue
                found, prefix = place.run(each, scale)
                runs.append(found)
                print(
                    f"{scale:g}x {each.name}: {found.cost.cpu_s:.2f} CPU s, {found.cost.peak_mb:.0f} MB,"
                    f" {found.cost.wall_s:.2f} s",
                    flush=True,
                )
                if prefix and scale <= COMPARED and number == asked[each.name] - 1:
                    comparisons.append(Comparison(scale, each.name, place.digest(prefix)))
                place.tidy(prefix)
    return runs, comparisons


def _draw(runs: list[Run]) -> None:
    """Draw the charts, in a process of its own, for that takes memory."""
    measured: list[dict[str, Any]] = [asdict(each) for each in runs]
    (CACHE / "conversion.json").write_text(json.dumps(measured), encoding="utf-8")
    run("benchmarks.charts", str(CACHE / "conversion.json"), str(PAGE.parent / "pictures"), environment=os.environ)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="of each contestant at each scale, at most")
    parser.add_argument("--scales", dest="shown", default="1,5,25", help="how many times the month's rows")
    parser.add_argument("--among", default="", help="words of the contestants' names; all without it")
    parser.add_argument("--quick", action="store_true", help="one run of a fifth of the rows; nothing is written")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.shown = 1, "0.2"
    options.scales = sorted({float(scale) for scale in options.shown.split(",")})
    return options


if __name__ == "__main__":
    raise SystemExit(main())
