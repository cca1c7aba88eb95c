"""What there is, and how it is made, changed and deleted: the services that the local cloud has, and a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from localcloud.terraform.buckets import Buckets
from localcloud.terraform.datasets import Datasets
from localcloud.terraform.kinds import NUMBER, RESOURCES, Kind
from localcloud.terraform.records import Records
from localcloud.terraform.rest import Refused
from localcloud.terraform.secrets import Secrets, SecretVersions
from localcloud.terraform.values import UNKNOWN, Value, attributes, without_unknowns

ATTRIBUTION = {"goog-terraform-provisioned": "true"}  # the provider's own label on what it has made
_EMPTY: Mapping[str, Any] = {"string": "", "number": 0, "bool": False}


class Service(Protocol):
    """Where resources of one type really are."""

    def create(self, value: Value) -> Value | None:
        """Make one, and return what only its making says."""

    def read(self, value: Value) -> Value | None:
        """Return one as it is now, or None."""

    def update(self, prior: Value, value: Value) -> None:
        """Send what has changed."""

    def delete(self, value: Value) -> None:
        """Delete one; one that is gone is no error."""

    def identify(self, given: str) -> Value:
        """Return what an id on the command line names."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration's `provider` block and the environment say."""

    project: str
    region: str | None
    storage: str
    bigquery: str
    secrets: str
    records: Path
    labels: Mapping[str, str]
    attribution: bool


