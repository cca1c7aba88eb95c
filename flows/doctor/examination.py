"""Make the checks in their order, each within its time, and let none of them end the examination."""

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from flows.doctor.finding import Finding, Verdict, problem, skipped
from flows.doctor.seen import Seen

CHECK_S = 8.0
"""How long one check may take."""
WHOLE_S = 18.0
"""How long all of them may take together."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check by name. It is skipped unless all that it `needs` are made, and none of them is a problem.

    What it takes to `load` its code is not held against its time: that is for hosts that stay silent.
    """

    name: str
    examine: Callable[[Seen], Finding | Sequence[Finding]]
    needs: tuple[str, ...] = ()
    load: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Examined:
    """One finding of one check."""

    check: str
    verdict: Verdict
    found: str
    what_to_do: str


def examine(
    checks: Sequence[Check],
    seen: Seen,
    only: Collection[str] = (),
    limits_s: tuple[float, float] = (CHECK_S, WHOLE_S),
) -> Iterator[Examined]:
    """Make the checks one after the other, and give what each found as soon as it is known.

    Args:
        checks: all of them, each behind those that it needs.
        seen: where to look, and what must not be shown.
        only: the names of those whose findings are given; all if it is empty. What they need is made as well.
        limits_s: for a check, and for all of them.
    """
    left_s = limits_s[1]
    wanted = _with_needs(checks, only) if only else {check.name for check in checks}
    stopped: dict[str, str] = {}  # checks after which others cannot be made, and why
    for check in checks:
        if check.name not in wanted:
            continue
        if reason := next((stopped[name] for name in check.needs if name in stopped), None):
            found = [skipped(reason)]
        else:
            found = _unforeseen(check.load)
            began = time.monotonic()
            found = found or _bounded(check, seen, min(limits_s[0], left_s))
            left_s -= time.monotonic() - began
        for verdict in ("problem", "skipped"):
            if any(each.verdict == verdict for each in found):
                stopped.setdefault(check.name, reason or _because(check.name, verdict))
        if not only or check.name in only:
            for each in found:
                clean = _without(each, seen.hidden)
                yield Examined(check.name, clean.verdict, clean.found, clean.what_to_do)


def left_behind(checks: Iterable[Check]) -> bool:
    """Tell whether a check's thread is still at work, after its time.

    A process that ends then must end at once: the interpreter, ending in order, pulls each thread out of whatever it is
    in, and out of a C++ library's code that aborts the process.
    """
    names = {check.name for check in checks}
    return any(thread.name in names for thread in threading.enumerate())


def _because(name: str, verdict: str) -> str:
    return f"not looked at: `{name}` comes first, and {'has a problem' if verdict == 'problem' else 'was skipped'}"


def _with_needs(checks: Iterable[Check], only: Collection[str]) -> set[str]:
    needs = {check.name: check.needs for check in checks}
    wanted: set[str] = set()
    waiting = [*only]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += needs[name]
    return wanted


def _bounded(check: Check, seen: Seen, seconds: float) -> list[Finding]:
    """Make a check in a thread of its own, which is left behind when its time is over."""
    if seconds <= 0:
        return [skipped("the time for all checks was over", f"landfall doctor --only {check.name}")]
    made: SimpleQueue[list[Finding]] = SimpleQueue()
    threading.Thread(target=lambda: made.put(_examined(check, seen)), name=check.name, daemon=True).start()
    try:
        return made.get(timeout=seconds)
    except Empty:
        return [
            problem(
                f"no answer within {seconds:.0f} s",
                f"is the network slow, or a host silent? Once more, alone: landfall doctor --only {check.name}",
            )
        ]


def _examined(check: Check, seen: Seen) -> list[Finding]:
    found: list[Finding] = []

    def examine() -> None:
        made = check.examine(seen)
        found.extend([made] if isinstance(made, Finding) else made)

    return _unforeseen(examine) or found


def _unforeseen(step: Callable[[], object]) -> list[Finding]:
    """Take a step; whatever it runs into is a finding, and the other checks go on."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - nobody has foreseen it
        said = "".join(each if each.isprintable() else " " for each in re.sub(r"//[^/?#\s]*@", "//", str(error)))
        return [
            problem(
                f"{type(error).__name__}: {' '.join(said.split())[:500]}",
                "nobody has foreseen this; the words above are Python's or a library's",
            )
        ]
    return []


def _without(finding: Finding, hidden: Collection[str]) -> Finding:
    """Leave out what must not be seen, wherever it came from: the last of several guards."""
    found, what_to_do = finding.found, finding.what_to_do
    for secret in hidden:
        found, what_to_do = found.replace(secret, "(a secret)"), what_to_do.replace(secret, "(a secret)")
    return replace(finding, found=found, what_to_do=what_to_do)
