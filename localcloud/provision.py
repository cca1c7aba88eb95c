"""Make what Terraform makes on Google Cloud, as far as runs need it: bucket and dataset, and the secret of jobs.

Plain REST, because importing Google's clients takes longer than all that is done here.
"""

import base64
from dataclasses import dataclass
from typing import Any

import urllib3

from localcloud.services import REGION
from localcloud.state import LocalCloudError

LOCATION = "US"
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where the local cloud answers, and the project in it."""

    storage: str
    bigquery: str
    project: str


def provision(cloud: Cloud, environment: str) -> dict[str, dict[str, Any]]:
    """Make the environment's bucket and dataset if they are absent.

    Returns:
        What `terraform output -json` prints for them.

    Raises:
        LocalCloudError: one of them exists without the label of this environment, or the local cloud refused.
    """
    bucket, dataset = f"landfall-{environment}-lake", f"landfall_{environment}"
    labels = {"environment": environment}
    datasets = f"{cloud.bigquery}/bigquery/v2/projects/{cloud.project}/datasets"
    reference = {"projectId": cloud.project, "datasetId": dataset}
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as pool:
        _ensure(
            pool,
            f"{cloud.storage}/storage/v1/b/{bucket}",
            f"{cloud.storage}/storage/v1/b?project={cloud.project}",
            {"name": bucket, "location": LOCATION, "labels": labels},
        )
        _ensure(
            pool,
            f"{datasets}/{dataset}",
            datasets,
            {"datasetReference": reference, "location": LOCATION, "labels": labels},
        )
    return _outputs(
        environment=environment,
        lake_bucket=bucket,
        location=LOCATION,
        project_id=cloud.project,
        region=LOCATION,
        warehouse_dataset=dataset,
    )


def provision_cloud_run(secrets: str, project: str, environment: str, auth_string: str) -> dict[str, dict[str, Any]]:
    """Put Prefect's auth string into the secret that the environment's jobs read; once, if it stays the same.

    Args:
        secrets: where the local Secret Manager answers.
        project: the project.
        environment: whose secret it is.
        auth_string: its value.

    Returns:
        What `terraform output -json` prints of what the work pool is made of.

    Raises:
        LocalCloudError: as for `provision`.
    """
    name = f"landfall-{environment}-prefect-api"
    secret = f"{secrets}/v1/projects/{project}/secrets/{name}"
    data = base64.b64encode(auth_string.encode()).decode()
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as pool:
        _ensure(
            pool,
            secret,
            f"{secrets}/v1/projects/{project}/secrets?secretId={name}",
            {"replication": {"automatic": {}}, "labels": {"environment": environment}},
        )
        latest = pool.request("GET", f"{secret}/versions/latest:access")
        if latest.status != 200 or latest.json()["payload"]["data"] != data:
            added = pool.request("POST", f"{secret}:addVersion", json={"payload": {"data": data}})
            if added.status != 200:
                raise _refusal(f"{secret}:addVersion", added)
    return _outputs(
        log_level="INFO",
        prefect_api_secret=name,
        prefect_auth="auth_string",
        region=REGION,
        run_service_account=f"landfall-{environment}-run@{project}.iam.gserviceaccount.com",
        work_pool=f"landfall-{environment}",
        work_pool_concurrency=4,
    )


def _outputs(**values: str | int) -> dict[str, dict[str, Any]]:
    kinds = {str: "string", int: "number"}
    return {name: {"sensitive": False, "type": kinds[type(value)], "value": value} for name, value in values.items()}


def _ensure(pool: urllib3.PoolManager, there: str, make: str, body: dict[str, Any]) -> None:
    """Make a resource unless it is there with the wanted labels."""
    found = pool.request("GET", there)
    if found.status == 404:
        made = pool.request("POST", make, json=body)
        if made.status == 200:
            return
        if made.status != 409:  # 409: another command made it since
            raise _refusal(make, made)
        found = pool.request("GET", there)
    if found.status != 200:
        raise _refusal(there, found)
    labels = found.json().get("labels") or {}
    wanted = body["labels"]["environment"]
    if labels.get("environment") != wanted:
        raise LocalCloudError(
            f"{there}: exists with the labels {labels}, expected environment={wanted}; it is not this environment's: "
            "take another environment or remove it; nothing of it was changed"
        )


def _refusal(url: str, answer: urllib3.BaseHTTPResponse) -> LocalCloudError:
    return LocalCloudError(f"{url}: answered {answer.status} {answer.data.decode(errors='replace')[:500]}")
