"""The landing protocol as a model: every interleaving and every crash of a few processes on one partition.

The world: a publisher whose content changes at any moment; a lake in which each claim owns one object; a log of
claims, written by put-if-absent, whose reply may be lost; load jobs that are accepted, later read their object (and
fail if it is gone), later commit (replace the partition); a ledger; somebody who deletes the newest claim's object or
drops the table from outside; a sweep of objects that no claim names. A process may crash between any two steps. Some
processes bring an older claim's content back. In the end one more process runs alone, and the table must hold what the
publisher serves, or what was brought back over that; the lake must hold the newest claim's object, and no older one's.

The names of the steps are those of the code: `test_the_code_takes_the_models_steps` holds the two together.

    python tests/protocol/landing_model.py [--long]     # the long search: some minutes
"""

import sys
from collections import deque
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

ATTEMPTS = 2  # a load job fails for a passing reason at most once a claim
NO_TABLE, EMPTY = "no table", "no rows"

RULES = {
    "numbered": "a load job is named after its claim's number, not after its content",
    "if absent": "a claim is written only if its number is free",
    "own": "a claim that names one's own object is one's own, its reply was lost",
    "alive": "a claim is adopted only if its object is there",
    "look": "the source is looked at again before a claim",
    "fence": "older claims' objects are taken away before a load",
    "wait": "no job of an older claim is at work during a load",
    "relist": "the log is read again before a load",
    "count": "rows are counted in the table, not only taken from the job",
    "head": "a partition is up to date by the log's newest claim, not by the ledger's",
    "born": "what was loaded before the table was made does not count",
    "stands": "a claim that brings an older content back says over which content of the publisher",
    "released": "and it is adopted for that content only, not for its own",
    "old": "a sweep leaves what a process at work has made",
    "listed first": "a sweep lists objects before it reads the log",
}
# what only saves work: a load job that would fail, a second landing
ECONOMY = {"relist", "own"}


class Claim(NamedTuple):
    """An entry of the log; `left` is how many contents the publisher had left when it was seen to serve this one.

    `over` is the publisher's content for which it is the right claim: its own, but for a content brought `back`.
    """

    content: str
    item: int
    left: int
    over: str
    back: bool = False


class Process(NamedTuple):
    """One run: its next step, and what it knows."""

    step: str = "plan"
    content: str = ""
    left: int = 0
    item: int = -1
    settled: int = 0  # where listing, fence and wait begin
    seen: int = -1  # length of the log when last listed
    n: int = -1  # the claim that it is finishing
    attempt: int = 0
    older: int = 0  # the older claim that it waits for, and which attempt
    older_attempt: int = 0
    wants: int = -1  # the claim whose content it brings back
    over: str = ""


Job = tuple[int | str, int]  # claim (or content, without `numbered`) and attempt


class World(NamedTuple):
    """Everything that outlives a process, and the processes."""

    feed: tuple[str, ...]  # contents still to be published; the first is being served
    processes: tuple[Process, ...]
    log: tuple[Claim, ...] = ()
    live: frozenset[int] = frozenset()  # objects that a load job can read
    jobs: tuple[tuple[Job, str], ...] = ()  # accepted, read, ok, gone, flaky
    table: str = NO_TABLE
    stale: frozenset[int] = frozenset()  # claims whose job ended before the table was made
    ledger: frozenset[int] = frozenset()
    items: int = 0
    crashes: int = 0
    lost: int = 0
    deleted: int = 0
    dropped: int = 0
    sweep: tuple[str, frozenset[int]] | None = None  # what a sweep at work has seen so far
    swept: int = 0
    noticed: frozenset[int] = frozenset()  # `left` of the contents that runs have met since one was brought back


@dataclass(frozen=True)
class Search:
    """How much is searched: contents, processes, and how often each misfortune may strike.

    `landed` are the contents of before, the last of them in the table; `restores` of the processes bring the first of
    them back.
    """

    feed: str
    processes: int = 2
    crashes: int = 1
    lost: int = 0
    deleted: int = 0
    dropped: int = 0
    landed: str = ""
    restores: int = 0
    sweeps: int = 0


