"""Deployments as they should be: prefect.yaml, read as Prefect reads it, and held to more than Prefect holds it to.

`prefect deploy` drops the whole file for one bad field, ignores keys that it does not know, and stores an empty text
for a variable that is not set. Here each is an error that says where.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel, WorkPoolConfig
from prefect.exceptions import MissingFlowError, ScriptError
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import ParameterSchema, parameter_schema
from pydantic import ValidationError

from blocks.work_pool import QUEUE
from deployments import schedules
from deployments.errors import DeclarationError, expect, expect_keys
from deployments.schedules import Schedule
from deployments.variables import fill

BUILD = [{"deployments.steps.keep": {"environment": "{{ $LANDFALL_ENVIRONMENT }}"}}]
"""What `prefect deploy` needs beforehand to keep what people set; here nothing touches that."""

NOT_HERE = {
    "paused": "it would undo what a person paused or started",
    "build": "the image is built from the Dockerfile",
    "push": "who builds the image pushes it",
    "triggers": "automations are in automations.yaml",
    "sla": "Prefect Cloud alone knows it",
    "schedule": "`schedules` is a list of them",
    "version": "the image says what runs",
    "version_type": "the image says what runs",
    "flow_name": "the flow says it",
}
"""Keys that Prefect knows and we don't take, with the reason."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A deployment as it should be."""

    flow: str
    name: str
    fields: dict[str, Any]
    """Under the names of Prefect's API."""
    schedules: list[Schedule]
    at_first: dict[str, Any] = field(default_factory=dict)
    """Fields of its registration alone, which people decide later."""
    active: bool | None = None
    """Whether its schedules shall be at work; None leaves that to people."""

    @property
    def full_name(self) -> str:
        """Name it as Prefect's commands do."""
        return f"{self.flow}/{self.name}"


def tags(environment: str) -> list[str]:
    """Give the tags by which an environment's deployments are known when they have left the file."""
    return ["landfall", f"environment:{environment}"]


def read(file: Path, environment: str, variables: Mapping[str, str]) -> list[Declared]:
    """Read all deployments of the file, and load their flows.

    Args:
        file: prefect.yaml; entrypoints are relative to the working directory, as for `prefect deploy`.
        environment: whose deployments these are; each must have its tags.
        variables: what stands for `{{ $NAME }}`.

    Raises:
        DeclarationError: something does not hold; it says where.
    """
    raw = _parse(file)
    load = cache(_load)
    found = [
        _deployment(each, raw.get("pull"), variables, load, _where(file, index, each))
        for index, each in enumerate(raw.get("deployments") or [])
    ]
    names = [each.full_name for each in found]
    for each in found:
        where = f"{file}: deployment {each.full_name}"
        expect(names.count(each.full_name) == 1, f"{where}: found twice, expected once")
        missing = [tag for tag in tags(environment) if tag not in each.fields["tags"]]
        expect(
            not missing,
            f"{where}: tags: found {each.fields['tags']}, expected {' and '.join(missing)} among them: by these it is"
            " known when it has left the file",
        )
    return found


