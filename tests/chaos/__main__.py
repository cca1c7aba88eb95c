"""The fault matrix: `python -m localcloud exec -- python -m tests.chaos`, which is `make chaos`."""

# ruff: noqa: T201  # it says on the terminal what happens

import argparse
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Sequence

from tests.chaos import content, judge, matrix, session
from tests.chaos.boundaries import PREFECT, PUBLISHER, STORAGE, WAREHOUSE
from tests.chaos.scenario import Lane, Outcome, Scenario, play, shuffled
from tests.chaos.session import Session

AHEAD = 8  # months whose older content is landed in one run, before their scenarios


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the matrix, and say how it ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--only", default="", help="play the scenarios whose name has this in it")
    parser.add_argument("--sample", type=int, default=0)
    options = parser.parse_args(arguments)
    wanted = [each for each in matrix.scenarios() if options.only in each.name]
    wanted = shuffled(wanted, options.seed)[: options.sample or None]
    print(f"{len(wanted)} scenarios, seed {options.seed}", flush=True)
    began = time.monotonic()
    with session.opened(os.environ) as opened:
        outcomes = play_all(opened, wanted, options.lanes)
    failed = [each for each in outcomes if each.wrong]
    for each in failed:
        print(f"\nFAILED {each.scenario.name} ({each.month})")
        for why in each.wrong:
            print(f"  {why}")
        print("\n".join("    | " + line for line in each.text.splitlines()[-25:]))
    lost = sum(each.verdict.lost for each in outcomes if each.verdict)
    doubled = sum(each.verdict.doubled for each in outcomes if each.verdict)
    print(f"{time.monotonic() - began:.0f} s, {len(failed)} failed")
    print(f"{len(outcomes)} scenarios, {sum(bool(each.fired) for each in outcomes)} faults fired, {lost} lost, {doubled} doubled")
    return 1 if failed else 0


def play_all(opened: Session, wanted: Sequence[Scenario], lanes: int) -> list[Outcome]:
    """Play scenarios in lanes side by side."""
    waiting: queue.SimpleQueue[Scenario] = queue.SimpleQueue()
    for each in wanted:
        waiting.put(each)
    outcomes: list[Outcome] = []

    def work() -> None:
        upstreams = {
            PUBLISHER: opened.publisher.url,
            STORAGE: opened.cloud["STORAGE_EMULATOR_HOST"],
            WAREHOUSE: opened.cloud["BIGQUERY_EMULATOR_HOST"],
            PREFECT: opened.cloud["PREFECT_API_URL"].removesuffix("/api"),
        }
        lane = Lane(opened, opened.place(), upstreams)
        months: list[str] = []
        while True:
            try:
                scenario = waiting.get_nowait()
            except queue.Empty:
                return
            if scenario.boundary.world == "first":
                outcome = play(Lane(opened, opened.place(), upstreams), scenario, opened.months(1)[0])
            else:
                if not months:
                    months = opened.months(AHEAD)
                    for month in months:
                        opened.serve(content.make(month, "A"))
                    opened.land(lane.place, months[0], months[-1])
                outcome = play(lane, scenario, months.pop())
            outcomes.append(outcome)
            word = "FAILED" if outcome.wrong else "ok"
            print(f"{len(outcomes):4} {word:6} {outcome.seconds:5.1f} s  {scenario.name}: {outcome.code}; {outcome.repeat}", flush=True)

    threads = [threading.Thread(target=work) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