def start(search: Search) -> World:
    """Give the world before anything has happened, but for what has landed."""
    restoring = (Process(wants=0),) * search.restores
    world = World(tuple(search.feed), restoring + (Process(),) * (search.processes - search.restores))
    if not (many := len(search.landed)):
        return world
    left = len(search.feed) + many - 1
    return world._replace(
        log=tuple(Claim(content, n, left - n, content) for n, content in enumerate(search.landed)),
        live=frozenset({many - 1}),
        jobs=tuple(((n, 0), "ok") for n in range(many)),
        table=search.landed[-1],
        ledger=frozenset(range(many)),
        items=many,
    )


def _with_job(world: World, job: Job, state: str) -> World:
    return world._replace(jobs=tuple(sorted({**dict(world.jobs), job: state}.items())))


def _goes(world: World, index: int, step: str, **known: object) -> World:
    processes = list(world.processes)
    processes[index] = processes[index]._replace(step=step, **known)  # type: ignore[arg-type]
    return world._replace(processes=tuple(processes))


def _job(world: World, n: int, attempt: int, rules: AbstractSet[str]) -> Job:
    return (n if "numbered" in rules else world.log[n].content, attempt)


def _is_up_to_date(world: World, rules: AbstractSet[str]) -> bool:
    if not world.ledger or world.table == NO_TABLE:
        return False
    row, head = max(world.ledger), len(world.log) - 1
    if "head" in rules and row != head:
        return False
    if "born" in rules and row in world.stale:
        return False
    return world.log[row].over == world.feed[0]


def step(  # noqa: C901, PLR0911, PLR0912 - one case for each step of the protocol, to be read side by side
    world: World, index: int, rules: AbstractSet[str], search: Search
) -> list[World]:
    """Give what process *index* may do next: one atomic action, with each of its possible outcomes."""
    me = world.processes[index]
    newest = len(world.log) - 1
    match me.step:
        case "plan":
            settled = max(world.ledger, default=0)
            if me.wants >= 0:
                return [_goes(world, index, "history", settled=settled)]
            return [_goes(world, index, "end" if _is_up_to_date(world, rules) else "bring", settled=settled)]
        case "bring":
            return [_goes(world, index, "upload", content=world.feed[0], left=len(world.feed))]
        case "upload":
            made = world._replace(items=world.items + 1, live=world.live | {world.items})
            return [_goes(made, index, "list", item=world.items)]
        case "list":
            heard = _goes(world, index, "list", seen=len(world.log), attempt=0, older=me.settled, older_attempt=0)
            if "own" in rules and any(claim.item == me.item for claim in world.log):
                return [_goes(heard, index, "fence", n=newest)]
            same = newest >= 0 and _names(world.log[-1], me.content, rules)
            if same and (world.log[-1].item in world.live or "alive" not in rules):
                adopted = heard._replace(live=world.live - {me.item}, noticed=world.noticed | _met(me, search))
                return [_goes(adopted, index, "fence", n=newest)]
            return [_goes(heard, index, "look" if "look" in rules else "claim")]
        case "look":
            if world.feed[0] != me.content:
                return [_goes(world._replace(live=world.live - {me.item}), index, "bring", item=-1)]
            return [_goes(world, index, "claim", left=len(world.feed))]
        case "history":
            heard = _goes(world, index, "served", seen=len(world.log), attempt=0, content=world.log[me.wants].content)
            if "own" in rules and any(claim.item == me.item for claim in world.log):
                return [_goes(heard, index, "fence", n=newest)]
            return [heard]
        case "served":
            seen = world.log[me.seen - 1]
            heard = _goes(world, index, "claim" if me.item >= 0 else "copy", over=world.feed[0], left=len(world.feed))
            if (seen.content, seen.over) == (me.content, world.feed[0]) and seen.item in world.live:
                return [_goes(heard._replace(live=world.live - {me.item}), index, "fence", n=me.seen - 1)]
            return [heard]
        case "copy":
            made = world._replace(items=world.items + 1, live=world.live | {world.items})
            return [_goes(made, index, "claim", item=world.items)]
        case "claim":
            return _claim(world, index, rules, search)
        case "fence":
            older = {claim.item for claim in world.log[me.settled : me.n]}
            fenced = world._replace(live=world.live - older) if "fence" in rules else world
            return [_goes(fenced, index, "wait" if "wait" in rules else "relist", older=me.settled, older_attempt=0)]
        case "wait":
            if me.older >= me.n:
                return [_goes(world, index, "relist")]
            state = dict(world.jobs).get(_job(world, me.older, me.older_attempt, rules))
            if state in ("accepted", "read"):
                return []
            if state is None:
                return [_goes(world, index, "wait", older=me.older + 1, older_attempt=0)]
            return [_goes(world, index, "wait", older_attempt=me.older_attempt + 1)]
        case "relist":
            if "relist" in rules and newest > me.n:
                return [_goes(world, index, "fence", n=newest, attempt=0)]
            return [_goes(world, index, "submit")]
        case "submit":
            ready = world._replace(table=EMPTY) if world.table == NO_TABLE else world
            job = _job(world, me.n, me.attempt, rules)
            sent = ready if job in dict(world.jobs) else _with_job(ready, job, "accepted")
            return [_goes(sent, index, "await")]
        case "await":
            return _await(world, index, rules)
        case "count":
            if newest > me.n:
                return [_goes(world, index, "fence", n=newest, attempt=0)]
            if world.table != world.log[me.n].content and "count" in rules:
                return [_goes(world, index, "repair", seen=len(world.log))]
            return [_goes(world, index, "record")]
        case "repair":
            return _repair(world, index)
        case "record":
            return [_goes(world._replace(ledger=world.ledger | {me.n}), index, "end")]
    return []


