"""What to do about runs that ended without a word, and jobs that nobody needs: decided from facts, done elsewhere.

A run that is at work in Cloud Run is left alone, whatever Prefect says of it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from prefect.client.schemas.objects import StateType

from flows.runs.jobs import Job
from flows.runs.states import Run

# A worker that Prefect hears from may still be making a job: it tries three times, a minute at most each, and waits
# until Cloud Run has it ready. After this it has forgotten the run.
FORGOTTEN_AFTER = dt.timedelta(minutes=15)
# How long ago a run may have crashed to be run again: what nobody saw for a day is for a person.
NEWS = dt.timedelta(days=1)
# Jobs of runs that Prefect does not know may be another server's.
STRANGE_AFTER = dt.timedelta(days=1)


class Do(StrEnum):
    """What is done about a job or a run; in this order, so that a run's old jobs are gone before it starts again."""

    DELETE = "delete"
    CRASH = "crash"
    CANCEL = "cancel"
    REPEAT = "repeat"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `subject` is a job's or a run's name; `run_id` is the run, None if nobody knows it.

    Two looks that find the same give equal steps: `state_id` is the state that the run was found in.
    """

    do: Do
    subject: str
    why: str = field(compare=False)
    run_id: UUID | None = None
    state_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What Cloud Run and Prefect say, in the order in which they must be asked.

    Runs are read before jobs and again after them: one that has neither a job nor a change of state in between has
    no job. `workers` are those that Prefect hears from.
    """

    before: Sequence[Run]
    jobs: Sequence[Job]
    runs: Sequence[Run]
    workers: AbstractSet[str]


def decide(facts: Facts, repeats: int, now: dt.datetime) -> list[Step]:
    """Say what to do, in order; a crashed run is run again *repeats* times at most."""
    jobs: dict[str, list[Job]] = {}
    for job in facts.jobs:
        jobs.setdefault(job.flow_run_id, []).append(job)
    runs = {str(run.id): run for run in facts.runs}
    unchanged = {run.state_id for run in facts.before}
    steps: list[Step] = []
    for run_id, its in jobs.items():
        steps += _about_jobs(its, runs.get(run_id), now)
    for run_id, run in runs.items():
        its = jobs.get(run_id, [])
        if any(job.at_work for job in its):
            continue
        if run.state == StateType.CRASHED:
            steps += _about_crashed(run, repeats, now)
        elif not run.final and run.state_id in unchanged and (why := _stopped(run, its, facts.workers, now)):
            steps += _about_stopped(run, its, why, repeats)
    return sorted(steps, key=lambda step: list(Do).index(step.do))


def standing(steps: Iterable[Step], earlier: Sequence[Step]) -> list[Step]:
    """Keep what an earlier look said as well: who is still at work on it has had time to say so."""
    return [step for step in steps if step in earlier]


def _about_jobs(jobs: Sequence[Job], run: Run | None, now: dt.datetime) -> Iterator[Step]:
    """Delete the jobs of a run that has ended, or that waits to be run again."""
    for job in jobs:
        if job.at_work:
            continue
        if run is None and now - job.created > STRANGE_AFTER:
            yield Step(Do.DELETE, job.name, "Prefect does not know its run")
        elif run and (run.final or run.state == StateType.SCHEDULED):
            yield Step(Do.DELETE, job.name, f"its run {run.name} is {run.state.value.lower()}", run.id, run.state_id)


def _about_stopped(run: Run, jobs: Sequence[Job], why: str, repeats: int) -> Iterator[Step]:
    for job in jobs:
        yield Step(Do.DELETE, job.name, f"its run {run.name} has stopped", run.id, run.state_id)
    if run.state == StateType.CANCELLING:
        yield Step(Do.CANCEL, run.name, why, run.id, run.state_id)
        return
    yield Step(Do.CRASH, run.name, why, run.id, run.state_id)
    yield _again(run, why, repeats)


def _about_crashed(run: Run, repeats: int, now: dt.datetime) -> Iterator[Step]:
    if run.repeatable and not run.given_up and now - run.since < NEWS:
        yield _again(run, run.message, repeats)


def _again(run: Run, why: str, repeats: int) -> Step:
    if run.repeats < repeats:
        return Step(Do.REPEAT, run.name, f"{run.repeats + 1} of {repeats}: {why}", run.id, run.state_id)
    return Step(Do.GIVE_UP, run.name, f"it crashed again after {run.repeats} repeats: {why}", run.id, run.state_id)


def _stopped(run: Run, jobs: Sequence[Job], workers: AbstractSet[str], now: dt.datetime) -> str | None:
    """Say why nothing more will come of a run that Prefect takes for open, if that is so.

    What runs has a job at work. What is pending or cancelling may be about to get one, from its worker.
    """
    if run.state == StateType.RUNNING:
        return _last_words(jobs)
    if run.state not in {StateType.PENDING, StateType.CANCELLING}:
        return None
    if run.worker is not None and run.worker not in workers:
        return f"its worker {run.worker} is gone, {_last_words(jobs)}"
    if now - run.since > FORGOTTEN_AFTER:
        return f"its worker has forgotten it, {_last_words(jobs)}"
    return None


def _last_words(jobs: Sequence[Job]) -> str:
    ends = [end for job in jobs for end in job.ends]
    if ends:
        return f"Cloud Run says that {'; '.join(ends)}"
    return "its Cloud Run job was never started" if jobs else "it has no Cloud Run job"
