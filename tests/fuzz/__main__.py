"""Fuzz contract reader, decoders and formats: `make fuzz SECONDS=300`, and `--seed S --only csv:123` for one input.

Each input follows from the seed, its target and its number, so that a finding can be made again; its bytes are saved.
A finding is any exception but a LandfallError, rows that do not add up, an input that takes long or much memory, and a
process that dies.
"""

import argparse
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from flows.etl.errors import LandfallError
from tests.fuzz.targets import TARGETS

HANG_S = 10
GROWTH_KB = 400_000  # of the peak, by one input
SHOWN = 5  # findings a target


class Hangs(Exception):
    """An input takes too long."""


def _ring(*_: object) -> None:
    raise Hangs(f"goes on after {HANG_S} s")


def try_one(name: str, seed: int, number: int) -> tuple[str, str, bytes]:
    """Read one input; gives `read`, `refused` or `finding`, what is to be said of it, and the input."""
    chance = random.Random(f"{seed} {name} {number}")
    data = TARGETS[name].make(chance)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        TARGETS[name].read(data, chance)
        outcome, word = "read", ""
    except LandfallError as error:
        outcome, word = ("refused", "") if str(error) else ("finding", "an error without a word")
    except Exception:  # noqa: BLE001 - anything else is what is looked for
        outcome, word = "finding", traceback.format_exc(limit=-4)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if growth > GROWTH_KB:
        outcome, word = "finding", f"{word}\ntook {growth:,} KB more memory"
    return outcome, word, data


def fuzz(name: str, seed: int, seconds: float, at: Any = None) -> Counter[str]:
    """Read inputs of one target for so long; `at` holds the number at work, for whoever survives a crash."""
    counts: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    number = 0
    while time.monotonic() < ends:
        if at is not None:
            at.value = number
        signal.signal(signal.SIGALRM, _ring)
        signal.alarm(HANG_S)
        try:
            outcome, word, data = try_one(name, seed, number)
        finally:
            signal.alarm(0)
        counts[outcome] += 1
        if outcome == "finding":
            last = word.strip().splitlines()[-1][:60]
            seen[last] += 1
            if seen[last] == 1 and len(seen) <= SHOWN:
                saved = Path(tempfile.gettempdir()) / f"landfall-fuzz-{name}-{seed}-{number}"
                saved.write_bytes(data)
                print(f"FINDING --seed {seed} --only {name}:{number}, saved as {saved}\n{word}", flush=True)
        number += 1
    return counts


def _child(name: str, seed: int, seconds: float, at: Any, answer: Any) -> None:
    answer.put(dict(fuzz(name, seed, seconds, at)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--only", metavar="TARGET[:NUMBER]", default="")
    asked = parser.parse_args()
    only, _, number = asked.only.partition(":")
    if number:
        outcome, word, data = try_one(only, asked.seed, int(number))
        sys.exit(f"{outcome}\n{word}\n{data!r}" if outcome == "finding" else 0)
    print(f"seed {asked.seed}", flush=True)
    names = [only] if only else list(TARGETS)
    context = multiprocessing.get_context("fork")
    failed = False
    for name in names:
        at, answer = context.Value("q", 0), context.SimpleQueue()
        child = context.Process(target=_child, args=(name, asked.seed, asked.seconds / len(names), at, answer))
        child.start()
        child.join()
        if child.exitcode:
            print(f"FINDING --seed {asked.seed} --only {name}:{at.value}: the process died ({child.exitcode})")
            failed = True
            continue
        counts = answer.get()
        failed = failed or bool(counts.get("finding"))
        said = ", ".join(f"{counts.get(outcome, 0):,} {outcome}" for outcome in ("read", "refused", "finding"))
        print(f"{name:10} {sum(counts.values()):>9,} inputs: {said}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
