"""Cut the schemas of the types in `kinds` out of a dump of the real provider's: how schemas.json was made.

    terraform providers schema -json > dump.json
    python -m localcloud.terraform.extract dump.json 7.45.0

`--check` compares instead of writing, attribute by attribute, and exits with 1 when something differs.
"""

# ruff: noqa: T201  # a command: it says what differs

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localcloud.terraform.kinds import ADDRESS, RESOURCES, data_sources

HERE = Path(__file__).parent / "schemas.json"
# Prose, and what core does without.
_LEFT_OUT = frozenset({"description", "description_kind", "deprecation_message"})
# A dump whose prose was removed by key has also lost the attributes that are called `description`. These are the
# provider's pages': https://registry.terraform.io/providers/hashicorp/google/latest/docs
DESCRIBED = (
    "google_artifact_registry_repository",
    "google_artifact_registry_repository.remote_repository_config",
    "google_bigquery_dataset",
    "google_cloud_run_v2_worker_pool",
    "google_iam_workload_identity_pool",
    "google_iam_workload_identity_pool_provider",
    "google_logging_metric",
    "google_logging_metric.metric_descriptor.labels",
    "google_monitoring_notification_channel",
    "google_project_iam_custom_role",
    "google_service_account",
    *(f"{name}.condition" for name in RESOURCES if name.endswith("_iam_member")),
)


def extract(dump: dict[str, Any], version: str) -> dict[str, Any]:
    """Return the part of a dump that the stand-in serves."""
    provider = dump["provider_schemas"][ADDRESS]
    resources = {name: _schema(provider["resource_schemas"][name]) for name in sorted(RESOURCES)}
    for path in DESCRIBED:
        name, *nested = path.split(".")
        block = resources[name]["block"]
        for step in nested:
            block = block["block_types"][step]["block"]
        block["attributes"] = dict(
            sorted({"description": {"type": "string", "optional": True}, **block["attributes"]}.items())
        )
    return {
        "version": version,
        "provider": _schema(provider["provider"]),
        "resources": resources,
        "data_sources": {name: _schema(provider["data_source_schemas"][name]) for name in sorted(data_sources(""))},
    }


def differences(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Yield a line for each place where two schemas differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted(found.keys() | expected.keys()):
            if key not in expected:
                yield f"{path}/{key}: only in the stand-in"
            elif key not in found:
                yield f"{path}/{key}: missing in the stand-in"
            else:
                yield from differences(found[key], expected[key], f"{path}/{key}")
    elif found != expected:
        yield f"{path}: {found!r}, expected {expected!r}"


def main() -> int:
    """Write or compare, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.terraform.extract", description=__doc__)
    parser.add_argument("dump", type=Path)
    parser.add_argument("version", help="the provider's")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    made = extract(json.loads(options.dump.read_text()), options.version)
    if options.check:
        found = list(differences(json.loads(HERE.read_text()), made))
        print("\n".join(found) or "no difference")
        return 1 if found else 0
    HERE.write_text(_text(made))
    return 0


def _text(made: dict[str, Any]) -> str:
    """Write one type a line: a new version of the provider then shows which types it changed."""
    resources, data = (
        ",\n".join(f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in made[key].items())
        for key in ("resources", "data_sources")
    )
    head = f'"version": {json.dumps(made["version"])},\n"provider": {json.dumps(made["provider"])}'
    return f'{{\n{head},\n"resources": {{\n{resources}\n}},\n"data_sources": {{\n{data}\n}}\n}}\n'


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"version": schema.get("version", 0), "block": _block(schema["block"])}


def _block(block: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "attributes": {
            name: {key: value for key, value in sorted(attribute.items()) if key not in _LEFT_OUT}
            for name, attribute in sorted(block.get("attributes", {}).items())
        }
    }
    if nested := block.get("block_types"):
        made["block_types"] = {
            name: {
                **{key: value for key, value in sorted(each.items()) if key != "block"},
                "block": _block(each["block"]),
            }
            for name, each in sorted(nested.items())
        }
    return made


if __name__ == "__main__":
    raise SystemExit(main())
