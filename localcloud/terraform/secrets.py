"""google_secret_manager_secret and its versions on the local cloud's Secret Manager."""

import base64
from typing import Any

from localcloud.terraform import rest
from localcloud.terraform.fields import body, plain, read, refuse_others
from localcloud.terraform.values import Value

_FIELDS = (plain("effective_labels", "labels"), plain("effective_annotations", "annotations"))
_SECRET = frozenset(
    {
        "annotations",
        "create_time",
        "deletion_policy",
        "deletion_protection",
        "effective_annotations",
        "effective_labels",
        "id",
        "labels",
        "name",
        "project",
        "replication",
        "secret_id",
        "terraform_labels",
        "timeouts",
    }
)
_VERSION = frozenset(
    {
        "create_time",
        "deletion_policy",
        "destroy_time",
        "enabled",
        "id",
        "is_secret_data_base64",
        "name",
        "project",
        "secret",
        "secret_data",
        "secret_data_wo",
        "secret_data_wo_version",
        "timeouts",
        "version",
    }
)


class Secrets:
    """Secrets in one project."""

    def __init__(self, endpoint: str, project: str) -> None:
        self._endpoint = endpoint
        self._project = project

    def create(self, value: Value) -> Value:
        """Make the secret, without a version."""
        refuse_others("google_secret_manager_secret", value, _SECRET, {})
        sent = {"replication": _replication(value["replication"]), **body(_FIELDS, value)}
        url = f"{self._endpoint}projects/{value['project']}/secrets?secretId={value['secret_id']}"
        return {"create_time": rest.call("POST", url, sent)["createTime"]}

    def read(self, value: Value) -> Value | None:
        """Return the secret as it is now."""
        found = rest.find(self._url(value))
        if found is None:
            return None
        replication: list[Value] = [{"auto": [{"customer_managed_encryption": []}], "user_managed": []}]
        return {
            **read(_FIELDS, value, found),
            "create_time": found["createTime"],
            "replication": value.get("replication") or replication,
        }

    def update(self, prior: Value, value: Value) -> None:
        """Send what has changed."""
        refuse_others("google_secret_manager_secret", value, _SECRET, {})
        sent = body(_FIELDS, value, prior)
        if sent:
            rest.call("PATCH", f"{self._url(value)}?updateMask={','.join(sent)}", sent)

    def delete(self, value: Value) -> None:
        """Delete the secret with all its versions."""
        rest.remove(self._url(value))

    def identify(self, given: str) -> Value:
        """Return what an id on the command line names: `projects/p/secrets/s`, `p/s` or `s`."""
        words = [word for word in given.split("/") if word not in {"projects", "secrets"}]
        return {"secret_id": words[-1], "project": words[0] if len(words) > 1 else self._project}

    def _url(self, value: Value) -> str:
        return f"{self._endpoint}projects/{value['project']}/secrets/{value['secret_id']}"


class SecretVersions:
    """The versions of secrets; their values go to the Secret Manager and nowhere else."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def create(self, value: Value) -> Value:
        """Add a version with the given value, and return its number and names."""
        refuse_others("google_secret_manager_secret_version", value, _VERSION, {})
        given = value.get("secret_data") or value.get("secret_data_wo") or ""
        if not given:
            raise rest.Refused(
                "Error creating SecretVersion: googleapi: Error 400: the payload is empty",
                "secret_data_wo is an empty text; was the variable that holds the value given?",
            )
        data = given if value.get("is_secret_data_base64") else base64.b64encode(given.encode()).decode()
        made = rest.call("POST", f"{self._endpoint}{value['secret']}:addVersion", {"payload": {"data": data}})
        number = made["name"].rpartition("/")[2]
        identity = f"{value['secret']}/versions/{number}"
        if value.get("enabled") is False:
            rest.call("POST", f"{self._endpoint}{identity}:disable", {})
        return {"id": identity, "name": made["name"], "version": number, "create_time": made["createTime"]}

    def read(self, value: Value) -> Value | None:
        """Return the version as it is now; a destroyed one is gone."""
        found = rest.find(f"{self._endpoint}{value['id']}") if value.get("version") else None
        if found is None or found["state"] == "DESTROYED":
            return None
        return {**value, "create_time": found["createTime"], "enabled": found["state"] == "ENABLED"}

    def update(self, prior: Value, value: Value) -> None:
        """Enable or disable it: nothing else can change in place."""
        if prior.get("enabled") != value.get("enabled"):
            rest.call("POST", f"{self._endpoint}{value['id']}:{'enable' if value['enabled'] else 'disable'}", {})

    def delete(self, value: Value) -> None:
        """Destroy it."""
        if self.read(value) is not None:
            rest.call("POST", f"{self._endpoint}{value['id']}:destroy", {})

    def identify(self, given: str) -> Value:
        """Return what an id on the command line names: `projects/p/secrets/s/versions/n`."""
        secret, _versions, number = given.rpartition("/versions/")
        return {"secret": secret, "version": number, "id": given, "name": given}


def _replication(blocks: list[Value]) -> dict[str, Any]:
    (block,) = blocks
    if not block.get("auto"):
        raise rest.Refused(
            "google_secret_manager_secret: the stand-in knows no replication but auto", "Nothing was made."
        )
    return {"automatic": {}}
