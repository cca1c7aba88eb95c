"""One step after the other, each with its time, and a clean end whatever happens."""

import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcloud.signals import Interrupted, handled_by

LOG_LINES = 25
_NAME_WIDTH = 12

Say = Callable[[str], None]


class StepFailed(Exception):
    """A step did not do what it should; the message says what was found and what was expected."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, and what it needs on the PATH.

    `run` returns what was seen, in one line or a few; or raises StepFailed.
    """

    name: str
    run: Callable[[], str]
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the last line says: proven by these steps, and not provable by any of them."""

    proven: Callable[[], str]
    not_proven: str


def rehearse(steps: Sequence[Step], end: Step, verdict: Verdict, say: Say, *, in_ci: bool) -> int:
    """Do the steps in their order, then the end, which leaves nothing running, and return the exit code.

    A step that fails is the last one but the end: what comes after it needs it. Where a program is missing, its steps
    are left out and counted; in CI nothing is done at all then.
    """
    start = time.monotonic()
    missing = sorted({step.needs for step in steps if step.needs and shutil.which(step.needs) is None})
    if missing and in_ci:
        say(
            f"{', '.join(missing)}: not found on the PATH, expected in CI, where nothing may be left out; nothing was"
            " rehearsed"
        )
        return 1
    chosen = [step for step in steps if step.needs not in missing]
    left_out = [step.name for step in steps if step.needs in missing]
    code = _all(chosen, end, say, len(chosen) + 1)
    if code:
        return code
    if left_out:
        wanting = ", ".join(missing)
        say(f"skipped {len(left_out)} of {len(steps) + 1} steps, for want of {wanting}: {', '.join(left_out)}")
    say(f"proven in {time.monotonic() - start:.0f} s: {verdict.proven()}; no laptop proves {verdict.not_proven}")
    return 0


def _all(steps: Sequence[Step], end: Step, say: Say, count: int) -> int:
    code = 0
    try:
        for number, step in enumerate(steps, 1):
            code = _one(step, f"{number:>2}/{count}", say)
            if code:
                break
    except Interrupted as interrupted:
        say(f"{interrupted}: stopping what was started")
        code = interrupted.exit_code
    finally:
        with handled_by(signal.SIG_IGN):  # it is bounded, and a second Ctrl-C must not leave half of it
            ended = _one(end, f"{count:>2}/{count}", say)
    return code or ended


def _one(step: Step, number: str, say: Say) -> int:
    start = time.monotonic()

    def line(text: str) -> None:
        first, *others = text.splitlines() or [""]
        say(f"{number} {step.name:<{_NAME_WIDTH}} {time.monotonic() - start:6.1f} s  {first}")
        for other in others:
            say(f"      {other}")

    try:
        line(step.run())
    except StepFailed as failure:
        line(f"FAILED: {failure}")
        if failure.log and failure.log.exists():
            say(f"the end of {failure.log}:")
            for each in failure.log.read_text(errors="replace").splitlines()[-LOG_LINES:]:
                say(f"  {each}")
        return 1
    except Interrupted:
        line("interrupted")
        raise
    return 0