def _claim(world: World, index: int, rules: AbstractSet[str], search: Search) -> list[World]:
    me = world.processes[index]
    back = me.wants >= 0
    again = "history" if back else "list"
    if "if absent" in rules and len(world.log) != me.seen:
        return [_goes(world, index, again)]
    over = me.over if back and "stands" in rules else me.content
    made = world._replace(
        log=(*world.log, Claim(me.content, me.item, me.left, over, back)),
        noticed=frozenset() if back else world.noticed | _met(me, search),
    )
    outcomes = [_goes(made, index, "fence", n=len(world.log), attempt=0)]
    if world.lost < search.lost:
        outcomes.append(_goes(made._replace(lost=world.lost + 1), index, again))
    return outcomes


def _names(newest: Claim, content: str, rules: AbstractSet[str]) -> bool:
    """Tell whether a claim is the right one for a content that was brought."""
    return content == newest.over or ("released" not in rules and content == newest.content)


def _met(me: Process, search: Search) -> frozenset[int]:
    """Give which content of the publisher a run has met; what only the promise needs is left out elsewhere."""
    return frozenset({me.left} if search.restores else ())


def _await(world: World, index: int, rules: AbstractSet[str]) -> list[World]:
    me = world.processes[index]
    newest = len(world.log) - 1
    match dict(world.jobs)[_job(world, me.n, me.attempt, rules)]:
        case "ok":
            return [_goes(world, index, "count")]
        case "flaky":
            return [_goes(world, index, "relist", attempt=me.attempt + 1)]
        case "gone" if newest > me.n:  # fenced
            return [_goes(world, index, "fence", n=newest, attempt=0)]
        case "gone":  # deleted from outside, or swept
            return [_goes(world, index, _anew(me), item=-1)]
        case _:
            return []


def _anew(me: Process) -> str:
    return "history" if me.wants >= 0 else "bring"


