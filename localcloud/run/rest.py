"""Cloud Run's REST surface, version 2, as far as jobs go.

Source: https://cloud.google.com/run/docs/reference/rest
"""

import asyncio
import re
import time

from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute

from localcloud.discovery import Document
from localcloud.rest import Call, Json, Method, Refused, page
from localcloud.rest import routes as served
from localcloud.run.faults import Faults
from localcloud.run.fleet import Fleet
from localcloud.run.operations import EXECUTION, JOB, Operations
from localcloud.run.resources import seconds

_LONGEST_WAIT_S = 30.0
_LOOK_S = 0.1
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?")
_JOBS = "run.projects.locations.jobs"
_EXECUTIONS = f"{_JOBS}.executions"
_OPERATIONS = "run.projects.locations.operations"
_PAGES = frozenset({"pageSize", "pageToken"})
_TASK = frozenset(
    {
        *(
            f"template.{name}"
            for name in ("labels", "annotations", "client", "clientVersion", "parallelism", "taskCount")
        ),
        *(
            f"template.template.{name}"
            for name in ("maxRetries", "timeout", "serviceAccount", "executionEnvironment", "containers")
        ),
        *(
            f"template.template.containers.{name}"
            for name in ("name", "image", "command", "args", "env", "resources", "workingDir")
        ),
        "template.template.containers.resources.limits",
    }
)
# what is kept and shown without an effect on a laptop: labels, annotations, client, launch stage, service account, CPU
_JOB = _TASK | {
    "name",
    "labels",
    "annotations",
    "client",
    "clientVersion",
    "launchStage",
    "template",
    "template.template",
}
_OVERRIDES = frozenset(
    {
        "overrides",
        "overrides.timeout",
        "overrides.containerOverrides",
        *(f"overrides.containerOverrides.{name}" for name in ("name", "args", "clearArgs", "env")),
    }
)


def routes(fleet: Fleet, operations: Operations, faults: Faults) -> list[BaseRoute]:
    """Serve the jobs."""
    rest = _Rest(fleet, operations)
    methods = [
        Method(f"{_JOBS}.create", rest.create, {"jobId"}, _JOB),
        Method(f"{_JOBS}.get", rest.get),
        Method(f"{_JOBS}.list", rest.list_all, _PAGES),
        Method(f"{_JOBS}.delete", rest.delete),
        Method(f"{_JOBS}.run", rest.run, fields=_OVERRIDES),
        Method(f"{_EXECUTIONS}.get", rest.execution),
        Method(f"{_EXECUTIONS}.list", rest.executions, _PAGES),
        Method(f"{_EXECUTIONS}.cancel", rest.cancel),
        Method(f"{_EXECUTIONS}.delete", rest.delete_execution),
        Method(f"{_OPERATIONS}.get", rest.operation),
        Method(f"{_OPERATIONS}.wait", rest.wait, fields={"timeout"}),
    ]
    return [*faults.routes(), *served("Cloud Run", Document("run.v2"), methods, faults)]


class _Rest:
    """The methods, over one fleet."""

    def __init__(self, fleet: Fleet, operations: Operations) -> None:
        self._fleet = fleet
        self._operations = operations

    def create(self, call: Call) -> Json:
        made = self._fleet.create(_parent(call), call.query.get("jobId", ""), call.body)
        return self._operations.begin(_parent(call), JOB, made)

    def get(self, call: Call) -> Json:
        return self._fleet.job(_job(call))

    def list_all(self, call: Call) -> Json:
        return page(self._fleet.jobs(_parent(call)), call, "jobs")

    def delete(self, call: Call) -> Json:
        return self._operations.begin(_parent(call), JOB, self._fleet.delete(_job(call)))

    def run(self, call: Call) -> Json:
        execution = self._fleet.run(_job(call), call.body.get("overrides", {}))
        return self._operations.begin(_parent(call), EXECUTION, execution)

    def execution(self, call: Call) -> Json:
        return self._fleet.execution(_execution(call))

    def executions(self, call: Call) -> Json:
        return page(self._fleet.executions(_job(call)), call, "executions")

    def cancel(self, call: Call) -> Json:
        return self._operations.begin(_parent(call), EXECUTION, self._fleet.cancel(_execution(call)))

    def delete_execution(self, call: Call) -> Json:
        removed = self._fleet.delete_execution(_execution(call))
        return self._operations.begin(_parent(call), EXECUTION, removed)

    def operation(self, call: Call) -> Json:
        return self._operations.get(_operation(call))

    async def wait(self, call: Call) -> Json:
        limit = min(seconds(call.body.get("timeout", f"{_LONGEST_WAIT_S}s")), _LONGEST_WAIT_S)
        deadline = time.monotonic() + limit
        while True:
            operation = await run_in_threadpool(self._operations.get, _operation(call))
            if operation["done"] or time.monotonic() > deadline:
                return operation
            await asyncio.sleep(_LOOK_S)


def _parent(call: Call) -> str:
    for name in call.names:
        if not _NAME.fullmatch(name):
            raise Refused("INVALID_ARGUMENT", f"Invalid resource name: {name!r}.")
    return f"projects/{call.names[0]}/locations/{call.names[1]}"


def _job(call: Call) -> str:
    return f"{_parent(call)}/jobs/{call.names[2]}"


def _execution(call: Call) -> str:
    return f"{_job(call)}/executions/{call.names[3]}"


def _operation(call: Call) -> str:
    return f"{_parent(call)}/operations/{call.names[2]}"
