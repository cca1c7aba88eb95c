"""Steps are carried out in order, and what cannot be done for one run does not keep the others from it."""

from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest
from google.api_core.exceptions import Conflict, ServiceUnavailable
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import OrchestrationResult, SetStateStatus, StateAcceptDetails

from flows.runs.place import carry_out
from flows.runs.recovery import Do, Step
from tests.runs.api import PARENT, Api, region

ABLE, BOLD = UUID(int=1), UUID(int=2)
A_JOB, B_JOB = f"{PARENT.removeprefix('/v2/')}/jobs/a", f"{PARENT.removeprefix('/v2/')}/jobs/b"
STEPS = [
    Step(Do.DELETE, A_JOB, "w", ABLE),
    Step(Do.DELETE, B_JOB, "w", BOLD),
    Step(Do.CRASH, "able", "w", ABLE),
    Step(Do.CRASH, "bold", "w", BOLD),
    Step(Do.REPEAT, "able", "1 of 3: w", ABLE),
    Step(Do.REPEAT, "bold", "1 of 3: w", BOLD),
]


@dataclass
class Prefect:
    """Agrees to every state but those of *stubborn*, and notes them."""

    stubborn: set[UUID] = field(default_factory=set)
    states: list[tuple[UUID, str, str | None]] = field(default_factory=list)

    def set_flow_run_state(self, run_id: UUID, state: State[Any]) -> OrchestrationResult[Any]:
        self.states.append((run_id, state.name or "", state.message))
        status = SetStateStatus.ABORT if run_id in self.stubborn else SetStateStatus.ACCEPT
        return OrchestrationResult(state=state, status=status, details=StateAcceptDetails())


def act(prefect: Prefect, first: int = 200) -> tuple[list[Step], Api]:
    where, api = region({
        f"DELETE {PARENT}/jobs/a": (first, {"error": {"message": "no"}}),
        f"DELETE {PARENT}/jobs/b": (200, {}),
    })  # fmt: skip
    return carry_out(cast(SyncPrefectClient, prefect), where, STEPS), api


def test_all_steps_are_done_in_their_order() -> None:
    prefect = Prefect()
    done, api = act(prefect)
    assert done == STEPS
    assert api.asked == [f"DELETE {PARENT}/jobs/a", f"DELETE {PARENT}/jobs/b"]
    assert prefect.states == [
        (ABLE, "Crashed", "w"),
        (BOLD, "Crashed", "w"),
        (ABLE, "AwaitingRetry", "Run again by recover: 1 of 3: w"),
        (BOLD, "AwaitingRetry", "Run again by recover: 1 of 3: w"),
    ]


def test_a_run_that_ended_meanwhile_is_not_run_again() -> None:
    prefect = Prefect(stubborn={ABLE})
    done, _ = act(prefect)
    assert done == [STEPS[0], STEPS[1], STEPS[3], STEPS[5]]
    assert [run for run, *_ in prefect.states] == [ABLE, BOLD, BOLD]


def test_a_run_whose_job_cannot_be_deleted_is_left_and_said_after_the_others() -> None:
    prefect = Prefect()
    with pytest.raises(Conflict):
        act(prefect, first=409)
    assert [run for run, *_ in prefect.states] == [BOLD, BOLD]


def test_nothing_more_is_done_while_cloud_run_is_unavailable() -> None:
    prefect = Prefect()
    with pytest.raises(ServiceUnavailable):
        act(prefect, first=503)
    assert prefect.states == []
