"""The fault matrix: `python -m localcloud exec -- python -m tests.chaos`, which is `make chaos`."""

# it says on the terminal what happens

import argparse
import os
import queue
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.chaos import matrix, session
from tests.chaos.boundaries import PREFECT, PUBLISHER, STORAGE, WAREHOUSE
from tests.chaos.content import Form
from tests.chaos.own_cloud import OwnCloud
from tests.chaos.scenario import Lane, Outcome, Scenario, play, shuffled
from tests.chaos.session import Session

Waiting = queue.SimpleQueue[Scenario]
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
    print(
        f"{len(outcomes)} scenarios, {sum(bool(each.fired) for each in outcomes)} faults fired, {lost} lost, {doubled} doubled"
    )
    return 1 if failed else 0


def play_all(opened: Session, wanted: Sequence[Scenario], lanes: int) -> list[Outcome]:
    """Play scenarios in lanes side by side; those that restart a service in one lane with a cloud of its own."""
    shared: Waiting = queue.SimpleQueue()
    own: Waiting = queue.SimpleQueue()
    for each in wanted:
        (own if each.restarts else shared).put(each)
    outcomes: list[Outcome] = []

    def on_a_cloud_of_its_own() -> None:
        if not own.empty():
            with OwnCloud() as cloud:
                _play(opened, own, outcomes, cloud)
        _play(opened, shared, outcomes, None)

    work = [on_a_cloud_of_its_own, *[lambda: _play(opened, shared, outcomes, None)] * (lanes - 1)]
    with ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(each) for each in work]:
            done.result()
    return outcomes


def _play(opened: Session, waiting: Waiting, outcomes: list[Outcome], cloud: OwnCloud | None) -> None:
    """Play what waits, one after the other, until nothing does."""
    environment = {**opened.cloud, **(cloud.environment if cloud else {})}
    kept = {name: value for name, value in environment.items() if name.startswith(("PREFECT_", "GCE_"))}
    upstreams = {
        PUBLISHER: opened.publisher.url,
        STORAGE: environment["STORAGE_EMULATOR_HOST"],
        WAREHOUSE: environment["BIGQUERY_EMULATOR_HOST"],
        PREFECT: environment["PREFECT_API_URL"].removesuffix("/api"),
    }
    led = kept | {
        "STORAGE_EMULATOR_HOST": upstreams[STORAGE],
        "BIGQUERY_EMULATOR_HOST": upstreams[WAREHOUSE],
    }
    lanes: dict[Form, Lane] = {}
    landed: dict[Form, list[str]] = {"gzip": [], "zip": []}
    while True:
        try:
            scenario = waiting.get_nowait()
        except queue.Empty:
            return
        form = scenario.form
        if scenario.boundary.world == "first":
            lane, month = Lane(opened, opened.place(led), upstreams, form, cloud), opened.months(1)[0]
        else:
            if form not in lanes:
                lanes[form] = Lane(opened, opened.place(led), upstreams, form, cloud)
            lane = lanes[form]
            if not landed[form]:
                landed[form] = opened.months(AHEAD)
                for each in landed[form]:
                    opened.serve(lane.content(each, "A"))
                opened.land(lane.place, form, landed[form][0], landed[form][-1])
            month = landed[form].pop()
        outcome = play(lane, scenario, month)
        outcomes.append(outcome)
        word = "FAILED" if outcome.wrong else "ok"
        print(
            f"{len(outcomes):4} {word:6} {outcome.seconds:5.1f} s  {scenario.name}: {outcome.code}; {outcome.repeat}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
