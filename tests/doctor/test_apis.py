"""Google's APIs: a service that is off, an account that may not, and a thing that is not there are three answers."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.doctor import accounts, apis
from flows.doctor.finding import ok, problem, skipped, warning
from flows.doctor.seen import Answer, Seen
from flows.settings import Settings

# as Cloud Run and Secret Manager answer, and as Cloud Storage and BigQuery do
OFF = {
    "error": {
        "code": 403,
        "message": "Cloud Run Admin API has not been used in project 1 before or it is disabled.",
        "status": "PERMISSION_DENIED",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}],
    }
}
OFF_OF_OLD = {
    "error": {"code": 403, "message": "Access Not Configured.", "errors": [{"reason": "accessNotConfigured"}]}
}
MAY_NOT = {
    "error": {
        "code": 403,
        "message": "Permission 'run.jobs.list' denied",
        "errors": [{"reason": "forbidden"}],
        "details": [{"reason": "IAM_PERMISSION_DENIED"}],
    }
}


@pytest.mark.parametrize("body", [OFF, OFF_OF_OLD])
def test_a_service_that_is_not_enabled_is_to_be_enabled(body: dict[str, Any]) -> None:
    assert apis.judge("run", Answer(403, body), "acme") == problem(
        "run.googleapis.com is not enabled in acme", "gcloud services enable run.googleapis.com --project=acme"
    )


def test_a_permission_that_is_missing_is_no_fault_of_the_service() -> None:
    assert apis.judge("run", Answer(403, MAY_NOT), "acme") == ok(
        "Cloud Run answers; this account has no permission there: Permission 'run.jobs.list' denied"
    )


@pytest.mark.parametrize("status", [200, 404])
def test_a_service_that_answers_is_ok_whatever_is_there(status: int) -> None:
    assert apis.judge("storage", Answer(status), "acme") == ok("Cloud Storage answers for acme")


def test_a_silent_host_credentials_refused_and_a_server_error_are_told_apart() -> None:
    verdicts = [apis.judge("bigquery", each, "acme") for each in (Answer(None, {}, "ConnectTimeout"), Answer(401))]
    assert verdicts == [
        problem("BigQuery does not answer: ConnectTimeout", "is this machine online, and behind no proxy?"),
        problem("BigQuery refuses the credentials (401)", accounts.BY_HAND),
    ]
    assert apis.judge("bigquery", Answer(503, {}, "try again"), "acme") == warning(
        "BigQuery answers 503: try again", "wait, and ask again: landfall doctor"
    )


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    made = Seen(tmp_path, tmp_path, {})
    made.settings = Settings(environment="dev", publisher=None)
    lake: Any = SimpleNamespace(gcp_credentials=SimpleNamespace(project="acme"))
    made.lake = lake
    made.documents = {"landfall-dev-secret": {"data": {"secret_name": "prefect-key"}}}
    return made


@pytest.mark.parametrize(
    ("answer", "verdict", "found"),
    [
        (Answer(200, {"state": "ENABLED"}), "ok", "prefect-key has a version for jobs to read"),
        (
            Answer(200, {"state": "DESTROYED"}),
            "problem",
            "prefect-key: its newest version is DESTROYED; no job on Cloud Run can start",
        ),
        (
            Answer(404),
            "problem",
            "prefect-key: its newest version answers 404: no such version; no job on Cloud Run can start",
        ),
        (
            Answer(403, MAY_NOT),
            "skipped",
            "this account may not look at prefect-key; runs on Cloud Run have an account of their own",
        ),
    ],
)
def test_a_secret_without_a_version_keeps_jobs_from_starting(
    seen: Seen, answer: Answer, verdict: str, found: str
) -> None:
    seen.answers = {"secretmanager": answer}
    assert (apis.secret(seen).verdict, apis.secret(seen).found) == (verdict, found)


def test_without_pool_and_secret_block_their_services_are_not_asked(seen: Seen) -> None:
    seen.answers = {"storage": Answer(200)}
    assert apis.run(seen) == skipped("no work pool on Cloud Run, which says where its jobs are")
    assert apis.secretmanager(seen) == skipped(
        "no block landfall-dev-secret: no jobs on Cloud Run that would read a secret"
    )
