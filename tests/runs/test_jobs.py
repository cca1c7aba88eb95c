"""What Cloud Run says of jobs, as its API answers it."""

import datetime as dt
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden, ServiceUnavailable

from flows.etl.errors import is_transient
from flows.runs import jobs
from tests.runs.api import PARENT, region

CREATED = "2026-11-23T10:00:00.123456Z"
MADE = dt.datetime(2026, 11, 23, 10, 0, 0, 123456, dt.UTC)


def job(name: str, run: str, pool: str = "landfall-dev") -> dict[str, Any]:
    labels = {"prefect-io-flow-run-id": run, "prefect-io-work-pool-name": pool}
    return {"name": f"{PARENT.removeprefix('/v2/')}/jobs/{name}", "labels": labels, "createTime": CREATED}


def execution(name: str, state: str = "", message: str = "") -> dict[str, Any]:
    ended = {"completionTime": CREATED} if state else {}
    condition = {"type": "Completed", "state": state or "CONDITION_RECONCILING", "message": message}
    return {"name": f"projects/p/locations/l/jobs/x/executions/{name}", "conditions": [condition], **ended}


def test_the_jobs_of_the_pool_are_read_with_their_executions_page_by_page() -> None:
    unlabelled = {"name": "projects/p/locations/europe-west1/jobs/other", "createTime": CREATED}
    where, api = region({
        f"GET {PARENT}/jobs": (200, {"jobs": [job("a", "1"), unlabelled], "nextPageToken": "two"}),
        f"GET {PARENT}/jobs?pageToken=two": (200, {"jobs": [job("b", "2"), job("c", "3", "landfall-prod")]}),
        f"GET {PARENT}/jobs/a/executions": (
            200,
            {"executions": [
                execution("a-1", "CONDITION_FAILED", "The container ran out of memory."),
                execution("a-2"),
                execution("a-3", "CONDITION_SUCCEEDED"),
                execution("a-4", "CONDITION_FAILED"),
            ]},
        ),
        f"GET {PARENT}/jobs/b/executions": (200, {}),
    })  # fmt: skip
    assert jobs.read(where, "landfall-dev") == [
        jobs.Job(
            "projects/p/locations/europe-west1/jobs/a",
            "1",
            MADE,
            1,
            (
                "a-1 failed: The container ran out of memory.",
                "a-3 ended without an error",
                "a-4 failed: Cloud Run does not say why",
            ),
        ),
        jobs.Job("projects/p/locations/europe-west1/jobs/b", "2", MADE, 0, ()),
    ]
    assert not any("/c/" in asked for asked in api.asked)


def test_a_job_that_is_gone_counts_as_deleted() -> None:
    where, api = region({f"DELETE {PARENT}/jobs/a": (404, {"error": {"message": "does not exist"}})})
    jobs.delete(where, f"{PARENT.removeprefix('/v2/')}/jobs/a")
    assert api.asked == [f"DELETE {PARENT}/jobs/a"]


@pytest.mark.parametrize(("status", "error", "passes"), [(503, ServiceUnavailable, True), (403, Forbidden, False)])
def test_what_cloud_run_refuses_is_retried_only_if_it_may_pass(
    status: int, error: type[Exception], passes: bool
) -> None:
    where, _ = region({
        f"DELETE {PARENT}/jobs/a": (status, {"error": {"message": "no"}}),
        f"GET {PARENT}/jobs": (status, {"error": {"message": "no"}}),
    })  # fmt: skip
    with pytest.raises(error) as deleting:
        jobs.delete(where, f"{PARENT.removeprefix('/v2/')}/jobs/a")
    with pytest.raises(error):
        jobs.read(where, "landfall-dev")
    assert is_transient(deleting.value) is passes
