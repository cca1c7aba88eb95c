"""Whether Prefect's server plans the runs of active schedules: one that does not says so in its own log alone."""

import datetime as dt
from typing import Any

from flows.doctor.finding import Finding, ok, problem, skipped
from flows.doctor.seen import Seen

SETTLED = dt.timedelta(minutes=3)
"""After which a server has planned the runs of a schedule: it looks each minute."""


def scheduler(seen: Seen) -> Finding:
    """Count the planned runs of this environment's active schedules, those that are served included."""
    environment = seen.settings.environment
    ours = {f"environment:{environment}", f"served:{environment}"}
    asked = {"deployments": {"tags": {"all_": ["landfall"]}}}
    there = [each for each in seen.server.pages("/deployments/filter", asked) if ours & {*each["tags"]}]
    active = active_schedules(there)
    if not active:
        return skipped("no schedule is active: nothing is to be planned")
    planned = seen.server.post(
        "/flow_runs/count",
        {
            "deployments": {"id": {"any_": sorted({each["deployment_id"] for each in active})}},
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        },
    )
    return judge(planned, active, dt.datetime.now(dt.UTC))


def active_schedules(deployments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the schedules that nobody has paused."""
    return [
        schedule for each in deployments if not each["paused"] for schedule in each["schedules"] if schedule["active"]
    ]


def judge(planned: int, active: list[dict[str, Any]], now: dt.datetime) -> Finding:
    """Tell whether a server plans runs."""
    if planned:
        return ok(f"{planned} runs of {len(active)} active schedules are planned")
    if now - min(dt.datetime.fromisoformat(each["updated"]) for each in active) < SETTLED:
        return skipped("the schedules are new, and the server may not have looked at them")
    return problem(
        f"{len(active)} schedules are active, and no run of them is planned: the server's scheduler does not work",
        "look at the server's own log. With SQLAlchemy 2.1, Prefect 3.8's fails there each minute: where it runs,"
        " python -m pip install 'sqlalchemy<2.1', and start it anew",
    )
