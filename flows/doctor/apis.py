"""Google's four APIs that runs and their worker use: each is asked for one thing of the environment's, all at once.

A service that is not enabled, an account that may not, and a thing that is not there are three answers.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError, from_http_response
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from flows.doctor.accounts import BY_HAND
from flows.doctor.finding import Finding, ok, problem, skipped, warning
from flows.doctor.seen import TIMEOUT_S, Answer, Seen

STORAGE, BIGQUERY, RUN, SECRETS = "storage", "bigquery", "run", "secretmanager"
NAMES = {STORAGE: "Cloud Storage", BIGQUERY: "BigQuery", RUN: "Cloud Run", SECRETS: "Secret Manager"}
_DISABLED = ("SERVICE_DISABLED", "accessNotConfigured")


def storage(seen: Seen) -> Finding:
    """Ask Cloud Storage for the lake's bucket."""
    return judge(STORAGE, _ask(seen)[STORAGE], seen.lake.gcp_credentials.project)


def bigquery(seen: Seen) -> Finding:
    """Ask BigQuery for the dataset."""
    return judge(BIGQUERY, _ask(seen)[BIGQUERY], seen.lake.gcp_credentials.project)


def run(seen: Seen) -> Finding:
    """Ask Cloud Run for one job."""
    if RUN not in _ask(seen):
        return skipped("no work pool on Cloud Run, which says where its jobs are")
    return judge(RUN, seen.answers[RUN], seen.lake.gcp_credentials.project)


def secretmanager(seen: Seen) -> Finding:
    """Ask Secret Manager for the newest version of the secret that jobs read: that there is one, not what it holds."""
    if SECRETS not in _ask(seen):
        return skipped(f"no block {seen.settings.secret_block}: no jobs on Cloud Run that would read a secret")
    return judge(SECRETS, seen.answers[SECRETS], seen.lake.gcp_credentials.project)


def secret(seen: Seen) -> Finding:
    """Look at the secret with Prefect's key, of which each job takes the newest version."""
    answer = seen.answers[SECRETS]
    name = seen.documents[seen.settings.secret_block]["data"]["secret_name"]
    if answer.status == 200 and answer.body.get("state") == "ENABLED":
        return ok(f"{name} has a version for jobs to read")
    if answer.status == 403:
        return skipped(f"this account may not look at {name}; runs on Cloud Run have an account of their own")
    found = f"is {answer.body.get('state')}" if answer.status == 200 else f"answers {answer.status}: no such version"
    return problem(
        f"{name}: its newest version {found}; no job on Cloud Run can start",
        f'printf %s "$PREFECT_API_KEY" | gcloud secrets versions add {name}'
        f" --project={seen.lake.gcp_credentials.project} --data-file=-   (after {seen.make_apply})",
    )


def judge(service: str, answer: Answer, project: str | None) -> Finding:
    """Tell whether the service is enabled and answers; what it says of the thing asked for is not its fault."""
    name = NAMES[service]
    if answer.status is None:
        return problem(f"{name} does not answer: {answer.said}", "is this machine online, and behind no proxy?")
    if answer.status == 401:
        return problem(f"{name} refuses the credentials (401)", BY_HAND)
    if answer.status == 403 and is_disabled(answer.body):
        return problem(
            f"{service}.googleapis.com is not enabled in {project}",
            f"gcloud services enable {service}.googleapis.com --project={project}",
        )
    if answer.status == 403:
        return ok(f"{name} answers; this account has no permission there: {said(answer)}")
    if answer.status >= 500 or answer.status == 429:
        return warning(f"{name} answers {answer.status}: {said(answer)}", "wait, and ask again: landfall doctor")
    return ok(f"{name} answers for {project}")


def is_disabled(body: Mapping[str, Any]) -> bool:
    """Tell a service that is not enabled from a permission that is missing: both are 403."""
    error = body.get("error", {})
    told = [*error.get("details", []), *error.get("errors", [])]
    return any(each.get("reason") in _DISABLED for each in told)


def said(answer: Answer) -> str:
    """Give an error's first words."""
    message = str(answer.body.get("error", {}).get("message") or answer.said or "no message")
    return " ".join(message.split())[:200]


def _ask(seen: Seen) -> dict[str, Answer]:
    """Ask all of them once, each bounded by its own time-out."""
    if not seen.answers:
        questions = _questions(seen)
        with ThreadPoolExecutor(len(questions)) as pool:
            asked: dict[str, Future[Answer]] = {
                service: pool.submit(_answer, ask) for service, ask in questions.items()
            }
        seen.answers = {service: each.result() for service, each in asked.items()}
    return seen.answers


def _questions(seen: Seen) -> dict[str, Callable[[], dict[str, Any]]]:
    credentials = seen.lake.gcp_credentials
    bucket = credentials.get_cloud_storage_client().bucket(seen.lake.bucket)
    warehouse = seen.warehouse.gcp_credentials.get_bigquery_client()
    project, settings = credentials.project, seen.settings
    session = AuthorizedSession(credentials.get_credentials_from_service_account())  # type: ignore[no-untyped-call]

    def look_at_bucket() -> dict[str, Any]:
        bucket.reload(timeout=TIMEOUT_S, retry=None)
        found: dict[str, Any] = bucket._properties  # noqa: SLF001 - all that was answered
        return found

    def look_at_dataset() -> dict[str, Any]:
        found: dict[str, Any] = warehouse.get_dataset(settings.dataset, timeout=TIMEOUT_S, retry=None).to_api_repr()
        return found

    def get(url: str) -> dict[str, Any]:
        answer = session.get(url, timeout=TIMEOUT_S)
        if answer.status_code != 200:
            raise from_http_response(answer)  # type: ignore[no-untyped-call]
        found: dict[str, Any] = answer.json()
        return found

    asked: dict[str, Callable[[], dict[str, Any]]] = {STORAGE: look_at_bucket, BIGQUERY: look_at_dataset}
    if seen.region:
        jobs = f"{settings.cloud_run_endpoint}/v2/projects/{project}/locations/{seen.region}/jobs?pageSize=1"
        asked[RUN] = lambda: get(jobs)
    if document := seen.documents.get(settings.secret_block):
        name = document["data"]["secret_name"]
        version = f"{settings.secret_manager_endpoint}/v1/projects/{project}/secrets/{name}/versions/latest"
        asked[SECRETS] = lambda: get(version)
    return asked


def _answer(ask: Callable[[], dict[str, Any]]) -> Answer:
    try:
        return Answer(200, ask())
    except GoogleAPICallError as error:
        return _refusal(error.response, error.code, error.message)
    except (requests.RequestException, GoogleAuthError) as error:
        return Answer(None, {}, type(error).__name__)


def _refusal(response: requests.Response | None, status: int | None, message: str | None) -> Answer:
    try:
        body = response.json() if response is not None else {}
    except ValueError:
        body = {}
    return Answer(status, body if isinstance(body, dict) else {}, message or "")
