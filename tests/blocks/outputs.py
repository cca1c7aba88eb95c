"""Terraform's outputs of an environment."""

import json
from typing import Any


def outputs(environment: str, **changes: Any) -> str:
    """Give them as `terraform output -json` prints them; a change to None leaves one out."""
    values = {
        "environment": environment,
        "project_id": "acme-data",
        "lake_bucket": f"landfall-{environment}-lake",
        "region": "europe-west4",
        "run_service_account": "run@acme-data.iam.gserviceaccount.com",
        "prefect_api_secret": f"landfall-{environment}-prefect-api",
        "prefect_auth": "auth_string",
        "log_level": "INFO",
        "work_pool": f"landfall-{environment}",
        "work_pool_concurrency": 4,
        **changes,
    }
    return json.dumps({name: {"value": value} for name, value in values.items() if value is not None})
