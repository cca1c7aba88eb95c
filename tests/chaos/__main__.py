"""The fault matrix: `make chaos`, which runs `python -m tests.chaos` on a local cloud."""

# it says on the terminal what happens

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos import matrix, page, schedules, session
from tests.chaos.playing import lane_on, play_all
from tests.chaos.scenario import Outcome, shuffled

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the matrix, and say how it ended; 1 if anything did not hold."""
    options = _parser().parse_args(arguments)
    if options.target != "local":
        sys.exit("--target=cloud: not there yet, expected local; docs/reliability.md says how it would go")
    whole = matrix.sample() if options.short else matrix.scenarios()
    wanted = [each for each in whole if any(part in each.name for part in options.only or [""])]
    wanted = shuffled(wanted, options.seed)
    print(f"{len(wanted)} scenarios, seed {options.seed}", flush=True)
    began = time.monotonic()
    with session.opened(os.environ) as opened, ThreadPoolExecutor(1, "schedules") as beside:
        generated = beside.submit(schedules.play, lane_on(opened), options.seed, options.schedules)
        outcomes = play_all(opened, wanted, options.lanes, stop_at_first=options.stop_at_first)
        generated.result()
    seconds = time.monotonic() - began
    failed = [each for each in outcomes if each.wrong]
    for each in failed:
        print(each.told())
    line = summary(outcomes)
    if options.page:
        PAGE.write_text(page.written(PAGE.read_text(), outcomes, line, options.seed, seconds, options.schedules))
    print(f"{seconds:.0f} s, {len(failed)} failed")
    print(line)
    return 1 if failed or len(outcomes) < len(wanted) else 0


def summary(outcomes: Sequence[Outcome]) -> str:
    """Give the last line."""
    fired = sum(bool(each.fired) for each in outcomes)
    lost = sum(each.verdict.lost for each in outcomes if each.verdict)
    doubled = sum(each.verdict.doubled for each in outcomes if each.verdict)
    return f"{len(outcomes)} scenarios, {fired} faults fired, {lost} lost, {doubled} doubled"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="orders the scenarios")
    parser.add_argument("--lanes", type=int, default=6, help="scenarios side by side (default: %(default)s)")
    parser.add_argument("--only", action="append", help="play the scenarios whose name has this in it; repeatable")
    parser.add_argument("--schedules", type=int, default=0, help="generated schedules to play beside the matrix")
    parser.add_argument("--short", action="store_true", help="play the short version")
    parser.add_argument("--stop-at-first", action="store_true", help="play nothing more once something did not hold")
    parser.add_argument("--page", action="store_true", help="write the outcome into docs/reliability.md")
    parser.add_argument("--target", choices=("local", "cloud"), default="local")
    return parser


if __name__ == "__main__":
    sys.exit(main())