def _parse(file: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(file.read_text())
    except FileNotFoundError as error:
        raise DeclarationError(f"{file}: not found, expected the deployments; nothing was written") from error
    except (OSError, yaml.YAMLError) as error:
        raise DeclarationError(f"{file}: found no YAML: {error}; nothing was written") from error
    expect_keys(raw, {*PrefectYamlModel.model_fields, "prefect-version", "definitions"}, str(file))
    expect(not raw.get("push"), f"{file}: push: found steps, expected none: {NOT_HERE['push']}")
    expect(
        raw.get("build") in (None, [], BUILD),
        f"{file}: build: found {raw.get('build')!r}, expected {BUILD!r}: {NOT_HERE['build']}",
    )
    return dict(raw)


def _where(file: Path, index: int, raw: Any) -> str:
    name = raw.get("name") if isinstance(raw, dict) else None
    return f"{file}: deployments[{index}]" + (f" {name}" if name else "")


def _deployment(
    raw: Any, pull: Any, variables: Mapping[str, str], load: Callable[[str], Flow[..., Any]], where: str
) -> Declared:
    expect_keys(raw, {*DeploymentConfig.model_fields}, where)
    for key, why in NOT_HERE.items():
        expect(raw.get(key) is None, f"{where}: {key}: found {raw.get(key)!r}, expected nothing: {why}; leave it out")
    expect_keys(raw.get("work_pool"), {*WorkPoolConfig.model_fields}, f"{where}: work_pool")
    # a pull step's variables are those of the machine that runs it, then
    declared = fill({key: value for key, value in raw.items() if key != "pull"}, variables, where)
    for key in ("name", "entrypoint"):
        expect(declared.get(key), f"{where}: {key}: found nothing, expected one")
    expect(declared["work_pool"].get("name"), f"{where}: work_pool.name: found nothing, expected one")
    planned = schedules.read(declared.pop("schedules", None), where)
    try:
        config = DeploymentConfig.model_validate({**declared, "pull": raw.get("pull", pull)})
    except ValidationError as error:
        raise DeclarationError(f"{where}: {said(error)}; nothing was written") from error
    flow = _flow(declared["entrypoint"], load, where)
    schema = parameter_schema(flow)
    check_parameters(config.parameters, schema, planned, where)
    return Declared(
        flow.name,
        declared["name"],
        {
            "description": config.description or flow.description,
            "tags": config.tags or [],
            "parameters": config.parameters,
            "job_variables": declared["work_pool"].get("job_variables") or {},
            "work_pool_name": declared["work_pool"]["name"],
            "work_queue_name": declared["work_pool"].get("work_queue_name") or QUEUE,
            "entrypoint": config.entrypoint,
            "pull_steps": config.pull or [],
            **_concurrency(config),
            "parameter_openapi_schema": schema.model_dump(mode="json", exclude_unset=True),
            "enforce_parameter_schema": config.enforce_parameter_schema is not False,
        },
        planned,
    )


def _concurrency(config: DeploymentConfig) -> dict[str, Any]:
    limit = config.concurrency_limit
    if limit is None or isinstance(limit, int):
        return {"concurrency_limit": limit, "concurrency_options": None}
    options = {
        "collision_strategy": limit.collision_strategy or "ENQUEUE",
        "grace_period_seconds": limit.grace_period_seconds,
    }
    return {"concurrency_limit": limit.limit, "concurrency_options": options}


def _load(entrypoint: str) -> Flow[..., Any]:
    before = [*sys.path]
    try:
        flow: Flow[..., Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    finally:
        sys.path[:] = before  # Prefect puts the file's folder at its front, and leaves it there
    return flow


def _flow(entrypoint: str, load: Callable[[str], Flow[..., Any]], where: str) -> Flow[..., Any]:
    try:
        return load(entrypoint)
    except (ScriptError, MissingFlowError, OSError, ValueError) as error:
        cause = error.__cause__ or error
        raise DeclarationError(
            f"{where}: entrypoint: found {entrypoint}, which does not load ({type(cause).__name__}: {cause}), expected"
            " <file>:<flow>; nothing was written"
        ) from error


def check_parameters(
    given: Mapping[str, Any], schema: ParameterSchema, planned: Sequence[Schedule], where: str
) -> None:
    """Refuse a parameter that the flow has not, and a schedule whose runs would lack one that it needs."""
    places = [("parameters", given), *((f"schedule {each.slug}: parameters", each.parameters) for each in planned)]
    for place, names in places:
        unknown = sorted({*names} - {*schema.properties})
        expect(
            not unknown, f"{where}: {place}: found {', '.join(unknown)}, expected one of {', '.join(schema.properties)}"
        )
    for each in planned:
        missing = sorted({*schema.required} - {*given} - {*each.parameters})
        expect(
            not missing,
            f"{where}: schedule {each.slug}: found no value of {', '.join(missing)}, expected one, for each run needs"
            " it; write it into the parameters of the deployment or the schedule",
        )


def said(error: ValidationError) -> str:
    """Give the first thing that pydantic complains of, with its place."""
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: found {first['input']!r}: {first['msg']}"