def _repair(world: World, index: int) -> list[World]:
    me = world.processes[index]
    broken = world.log[me.n]
    if broken.item not in world.live:
        return [_goes(world, index, _anew(me), item=-1)]
    if len(world.log) != me.seen:  # another claim came first
        return [_goes(world, index, "fence", n=len(world.log) - 1, attempt=0)]
    copied = world._replace(items=world.items + 1, live=world.live | {world.items})
    claimed = copied._replace(log=(*world.log, broken._replace(item=world.items)))
    return [_goes(claimed, index, "fence", n=len(world.log), attempt=0)]


def bigquery(world: World) -> list[World]:
    """Give what BigQuery may do next: start a job, fail it in passing, or commit it."""
    outcomes = []
    for (who, attempt), state in world.jobs:
        if state not in ("accepted", "read"):
            continue
        n = who if isinstance(who, int) else max(i for i, claim in enumerate(world.log) if claim.content == who)
        if state == "accepted":
            there = world.log[n].item in world.live
            outcomes.append(_with_job(world, (who, attempt), "read" if there else "gone"))
            if attempt + 1 < ATTEMPTS:
                outcomes.append(_with_job(world, (who, attempt), "flaky"))
        elif world.table == NO_TABLE:  # CREATE_NEVER: the job fails, and its object is there
            outcomes.append(_with_job(world, (who, attempt), "flaky"))
        else:
            done = _with_job(world, (who, attempt), "ok")
            outcomes.append(done._replace(table=world.log[n].content, stale=world.stale - {n}))
    return outcomes


def _sweep(world: World, rules: AbstractSet[str], search: Search) -> Iterator[World]:
    """Give what a sweep may do next: list objects, read the log, delete."""
    claimed = frozenset(claim.item for claim in world.log)
    at_work = {p.item for p in world.processes if p.step in ("list", "look", "history", "served", "claim")}
    old = world.live - at_work if "old" in rules else world.live
    match world.sweep:
        case None if world.swept < search.sweeps:
            first = old if "listed first" in rules else claimed
            yield world._replace(sweep=("first", first), swept=world.swept + 1)
        case ("first", first):
            yield world._replace(sweep=("unnamed", first - claimed if "listed first" in rules else old - first))
        case ("unnamed", unnamed):
            yield world._replace(sweep=None, live=world.live - unnamed)


def misfortune(world: World, rules: AbstractSet[str], search: Search) -> Iterator[World]:
    """Give what may happen from outside."""
    if len(world.feed) > 1:
        yield world._replace(feed=world.feed[1:])
    loaded = {who for (who, _), state in world.jobs if state == "ok" and isinstance(who, int)}
    newest = len(world.log) - 1
    if world.deleted < search.deleted and newest >= 0 and world.log[-1].item in world.live and newest not in loaded:
        yield world._replace(live=world.live - {world.log[-1].item}, deleted=world.deleted + 1)
    at_work = any(state in ("accepted", "read") for _, state in world.jobs)
    if world.dropped < search.dropped and world.table not in (NO_TABLE, EMPTY) and not at_work:
        yield world._replace(table=NO_TABLE, stale=world.stale | loaded, dropped=world.dropped + 1)
    yield from _sweep(world, rules, search)
    if world.crashes < search.crashes:
        for index, process in enumerate(world.processes):
            if process.step not in ("end", "dead"):
                yield _goes(world, index, "dead")._replace(crashes=world.crashes + 1)


def alone(world: World, rules: AbstractSet[str], search: Search, wants: int = -1) -> tuple[list[str], World | str]:
    """Run one more process by itself, jobs done at once; gives its steps, and the world or what went wrong."""
    world = world._replace(processes=(Process(wants=wants),), lost=search.lost)
    steps: list[str] = []
    for _ in range(400):
        here = world.processes[0].step
        if here == "end":
            return steps, world
        following = step(world, 0, rules, search)
        if following:
            steps.append(here)
        else:
            following = sorted(bigquery(world), key=lambda w: sum(state == "flaky" for _, state in w.jobs))
        if not following:
            return steps, f"no way on at {here}"
        world = following[0]
    return steps, "no end"


