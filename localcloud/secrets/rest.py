"""Secret Manager's REST surface, version 1.

Source: https://cloud.google.com/secret-manager/docs/reference/rest
"""

import base64
import binascii
import re

import google_crc32c
from starlette.routing import BaseRoute

from localcloud.discovery import Document
from localcloud.rest import Call, Json, Method, Refused, page
from localcloud.rest import routes as served
from localcloud.secrets.store import DESTROYED, DISABLED, ENABLED, Secrets

LONGEST_BYTES = 65536
_PROJECT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_PREFIX = "secretmanager.projects.secrets"
_PAGES = frozenset({"pageSize", "pageToken"})


def routes(secrets: Secrets) -> list[BaseRoute]:
    """Serve the secrets."""
    rest = _Rest(secrets)
    versions = f"{_PREFIX}.versions"
    made = frozenset({"annotations", "labels", "replication.automatic", "replication"})
    methods = [
        Method(f"{_PREFIX}.create", rest.create, {"parent", "secretId"}, made),
        Method(f"{_PREFIX}.get", rest.get),
        Method(f"{_PREFIX}.list", rest.list_all, _PAGES),
        Method(f"{_PREFIX}.patch", rest.patch, {"updateMask"}, {"annotations", "labels"}),
        Method(f"{_PREFIX}.delete", rest.delete),
        Method(f"{_PREFIX}.addVersion", rest.add_version, fields={"payload"}),
        Method(f"{versions}.get", rest.version),
        Method(f"{versions}.list", rest.versions, _PAGES),
        Method(f"{versions}.access", rest.access),
        Method(f"{versions}.enable", rest.enable),
        Method(f"{versions}.disable", rest.disable),
        Method(f"{versions}.destroy", rest.destroy),
    ]
    return served("Secret Manager", Document("secretmanager.v1"), methods)


class _Rest:
    """The methods, over one folder of secrets."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def create(self, call: Call) -> Json:
        if "replication" not in call.body:
            raise Refused("INVALID_ARGUMENT", "secret.replication is required.")
        return self._secrets.create(*_named((*call.names, call.query.get("secretId", ""))), call.body)

    def get(self, call: Call) -> Json:
        return self._secrets.get(*_named(call.names))

    def list_all(self, call: Call) -> Json:
        (project,) = call.names
        _check(_PROJECT, project, "project")
        return page(self._secrets.list_all(project), call, "secrets", total=True)

    def patch(self, call: Call) -> Json:
        names = [name for name in call.query.get("updateMask", "").split(",") if name]
        for name in names:
            if name not in {"annotations", "labels"}:
                raise Refused(
                    "UNIMPLEMENTED", f"{_PREFIX}.patch: updateMask = {name} is not part of the local Secret Manager"
                )
        return self._secrets.change(*_named(call.names), {name: call.body.get(name) for name in names})

    def delete(self, call: Call) -> Json:
        self._secrets.delete(*_named(call.names))
        return {}

    def add_version(self, call: Call) -> Json:
        payload = call.body.get("payload", {})
        data = payload.get("data", "")
        value = _decoded(data)
        if len(value) > LONGEST_BYTES:
            raise Refused("INVALID_ARGUMENT", "The size of the payload exceeds the limit of 65536 bytes.")
        checksum = payload.get("dataCrc32c")
        if checksum is not None and int(checksum) != google_crc32c.value(value):
            raise Refused("INVALID_ARGUMENT", "The checksum of the payload is not the one that was specified.")
        return self._secrets.add_version(*_named(call.names), base64.b64encode(value).decode())

    def version(self, call: Call) -> Json:
        return self._secrets.version(*_version(call))

    def versions(self, call: Call) -> Json:
        return page(self._secrets.versions(*_named(call.names)), call, "versions", total=True)

    def access(self, call: Call) -> Json:
        name, data = self._secrets.access(*_version(call))
        checksum = google_crc32c.value(_decoded(data))
        return {"name": name, "payload": {"data": data, "dataCrc32c": str(checksum)}}

    def enable(self, call: Call) -> Json:
        return self._secrets.set_state(*_version(call), ENABLED)

    def disable(self, call: Call) -> Json:
        return self._secrets.set_state(*_version(call), DISABLED)

    def destroy(self, call: Call) -> Json:
        return self._secrets.set_state(*_version(call), DESTROYED)


def _named(names: tuple[str, ...]) -> tuple[str, str]:
    project, secret = names
    _check(_PROJECT, project, "project")
    _check(_ID, secret, "secret")
    return project, secret


def _version(call: Call) -> tuple[str, str, str]:
    return (*_named(call.names[:2]), call.names[2])


def _check(pattern: re.Pattern[str], name: str, what: str) -> None:
    if not pattern.fullmatch(name):
        raise Refused("INVALID_ARGUMENT", f"Invalid {what} id [{name}]: expected {pattern.pattern}.")


def _decoded(data: str) -> bytes:
    try:  # clients in JavaScript send the alphabet of addresses
        return base64.b64decode(data.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise Refused("INVALID_ARGUMENT", "Invalid value at payload.data: expected base64") from error
