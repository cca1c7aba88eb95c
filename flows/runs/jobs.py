"""Cloud Run's jobs of one environment: what Cloud Run knows of them, and their removal.

https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from google.api_core.exceptions import NotFound, from_http_response

TIMEOUT_S = 60
# labels that Prefect's worker gives each job, as prefect_gcp.utilities writes them for Google
FLOW_RUN = "prefect-io-flow-run-id"
WORK_POOL = "prefect-io-work-pool-name"


@dataclass(frozen=True, slots=True)
class Region:
    """Where jobs are. `endpoint` is the API's address without a path, `session` signs requests to it."""

    endpoint: str
    project: str
    location: str
    session: requests.Session


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was when asked for. `ends` has a line for each execution that ended, `at_work` counts the others."""

    name: str
    flow_run_id: str
    created: dt.datetime
    at_work: int
    ends: tuple[str, ...]


def read(region: Region, work_pool: str) -> list[Job]:
    """List the jobs that workers of a pool made, with what became of their executions.

    A job comes before its executions: one that appears in between is seen, one that ends in between may still count
    as at work.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: Cloud Run refused.
        requests.RequestException: it did not answer.
    """
    parent = f"projects/{region.project}/locations/{region.location}"
    return [
        _job(job, list(_pages(region, f"{job['name']}/executions", "executions")))
        for job in _pages(region, f"{parent}/jobs", "jobs")
        if job.get("labels", {}).get(WORK_POOL) == work_pool
    ]


def delete(region: Region, name: str) -> None:
    """Delete a job and its executions; one that is gone already is no error.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: Cloud Run refused.
        requests.RequestException: it did not answer.
    """
    try:
        _ask(region, "DELETE", name)
    except NotFound:
        return


def _job(job: dict[str, Any], executions: list[dict[str, Any]]) -> Job:
    ended = [execution for execution in executions if "completionTime" in execution]
    return Job(
        job["name"],
        job["labels"].get(FLOW_RUN, ""),
        dt.datetime.fromisoformat(job["createTime"]),
        len(executions) - len(ended),
        tuple(_end(execution) for execution in ended),
    )


def _end(execution: dict[str, Any]) -> str:
    """Say in Cloud Run's words how an execution ended."""
    name = execution["name"].rpartition("/")[2]
    said: list[dict[str, Any]] = execution.get("conditions", [])
    completed = next((each for each in said if each.get("type") == "Completed"), dict[str, Any]())
    if completed.get("state") == "CONDITION_SUCCEEDED":
        return f"{name} ended without an error"
    return f"{name} failed: {completed.get('message') or 'Cloud Run does not say why'}"


def _pages(region: Region, path: str, field: str) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        page = _ask(region, "GET", path, {"pageToken": token} if token else {})
        yield from page.get(field, [])
        token = page.get("nextPageToken", "")
        if not token:
            return


def _ask(region: Region, method: str, path: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
    answer = region.session.request(method, f"{region.endpoint}/v2/{path}", params=parameters or {}, timeout=TIMEOUT_S)
    if answer.status_code != 200:
        raise from_http_response(answer)  # type: ignore[no-untyped-call]
    found: dict[str, Any] = answer.json()
    return found
