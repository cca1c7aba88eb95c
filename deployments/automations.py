"""Automations as they should be, from automations.yaml, and what differs from those at Prefect.

`prefect automation create -f` makes one more each time. Here they are known by their names, and compared; whether one
is paused is a person's word, and is neither compared nor changed.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from prefect.events.schemas.automations import AutomationCore
from pydantic import ValidationError

from blocks.change import Change, Known
from blocks.compare import differences
from blocks.server import Server
from deployments.declared import said, tags
from deployments.errors import DeclarationError, expect, expect_keys
from flows.settings import Settings

KEYS = {"name", "description", "trigger", "subject", "body"}
VARIABLE = re.compile(r"\{\{\s*\$(\w+)\s*\}\}")  # other braces are the messages' templates, which the server fills in
KIND = "automation"


def read(file: Path, variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read the file, with its variables filled in; without a file there are no automations.

    Raises:
        DeclarationError: it is no YAML, has a key that we don't know, or a variable is not set.
    """
    if not file.exists():
        return []
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DeclarationError(f"{file}: found no YAML: {error}; nothing was written") from error
    expect_keys(raw, {"definitions", "automations"}, str(file))
    found = [_filled(each, variables, f"{file}: automations[{n}]") for n, each in enumerate(raw["automations"] or [])]
    for each in found:
        expect_keys(each, KEYS, f"{file}: automation {each.get('name')}")
        missing = sorted(KEYS - {*each})
        expect(not missing, f"{file}: automation {each.get('name')}: found no {', '.join(missing)}, expected one")
    names = [each["name"] for each in found]
    expect(len({*names}) == len(names), f"{file}: found two automations of one name, expected names that differ")
    return found


def plan(server: Server, declared: Sequence[Mapping[str, Any]], settings: Settings) -> list[Change]:
    """Compare the environment's automations with those that are registered; nothing is written.

    Without a notification block there is nobody to tell, and none is wanted.

    Raises:
        DeclarationError: Prefect takes no such trigger.
    """
    names = [settings.chat_block, settings.email_block]
    found = server.post("/block_documents/filter", {"block_documents": {"name": {"any_": names}}})
    blocks = [document["id"] for document in sorted(found, key=lambda document: names.index(document["name"]))]
    marks = tags(settings.environment)
    registered = server.pages("/automations/filter", {}) if blocks or declared else []
    there = {each["name"]: each for each in registered if {*marks} <= {*each["tags"]}}
    wanted = [_automation(each, blocks, marks) for each in declared] if blocks else []
    changes = [_change(each, there.pop(each["name"], None)) for each in wanted]
    return changes + [_removal(each) for _, each in sorted(there.items())]


def _filled(value: Any, variables: Mapping[str, str], where: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, variables, f"{where}.{key}") for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, variables, where) for each in value]
    if not isinstance(value, str):
        return value
    for name in VARIABLE.findall(value):
        expect(variables.get(name), f"{where}: found no value of {name}, expected one; set it")
    return VARIABLE.sub(lambda found: variables[found[1]], value)


def _automation(declared: Mapping[str, Any], blocks: Sequence[str], marks: list[str]) -> dict[str, Any]:
    """Give an automation under the names of Prefect's API: each block is sent the same."""
    message = {"type": "send-notification", "subject": declared["subject"], "body": declared["body"]}
    given = {
        **{name: declared[name] for name in ("name", "description", "trigger")},
        "tags": marks,
        "actions": [{**message, "block_document_id": block} for block in blocks],
    }
    try:
        return _normal(given)
    except ValidationError as error:
        raise DeclarationError(f"automation {declared['name']}: {said(error)}; nothing was written") from error


def _normal(given: Mapping[str, Any]) -> dict[str, Any]:
    """Write an automation as it compares: with Prefect's defaults, sets in order, and without what the server adds."""
    people = {"enabled", "owner_resource"}
    read: dict[str, Any] = AutomationCore.model_validate(given).model_dump(mode="json", exclude=people)
    trigger = read["trigger"]
    for name in ("after", "expect", "for_each"):
        trigger[name] = sorted(trigger[name])
    trigger.pop("id", None)
    return read


def _change(wanted: dict[str, Any], found: Mapping[str, Any] | None) -> Change:
    name = wanted["name"]
    if found is None:
        return Change("create", name, KIND, [], lambda known: known.server.post("/automations/", wanted))
    held = _normal(found)
    lines = differences(held, wanted)
    if not lines:
        return Change("keep", name, KIND, [], lambda _: None)
    path = f"/automations/{found['id']}"
    return Change("update", name, KIND, lines, lambda known: _update(known, path, wanted))


def _update(known: Known, path: str, wanted: dict[str, Any]) -> None:
    """Change it, and leave a pause as it is now, which a person may have set since the plan."""
    now = known.server.read(path)
    known.server.put(path, {**wanted, "enabled": now["enabled"]})


def _removal(found: Mapping[str, Any]) -> Change:
    return Change("remove", found["name"], KIND, [], lambda known: known.server.delete(f"/automations/{found['id']}"))
