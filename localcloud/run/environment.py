"""What a container's declared environment becomes: plain values, and secrets' by their references."""

import base64
from collections.abc import Sequence
from typing import Any

from localcloud.rest import Refused
from localcloud.secrets.store import Secrets


class MissingSecret(Exception):
    """A reference leads to no value; the message says to which, as Cloud Run does."""


def resolved(declared: Sequence[dict[str, Any]], project: str, secrets: Secrets) -> dict[str, str]:
    """Return the variables with their values.

    Raises:
        MissingSecret: a secret or its version is not there, or is not enabled.
    """
    return {
        each["name"]: _secret(each["valueSource"]["secretKeyRef"], index, project, secrets)
        if "valueSource" in each
        else each.get("value", "")
        for index, each in enumerate(declared)
    }


def _secret(reference: dict[str, str], index: int, project: str, secrets: Secrets) -> str:
    name, version = reference["secret"], reference.get("version", "latest")
    if name.startswith("projects/"):
        _projects, project, _secrets, name = name.split("/")
    try:
        _name, data = secrets.access(project, name, version)
    except Refused as refused:
        where = f"spec.template.spec.containers[0].env[{index}].value_from.secret_key_ref.name"
        full = f"projects/{project}/secrets/{name}/versions/{version}"
        found = "was not found" if refused.status == "NOT_FOUND" else "is not enabled"
        raise MissingSecret(f"{where}: Secret {full} {found}") from refused
    return base64.b64decode(data).decode()
