"""A step of `prefect deploy` itself, which `make deploy` does not need."""

from typing import Any

from blocks.server import Server, connect
from deployments.declared import tags
from deployments.schedules import BY_HAND


def keep(environment: str) -> dict[str, Any]:
    """Make what people set outlive `prefect deploy`, which comes next.

    It makes all schedules anew where one has no slug, as those that are added in the UI; and it resumes a deployment
    that is paused. So such schedules get a slug, and a deployment's pause becomes that of each of its schedules.
    """
    with connect() as server:
        for deployment in server.pages("/deployments/filter", {"deployments": {"tags": {"all_": tags(environment)}}}):
            for schedule in deployment["schedules"]:
                _keep(server, deployment, schedule)
    return {}


def _keep(server: Server, deployment: dict[str, Any], schedule: dict[str, Any]) -> None:
    changed: dict[str, Any] = {}
    if not schedule["slug"]:
        changed["slug"] = BY_HAND + schedule["id"][:8]
    if deployment["paused"] and schedule["active"]:
        changed["active"] = False
    if changed:
        server.patch(f"/deployments/{deployment['id']}/schedules/{schedule['id']}", changed)
