"""google_storage_bucket on the local cloud's storage."""

from typing import Any
from urllib.parse import quote

from localcloud.terraform import rest
from localcloud.terraform.fields import Body, Field, body, plain, read, refuse_others
from localcloud.terraform.rest import Refused
from localcloud.terraform.values import Value

# a condition's attributes and the API's names for them
_CONDITION = {
    "age": "age",
    "created_before": "createdBefore",
    "custom_time_before": "customTimeBefore",
    "days_since_custom_time": "daysSinceCustomTime",
    "days_since_noncurrent_time": "daysSinceNoncurrentTime",
    "matches_prefix": "matchesPrefix",
    "matches_storage_class": "matchesStorageClass",
    "matches_suffix": "matchesSuffix",
    "noncurrent_time_before": "noncurrentTimeBefore",
    "num_newer_versions": "numNewerVersions",
}
_STATES = {"LIVE": True, "ARCHIVED": False}


def _rules_to_api(rules: list[Value] | None) -> Any:
    return {"rule": [_rule_to_api(rule) for rule in rules]} if rules else None


def _rule_to_api(rule: Value) -> Body:
    (action,), (condition,) = rule["action"], rule["condition"]
    sent = {
        api: condition[name]
        for name, api in _CONDITION.items()
        if condition.get(name) or (condition.get(name) == 0 and condition.get(f"send_{name}_if_zero"))
    }
    if condition.get("with_state") in _STATES:
        sent["isLive"] = _STATES[condition["with_state"]]
    storage_class = {"storageClass": action["storage_class"]} if action.get("storage_class") else {}
    return {"action": {"type": action["type"], **storage_class}, "condition": sent}


def _rules_from_api(lifecycle: Body | None) -> list[Value]:
    states = {live: name for name, live in _STATES.items()}
    return [
        {
            "action": [{"type": rule["action"]["type"], "storage_class": rule["action"].get("storageClass")}],
            "condition": [
                {
                    **{name: rule["condition"].get(api) for name, api in _CONDITION.items()},
                    **{
                        f"send_{name}_if_zero": rule["condition"].get(_CONDITION[name]) == 0
                        for name in (
                            "age",
                            "days_since_custom_time",
                            "days_since_noncurrent_time",
                            "num_newer_versions",
                        )
                    },
                    "size_above_bytes": None,
                    "size_below_bytes": None,
                    "with_state": states.get(rule["condition"].get("isLive"), "ANY"),
                }
            ],
        }
        for rule in (lifecycle or {}).get("rule", [])
    ]


_SOFT_DELETE = Field(
    "soft_delete_policy",
    ("softDeletePolicy",),
    lambda blocks: (
        {"retentionDurationSeconds": str(blocks[0]["retention_duration_seconds"])}
        if blocks and blocks[0].get("retention_duration_seconds") is not None
        else None
    ),
    lambda found: (
        [{"retention_duration_seconds": int(found["retentionDurationSeconds"]), "effective_time": None}]
        if found
        else []
    ),
)
_FIELDS = (
    plain("storage_class", "storageClass"),
    plain("effective_labels", "labels"),
    Field(
        "public_access_prevention",
        ("iamConfiguration", "publicAccessPrevention"),
        lambda given: None if given == "inherited" else given,
        lambda found: found or "inherited",
    ),
    Field(
        "uniform_bucket_level_access",
        ("iamConfiguration", "uniformBucketLevelAccess", "enabled"),
        from_api=bool,
    ),
    plain("default_event_based_hold", "defaultEventBasedHold"),
    plain("rpo", "rpo"),
    Field(
        "versioning",
        ("versioning",),
        lambda blocks: {"enabled": bool(blocks[0]["enabled"])} if blocks else None,
        lambda found: [{"enabled": bool(found.get("enabled"))}] if found else [],
    ),
    Field("lifecycle_rule", ("lifecycle",), _rules_to_api, _rules_from_api),
    _SOFT_DELETE,
)
_OTHERS = frozenset(
    {
        "name",
        "location",
        "project",
        "force_destroy",
        "labels",
        "terraform_labels",
        "timeouts",
        "deletion_policy",
        "id",
        "project_number",
        "self_link",
        "url",
        "time_created",
        "updated",
    }
)
_KNOWN = _OTHERS | {field.name for field in _FIELDS}


class Buckets:
    """Buckets in one project."""

    def __init__(self, endpoint: str, project: str) -> None:
        self._endpoint = endpoint
        self._project = project

    def create(self, value: Value) -> None:
        """Make the bucket."""
        refuse_others("google_storage_bucket", value, _KNOWN, {})
        sent = {"name": value["name"], "location": value["location"], **body(_FIELDS, value)}
        rest.call("POST", f"{self._endpoint}b?project={value['project']}", sent)

    def read(self, value: Value) -> Value | None:
        """Return the bucket as it is now."""
        found = rest.find(self._url(value))
        if found is None:
            return None
        made = read(_FIELDS, value, found)
        location = str(found["location"])
        same = str(value.get("location") or "").upper() == location.upper()  # Google answers in capitals
        return {
            **made,
            "name": found["name"],
            "location": value["location"] if same else location,
            "project": value.get("project") or self._project,
            "time_created": found.get("timeCreated"),
            "updated": found.get("updated"),
        }

    def update(self, prior: Value, value: Value) -> None:
        """Send what has changed, and null for labels that are gone."""
        refuse_others("google_storage_bucket", value, _KNOWN, {})
        sent = body(_FIELDS, value, prior)
        if "labels" in sent:
            sent["labels"] = {**dict.fromkeys(prior.get("effective_labels") or {}), **(sent["labels"] or {})}
        if sent:
            rest.call("PATCH", self._url(value), sent)

    def delete(self, value: Value) -> None:
        """Delete the bucket, with `force_destroy` what is in it too."""
        objects = f"{self._url(value)}/o"
        while items := (rest.find(f"{objects}") or {}).get("items"):
            if not value.get("force_destroy"):
                raise Refused(
                    f"Error trying to delete bucket {value['name']} containing objects without `force_destroy` set to "
                    "true"
                )
            for item in items:
                rest.remove(f"{objects}/{quote(item['name'], safe='')}")
        rest.remove(self._url(value))

    def identify(self, given: str) -> Value:
        """Return what an id on the command line names."""
        return {"name": given.rpartition("/")[2], "force_destroy": False}

    def _url(self, value: Value) -> str:
        return f"{self._endpoint}b/{value['name']}"
