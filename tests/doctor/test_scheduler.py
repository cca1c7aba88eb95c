"""Whether the server plans runs: with a library that it does not go with, it plans none, and only its log says so."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from blocks.server import Server
from flows.doctor import scheduler
from flows.doctor.finding import Finding, ok, skipped
from flows.doctor.seen import Seen
from flows.settings import Settings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
OLD = {"deployment_id": "a", "active": True, "updated": "2026-11-24T11:00:00Z"}
NEW = {**OLD, "updated": "2026-11-24T11:59:00Z"}


def test_planned_runs_are_counted() -> None:
    assert scheduler.judge(100, [OLD, NEW], NOW) == ok("100 runs of 2 active schedules are planned")


def test_a_schedule_without_a_planned_run_is_a_problem_unless_it_is_new() -> None:
    assert scheduler.judge(0, [NEW], NOW) == skipped(
        "the schedules are new, and the server may not have looked at them"
    )
    found = scheduler.judge(0, [OLD, NEW], NOW)
    assert (found.verdict, found.found) == (
        "problem",
        "2 schedules are active, and no run of them is planned: the server's scheduler does not work",
    )
    assert "python -m pip install 'sqlalchemy<2.1'" in found.what_to_do


def test_what_somebody_paused_is_not_active() -> None:
    paused = {**OLD, "active": False}
    there = [{"paused": True, "schedules": [OLD]}, {"paused": False, "schedules": [paused, NEW]}]
    assert scheduler.active_schedules(there) == [NEW]


class _Prefect(Server):
    """A server with these deployments, and five planned runs."""

    def __init__(self, deployments: list[dict[str, Any]]) -> None:
        self.deployments = deployments

    def pages(self, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        assert (path, asked) == ("/deployments/filter", {"deployments": {"tags": {"all_": ["landfall"]}}})
        return self.deployments

    def post(self, path: str, body: Any) -> int:
        assert (path, body["deployments"]) == ("/flow_runs/count", {"id": {"any_": ["a", "b"]}})
        return 5


@pytest.mark.parametrize(
    ("deployments", "expected"),
    [
        (
            [
                {"tags": ["landfall", "environment:dev"], "paused": False, "schedules": [OLD]},
                {"tags": ["landfall", "served:dev"], "paused": False, "schedules": [{**OLD, "deployment_id": "b"}]},
                {"tags": ["landfall", "environment:prod"], "paused": False, "schedules": [OLD]},
            ],
            ok("5 runs of 2 active schedules are planned"),
        ),
        ([], skipped("no schedule is active: nothing is to be planned")),
    ],
)
def test_only_this_environments_schedules_count(
    deployments: list[dict[str, Any]], expected: Finding, tmp_path: Path
) -> None:
    seen = Seen(tmp_path, tmp_path, {})
    seen.settings, seen.server = Settings(environment="dev", publisher=None), _Prefect(deployments)
    assert scheduler.scheduler(seen) == expected
