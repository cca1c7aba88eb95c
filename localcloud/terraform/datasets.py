"""google_bigquery_dataset on the local cloud's BigQuery."""

from localcloud.terraform import rest
from localcloud.terraform.fields import body, number, plain, read, refuse_others
from localcloud.terraform.values import Value

_FIELDS = (
    plain("friendly_name", "friendlyName"),
    plain("description", "description"),
    plain("effective_labels", "labels"),
    number("default_table_expiration_ms", "defaultTableExpirationMs"),
    number("default_partition_expiration_ms", "defaultPartitionExpirationMs"),
)
_OTHERS = frozenset(
    {
        "dataset_id",
        "project",
        "location",
        "delete_contents_on_destroy",
        "labels",
        "terraform_labels",
        "timeouts",
        "deletion_policy",
        "id",
        "self_link",
        "etag",
        "creation_time",
        "last_modified_time",
        "access",
    }
)
_KNOWN = _OTHERS | {field.name for field in _FIELDS}
# What Google does by default may be written down, though the local BigQuery has no field for it.
_INERT = {"max_time_travel_hours": "168", "storage_billing_model": "LOGICAL"}


class Datasets:
    """Datasets in one project."""

    def __init__(self, endpoint: str, project: str) -> None:
        self._endpoint = endpoint
        self._project = project

    def create(self, value: Value) -> None:
        """Make the dataset."""
        self._check(value)
        reference = {"projectId": value["project"], "datasetId": value["dataset_id"]}
        sent = {"datasetReference": reference, "location": value["location"], **body(_FIELDS, value)}
        rest.call("POST", f"{self._endpoint}projects/{value['project']}/datasets", sent)

    def read(self, value: Value) -> Value | None:
        """Return the dataset as it is now."""
        found = rest.find(self._url(value))
        if found is None:
            return None
        location = str(found["location"])
        same = str(value.get("location") or "").upper() == location.upper()
        return {
            **read(_FIELDS, value, found),
            "location": value["location"] if same else location,
            "etag": found["etag"],
            "creation_time": int(found["creationTime"]),
            "last_modified_time": int(found["lastModifiedTime"]),
        }

    def update(self, prior: Value, value: Value) -> None:
        """Send what has changed, and null for labels that are gone."""
        self._check(value)
        sent = body(_FIELDS, value, prior)
        if "labels" in sent:
            sent["labels"] = {**dict.fromkeys(prior.get("effective_labels") or {}), **(sent["labels"] or {})}
        if sent:
            rest.call("PATCH", self._url(value), sent)

    def delete(self, value: Value) -> None:
        """Delete the dataset, with `delete_contents_on_destroy` its tables too."""
        contents = "true" if value.get("delete_contents_on_destroy") else "false"
        rest.remove(f"{self._url(value)}?deleteContents={contents}")

    def identify(self, given: str) -> Value:
        """Return what an id on the command line names: `projects/p/datasets/d`, `p/d` or `d`."""
        words = [word for word in given.split("/") if word not in {"projects", "datasets"}]
        project = words[0] if len(words) > 1 else self._project
        return {"dataset_id": words[-1], "project": project, "delete_contents_on_destroy": False}

    def _check(self, value: Value) -> None:
        refuse_others("google_bigquery_dataset", value, _KNOWN, _INERT)

    def _url(self, value: Value) -> str:
        return f"{self._endpoint}projects/{value['project']}/datasets/{value['dataset_id']}"