class Cloud:
    """The resources of one project. All methods raise Refused with nothing changed, if not said otherwise."""

    def __init__(self, settings: Settings, schemas: Mapping[str, Any]) -> None:
        self.settings = settings
        self._schemas = schemas
        self._records = Records(settings.records)
        self._services: dict[str, Service] = {
            "google_storage_bucket": Buckets(settings.storage, settings.project),
            "google_bigquery_dataset": Datasets(settings.bigquery, settings.project),
            "google_secret_manager_secret": Secrets(settings.secrets, settings.project),
            "google_secret_manager_secret_version": SecretVersions(settings.secrets),
        }

    def create(self, name: str, planned: Value, written: Value) -> Value:
        """Make a resource; what is `written` alone, secrets' values, goes to its service and is kept nowhere."""
        self._check_wiring(name, planned)
        value = self._finished(name, planned)
        if service := self._services.get(name):
            value |= service.create({**value, **written}) or {}
            return self.read(name, value) or value
        if not RESOURCES[name].shared and self._records.find(name, value["id"]):
            raise Refused(f"Error creating {name}: googleapi: Error 409: {value['id']} already exists")
        self._keep(name, value)
        return value

    def read(self, name: str, value: Value) -> Value | None:
        """Return a resource as it is now, or None if it is gone."""
        if service := self._services.get(name):
            found = service.read(value)
            return found and self._finished(name, _labelled(value, found))
        kept = self._records.find(name, value["id"])
        return None if kept is None else {**value, **kept}

    def update(self, name: str, prior: Value, planned: Value) -> Value:
        """Change a resource in place."""
        self._check_wiring(name, planned)
        value = self._finished(name, planned, prior)
        if service := self._services.get(name):
            service.update(prior, value)
            return self.read(name, value) or value
        self._keep(name, value)
        return value

    def delete(self, name: str, value: Value) -> None:
        """Delete a resource; a bucket may then have lost objects and still be there."""
        protected = RESOURCES[name].protected
        if protected and value.get(protected):
            raise Refused(
                f"cannot destroy {name} without setting {protected}=false and running `terraform apply`", value["id"]
            )
        if value.get("deletion_policy") == "PREVENT":
            raise Refused(f"cannot destroy {name} while its deletion_policy is PREVENT", value["id"])
        if value.get("deletion_policy") == "ABANDON":
            return
        if service := self._services.get(name):
            service.delete(value)
        else:
            self._records.remove(name, value["id"])
        self._forget_children(name, value["id"])

    def identify(self, name: str, given: str) -> Value:
        """Return as much of a resource as its id says."""
        if service := self._services.get(name):
            value = {"project": self.settings.project, **service.identify(given)}
            return {**value, "id": RESOURCES[name].id.format_map(value)}
        found = self._records.find(name, given)
        if found is None:
            raise Refused(
                "Cannot import non-existent remote object", f"{name}: nothing on the local cloud has the id {given}"
            )
        return found

    def _keep(self, name: str, value: Value) -> None:
        """Keep everything but secrets: those are in the state, where the real provider has them too."""
        known = attributes(self._schemas[name]["block"])
        secret = {key for key, attribute in known.items() if attribute.get("sensitive") or attribute.get("write_only")}
        self._records.put(name, value["id"], {key: each for key, each in value.items() if key not in secret})

    def _forget_children(self, name: str, identity: str) -> None:
        """Let what was on a resource go with it: a bucket that is replaced has lost its bindings."""
        last = identity.rpartition("/")[2]
        for kind, known in RESOURCES.items():
            for attribute, parent in known.parents.items():
                if parent == name:
                    self._records.remove_below(kind, attribute, last)

    def _check_wiring(self, name: str, value: Value) -> None:
        """Refuse what names a resource that is not there: Google would, and the order of creation is what is tested."""
        for attribute, parent in RESOURCES[name].parents.items():
            given = value.get(attribute)
            for each in given if isinstance(given, list) else [given]:
                if each is not None and not self._exists(parent, str(each), value):
                    raise Refused(
                        f"Error creating {name}: googleapi: Error 404: {parent} {each} does not exist",
                        f"{attribute} names it; make it first, or refer to the resource that makes it.",
                    )
        kind, _colon, email = str(value.get("member") or "").partition(":")
        own = f"@{self.settings.project}.iam.gserviceaccount.com"
        if (
            kind == "serviceAccount"
            and email.endswith(own)
            and not self._records.named("google_service_account", email)
        ):
            raise Refused(f"Error creating {name}: googleapi: Error 400: Service account {email} does not exist.")

    def _exists(self, kind: str, name: str, value: Value) -> bool:
        last = name.rpartition("/")[2]
        if service := self._services.get(kind):
            named = {
                "name": last,
                "dataset_id": last,
                "secret_id": last,
                "project": value.get("project") or self.settings.project,
            }
            return service.read({**named, "location": None}) is not None
        return self._records.named(kind, last)

    def _finished(self, name: str, planned: Value, prior: Value | None = None) -> Value:
        """Return the value with everything that is known after apply."""
        kind = RESOURCES[name]
        value = dict(planned)
        if prior is None or not prior.get("id"):
            words = self._words(kind, value)
            known = attributes(self._schemas[name]["block"])
            value |= {key: text.format_map(words) for key, text in kind.computed.items()}
            value["id"] = kind.id.format_map(words)
            for key, attribute in known.items():
                if value.get(key) is UNKNOWN:
                    value[key] = _decided(key, attribute["type"])
        return without_unknowns(self._schemas[name]["block"], value)

    def _words(self, kind: Kind, value: Value) -> dict[str, Any]:
        """Return what ids are made of: names of other resources come without their paths where the id has its own."""
        words = {key: each for key, each in value.items() if isinstance(each, (str, int))}
        for parent in kind.parents:
            if f"/{{{parent}}}" in kind.id:
                words[parent] = str(words[parent]).rpartition("/")[2]
        if "{serial}" in kind.id and not isinstance(value.get("id"), str):
            words["serial"] = self._records.serial()
        # a version's number is known when it is made
        return {"project": self.settings.project, "project_number": NUMBER, "version": "", **words}


def _labelled(state: Value, found: Value) -> Value:
    """Show of the labels only those that the configuration names: others' are none of its business."""
    now = found.get("effective_labels") or {}
    shown = {
        name: None if state.get(name) is None else {key: now[key] for key in state[name] if key in now}
        for name in ("labels", "terraform_labels")
    }
    return {**found, **shown, "effective_labels": now}


def _decided(name: str, kind: Any) -> Any:
    if name == "deletion_policy":
        return "DELETE"
    if name in {"create_time", "update_time"}:
        return "2026-01-01T00:00:00Z" if kind == "string" else 0
    if name == "public_access_prevention":
        return "inherited"
    return _EMPTY[kind] if isinstance(kind, str) else [] if kind[0] != "map" else {}
