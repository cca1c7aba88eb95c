"""Make what Terraform makes on Google Cloud: the lake's bucket and the warehouse's dataset, on the local cloud.

Plain REST, because importing Google's clients takes longer than all that is done here.
"""

from dataclasses import dataclass
from typing import Any

import urllib3

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
    return {
        name: {"sensitive": False, "type": "string", "value": value}
        for name, value in (
            ("environment", environment),
            ("lake_bucket", bucket),
            ("location", LOCATION),
            ("project_id", cloud.project),
            ("region", LOCATION),
            ("warehouse_dataset", dataset),
        )
    }


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
