"""What is decided about runs and jobs, case by case: nothing at work is touched, nothing dead is left."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType

from flows.runs.jobs import Job
from flows.runs.recovery import FORGOTTEN_AFTER, NEWS, STRANGE_AFTER, Do, Facts, Step, decide, standing
from flows.runs.states import Run

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
A_MOMENT_AGO = NOW - dt.timedelta(seconds=5)
RUN = Run(
    id=UUID(int=1),
    name="able-ant",
    state=StateType.RUNNING,
    state_id=UUID(int=100),
    since=A_MOMENT_AGO,
    message="",
    worker="worker a",
    repeats=0,
    given_up=False,
    repeatable=True,
)
AT_WORK = Job("projects/p/locations/l/jobs/able-ant-1", str(RUN.id), A_MOMENT_AGO, 1, ())
ENDED = replace(AT_WORK, at_work=0, ends=("able-ant-1-x failed: The container ran out of memory.",))
IDLE = replace(AT_WORK, at_work=0)
LISTENING = frozenset({"worker a"})


def decided(run: Run, *jobs: Job, before: Sequence[Run] | None = None, workers: frozenset[str] = LISTENING) -> list[Do]:
    return [step.do for step in steps(run, *jobs, before=before, workers=workers)]


def steps(run: Run, *jobs: Job, before: Sequence[Run] | None = None, workers: frozenset[str] = LISTENING) -> list[Step]:
    return decide(Facts([run] if before is None else before, jobs, [run], workers), 3, NOW)


@pytest.mark.parametrize("state", list(StateType))
@pytest.mark.parametrize("since", [A_MOMENT_AGO, NOW - dt.timedelta(days=30)])
@pytest.mark.parametrize("workers", [LISTENING, frozenset[str]()], ids=["worker at work", "worker gone"])
def test_a_job_at_work_and_its_run_are_left_alone_whatever_prefect_says(
    state: StateType, since: dt.datetime, workers: frozenset[str]
) -> None:
    run = replace(RUN, state=state, since=since)
    assert steps(run, AT_WORK, workers=workers) == []
    old = replace(ENDED, name=f"{ENDED.name}-old")
    over = run.final or state == StateType.SCHEDULED
    found = steps(run, AT_WORK, old, workers=workers)
    assert found == ([Step(Do.DELETE, old.name, "", run.id, run.state_id)] if over else [])


def test_a_run_that_ended_without_a_word_is_set_to_crashed_and_run_again_with_its_job_gone_before() -> None:
    why = "Cloud Run says that able-ant-1-x failed: The container ran out of memory."
    found = steps(RUN, ENDED)
    assert found == [
        Step(Do.DELETE, ENDED.name, "", RUN.id, RUN.state_id),
        Step(Do.CRASH, "able-ant", "", RUN.id, RUN.state_id),
        Step(Do.REPEAT, "able-ant", "", RUN.id, RUN.state_id),
    ]
    assert [step.why for step in found] == ["its run able-ant has stopped", why, f"1 of 3: {why}"]


def test_a_running_run_whose_job_is_gone_has_stopped() -> None:
    assert decided(RUN) == [Do.CRASH, Do.REPEAT]


def test_a_run_whose_state_changed_between_the_two_readings_is_left_alone() -> None:
    assert decided(RUN, before=[replace(RUN, state_id=UUID(int=99))]) == []
    assert decided(RUN, before=[]) == []


@pytest.mark.parametrize(("state", "then"), [
    (StateType.PENDING, [Do.CRASH, Do.REPEAT]),
    (StateType.CANCELLING, [Do.CANCEL]),
])  # fmt: skip
@pytest.mark.parametrize("jobs", [(), (IDLE,), (ENDED,)], ids=["no job", "a job that was not run", "a job that ended"])
def test_a_run_that_waits_for_its_worker_is_taken_up_when_that_is_gone_or_has_forgotten_it(
    state: StateType, then: list[Do], jobs: tuple[Job, ...]
) -> None:
    waiting = replace(RUN, state=state)
    deleted = [Do.DELETE] * len(jobs)
    assert decided(waiting, *jobs) == []
    assert decided(waiting, *jobs, workers=frozenset()) == deleted + then
    unsigned = replace(waiting, worker=None)
    assert decided(unsigned, *jobs) == []
    old = replace(unsigned, since=NOW - FORGOTTEN_AFTER - dt.timedelta(seconds=1))
    assert decided(old, *jobs) == deleted + then
    assert decided(replace(old, worker="worker a"), *jobs) == deleted + then


@pytest.mark.parametrize("state", [StateType.SCHEDULED, StateType.PAUSED])
def test_a_run_that_waits_for_its_time_or_a_person_is_left_alone(state: StateType) -> None:
    assert decided(replace(RUN, state=state, since=NOW - dt.timedelta(days=9)), workers=frozenset()) == []


@pytest.mark.parametrize("state", [StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED])
def test_of_a_run_that_ended_otherwise_only_the_job_goes(state: StateType) -> None:
    assert decided(replace(RUN, state=state), ENDED, IDLE) == [Do.DELETE, Do.DELETE]
    assert decided(replace(RUN, state=state)) == []


def test_a_crashed_run_is_run_again_as_often_as_allowed_and_then_left_to_people_once() -> None:
    crashed = replace(RUN, state=StateType.CRASHED, message="Flow run infrastructure exited")
    assert [step.why for step in steps(crashed)] == ["1 of 3: Flow run infrastructure exited"]
    assert decided(replace(crashed, repeats=2)) == [Do.REPEAT]
    assert decided(replace(crashed, repeats=3)) == [Do.GIVE_UP]
    assert decided(replace(crashed, repeats=3, given_up=True)) == []
    assert decided(replace(RUN, repeats=3), ENDED) == [Do.DELETE, Do.CRASH, Do.GIVE_UP]


def test_a_run_that_crashed_long_ago_or_has_no_deployment_is_not_run_again() -> None:
    crashed = replace(RUN, state=StateType.CRASHED)
    assert decided(replace(crashed, since=NOW - NEWS)) == []
    assert decided(replace(crashed, since=NOW - NEWS + dt.timedelta(seconds=1))) == [Do.REPEAT]
    assert decided(replace(crashed, repeatable=False), IDLE) == [Do.DELETE]


@pytest.mark.parametrize("label", ["", "not-an-id", str(UUID(int=7))])
def test_a_job_that_no_known_run_has_goes_when_it_is_a_day_old(label: str) -> None:
    strange = replace(ENDED, flow_run_id=label, created=NOW - STRANGE_AFTER)
    assert decide(Facts([], [strange], [], LISTENING), 3, NOW) == []
    old = replace(strange, created=NOW - STRANGE_AFTER - dt.timedelta(seconds=1))
    assert [step.do for step in decide(Facts([], [old], [], LISTENING), 3, NOW)] == [Do.DELETE]
    assert decide(Facts([], [replace(old, at_work=1)], [], LISTENING), 3, NOW) == []


def test_only_what_two_looks_find_stands() -> None:
    earlier = steps(RUN, ENDED)
    assert standing(steps(RUN, ENDED), earlier) == earlier
    by_then = replace(RUN, state=StateType.CRASHED, state_id=UUID(int=101), message="said by its worker")
    assert standing(steps(by_then, ENDED), earlier) == []
    # words may differ: the worker has removed the job meanwhile
    assert [step.do for step in standing(steps(RUN), earlier)] == [Do.CRASH, Do.REPEAT]