def check(rules: AbstractSet[str], search: Search) -> tuple[int, str | None]:
    """Search every reachable world; gives how many there are, and the first that breaks the promise."""
    first = start(search)
    seen, todo = {first}, deque([first])
    while todo:
        world = todo.popleft()
        following = [w for i in range(search.processes) for w in step(world, i, rules, search)]
        following += bigquery(world)
        idle = all(p.step in ("end", "dead") for p in world.processes) and all(
            state not in ("accepted", "read") for _, state in world.jobs
        )
        if why := _broken(world, idle, rules, search):
            return len(seen), f"{why}: {world}"
        if not following and not idle:
            return len(seen), f"deadlock: {world}"
        for reached in [*following, *misfortune(world, rules, search)]:
            alike = reached._replace(processes=tuple(sorted(reached.processes)))  # processes are interchangeable
            if alike not in seen:
                seen.add(alike)
                todo.append(alike)
    return len(seen), None


def _broken(world: World, idle: bool, rules: AbstractSet[str], search: Search) -> str | None:
    if any(a.left < b.left for a, b in zip(world.log, world.log[1:], strict=False)):
        return "an old download came after a newer one"
    if not idle:
        return None
    ended = world.log and all(p.step == "end" for p in world.processes)
    if ended and not world.dropped and world.table != world.log[-1].content:
        return f"all ended, the table holds {world.table}, the newest claim says {world.log[-1].content}"
    return _not_settled(world, rules, search) if len(world.feed) == 1 else None


def _not_settled(world: World, rules: AbstractSet[str], search: Search) -> str | None:
    """Let one more run settle a world that is idle, and tell what it does not."""
    end = alone(world, rules, search)[1]
    if isinstance(end, str):
        return f"one more run: {end}"
    if end.table not in (wanted := _wanted(world, search)):
        return f"after one more run the table holds {end.table!r}, expected one of {wanted}"
    *older, newest = (claim.item for claim in end.log)
    if not world.deleted and not world.sweep and (newest not in end.live or end.live & {*older}):
        return f"after one more run the lake holds {set(end.live)}, the newest claim's object is {newest}"
    return None


def _wanted(world: World, search: Search) -> set[str]:
    """Give what the table may hold: what the publisher serves, or what was brought back while it served that."""
    served = world.feed[0]
    pins = [claim for claim in world.log if claim.back]
    if not pins:
        return {served}
    pin = pins[-1]
    if pin.left == len(world.feed):
        return {pin.content}
    met = {search.feed[-left] for left in world.noticed if left < pin.left}
    if world.log[-1].back and pin.over == served and met <= {served}:  # it went and came back, and nobody saw
        return {pin.content, served}
    return {served}


SHORT = (
    Search("A", crashes=2, lost=1, deleted=1),
    Search("AB", crashes=1, lost=1),
    Search("ABA", crashes=1),
    Search("A", crashes=1, dropped=1),
    Search("A", crashes=1, sweeps=1),
    Search("BC", landed="AB", restores=1, crashes=1),
    Search("BAB", landed="AB", restores=1),
)
LONG = (
    *SHORT,
    Search("AB", crashes=2, lost=1, deleted=1),
    Search("ABA", crashes=2, lost=1),
    Search("AB", crashes=1, dropped=1),
    Search("AB", crashes=1, lost=1, sweeps=1),
    Search("BAB", landed="AB", restores=1, crashes=1, lost=1),
    Search("B", landed="AB", restores=1, crashes=1, lost=1, sweeps=1),
    Search("B", landed="AB", restores=2, processes=3),
    Search("B", landed="AB", restores=1, crashes=1, dropped=1),
)

if __name__ == "__main__":
    for each in LONG if "--long" in sys.argv else SHORT:
        states, why = check(set(RULES), each)
        print(f"{each}: {states:,} states, {why or 'no violation'}", flush=True)
