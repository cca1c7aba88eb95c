"""The fault matrix' short version: every boundary and every fault once. The whole of it is `make chaos`."""

import pytest

from tests.chaos import matrix, schedules, session
from tests.chaos.boundaries import BOUNDARIES
from tests.chaos.faults import MEANINGS
from tests.chaos.playing import lane_on, play_all


def test_the_matrix_has_200_scenarios_each_with_a_name_of_its_own() -> None:
    names = [each.name for each in matrix.scenarios()]
    assert len(names) >= 200
    assert len(set(names)) == len(names)


def test_the_short_version_meets_every_boundary_and_every_fault() -> None:
    chosen = matrix.sample()
    assert {each.boundary.name for each in chosen} == {boundary.name for boundary in BOUNDARIES}
    assert {each.fault.kind for each in chosen} == set(MEANINGS)


@pytest.mark.timeout(900)
def test_generated_schedules_of_publishing_killing_and_racing_keep_to_the_model(cloud: dict[str, str]) -> None:
    with session.opened(cloud) as opened:
        schedules.play(lane_on(opened), seed=20261123, schedules=3)


@pytest.mark.timeout(900)
def test_no_fault_at_any_boundary_loses_or_doubles_a_row(cloud: dict[str, str]) -> None:
    chosen = matrix.sample()
    with session.opened(cloud) as opened:
        outcomes = play_all(opened, chosen, lanes=4)
    assert {each.scenario.name: each.told() for each in outcomes if each.wrong} == {}
    assert sorted(each.scenario.name for each in outcomes if each.fired) == sorted(each.name for each in chosen)
