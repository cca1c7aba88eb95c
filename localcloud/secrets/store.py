"""Secrets and their versions in a folder: a file for each, which nobody else on this machine may read."""

import datetime as dt
import threading
from pathlib import Path
from typing import Any

from localcloud.rest import Refused
from localcloud.state import read_json, replace_json

Json = dict[str, Any]
ENABLED, DISABLED, DESTROYED = "ENABLED", "DISABLED", "DESTROYED"


class Secrets:
    """The secrets of one folder. Values are base64 text, as in requests; no error's message holds one.

    All methods raise Refused, with nothing changed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def create(self, project: str, secret: str, given: Json) -> Json:
        """Make a secret without versions."""
        with self._lock:
            if self._path(project, secret).exists():
                raise Refused("ALREADY_EXISTS", f"Secret [{_name(project, secret)}] already exists.")
            resource = {**given, "name": _name(project, secret), "createTime": _now()}
            self._write(project, secret, {"resource": resource, "versions": []})
        return resource

    def get(self, project: str, secret: str) -> Json:
        """Return a secret, never its values."""
        resource: Json = self._read(project, secret)["resource"]
        return resource

    def list_all(self, project: str) -> list[Json]:
        """Return a project's secrets by their names."""
        found = (read_json(path) for path in sorted((self._folder / project).glob("*.json")))
        return [each["resource"] for each in found if each is not None]

    def change(self, project: str, secret: str, fields: Json) -> Json:
        """Replace fields of a secret; None removes one."""
        with self._lock:
            kept = self._read(project, secret)
            changed = {**kept["resource"], **fields}
            kept["resource"] = {name: value for name, value in changed.items() if value is not None}
            self._write(project, secret, kept)
        resource: Json = kept["resource"]
        return resource

    def delete(self, project: str, secret: str) -> None:
        """Remove a secret with all its versions."""
        with self._lock:
            self._read(project, secret)
            self._path(project, secret).unlink()

    def add_version(self, project: str, secret: str, data: str) -> Json:
        """Add a value, and return the version without it."""
        with self._lock:
            kept = self._read(project, secret)
            number = len(kept["versions"]) + 1  # destroyed versions are kept, without their values
            name = f"{_name(project, secret)}/versions/{number}"
            version = {"name": name, "createTime": _now(), "state": ENABLED}
            kept["versions"].append({"resource": version, "data": data})
            self._write(project, secret, kept)
        return version

    def versions(self, project: str, secret: str) -> list[Json]:
        """Return a secret's versions, the newest first."""
        return [each["resource"] for each in reversed(self._read(project, secret)["versions"])]

    def version(self, project: str, secret: str, version: str) -> Json:
        """Return a version, by its number or as `latest`."""
        resource: Json = self._version(self._read(project, secret), project, secret, version)["resource"]
        return resource

    def access(self, project: str, secret: str, version: str) -> tuple[str, str]:
        """Return a version's name and its value."""
        found = self._version(self._read(project, secret), project, secret, version)
        resource = found["resource"]
        if resource["state"] != ENABLED:
            raise Refused(
                "FAILED_PRECONDITION", f"Secret Version [{resource['name']}] is in {resource['state']} state."
            )
        return resource["name"], found["data"]

    def set_state(self, project: str, secret: str, version: str, state: str) -> Json:
        """Enable, disable or destroy a version; a destroyed one has lost its value for ever."""
        with self._lock:
            kept = self._read(project, secret)
            found = self._version(kept, project, secret, version)
            resource: Json = found["resource"]
            if resource["state"] == DESTROYED:
                raise Refused("FAILED_PRECONDITION", f"Secret Version [{resource['name']}] is in DESTROYED state.")
            resource["state"] = state
            if state == DESTROYED:
                resource["destroyTime"] = _now()
                found["data"] = ""
            self._write(project, secret, kept)
        return resource

    def _version(self, kept: Json, project: str, secret: str, version: str) -> Json:
        versions: list[Json] = kept["versions"]
        if version == "latest" and versions:
            return versions[-1]
        if version == "latest":
            raise Refused("NOT_FOUND", f"Secret [{_name(project, secret)}] not found or has no versions.")
        if not version.isdecimal() or not 0 < int(version) <= len(versions):
            raise Refused("NOT_FOUND", f"Secret Version [{_name(project, secret)}/versions/{version}] not found.")
        return versions[int(version) - 1]

    def _read(self, project: str, secret: str) -> Json:
        kept = read_json(self._path(project, secret))
        if kept is None:
            raise Refused("NOT_FOUND", f"Secret [{_name(project, secret)}] not found.")
        return kept

    def _write(self, project: str, secret: str, kept: Json) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_json(self._path(project, secret), kept, mode=0o600)

    def _path(self, project: str, secret: str) -> Path:
        return self._folder / project / f"{secret}.json"


def _name(project: str, secret: str) -> str:
    return f"projects/{project}/secrets/{secret}"


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
