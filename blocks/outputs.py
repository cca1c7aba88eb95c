"""Terraform's outputs, as `terraform output -json` prints them, held to what the blocks need."""

import json
import subprocess
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from flows.settings import Settings


class OutputsError(Exception):
    """Terraform's outputs are not what the blocks need; nothing was written."""


@dataclass(frozen=True, slots=True)
class CloudRun:
    """What the work pool is made of."""

    region: str
    run_service_account: str
    prefect_api_secret: str
    prefect_auth: Literal["api_key", "auth_string"]
    log_level: str
    work_pool: str
    work_pool_concurrency: int


@dataclass(frozen=True, slots=True)
class Outputs:
    """What an environment's blocks are made of; without the output `work_pool` there is no CloudRun."""

    environment: str
    project_id: str
    lake_bucket: str
    database_url: str | None = None
    cloud_run: CloudRun | None = None

    @property
    def names(self) -> Settings:
        """Name the blocks."""
        return Settings(environment=self.environment, publisher=None)


def parse(text: str, source: str, environment: str | None = None) -> Outputs:
    """Read the outputs' JSON.

    Args:
        text: the JSON.
        source: where it is from, for messages.
        environment: the one that they must be of, if it is known.

    Raises:
        OutputsError: it is no JSON, an output is missing or of another type, or it is of another environment.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise OutputsError(
            f"{source}: found no JSON ({error}), expected `terraform output -json`; nothing was written"
        ) from error
    given = _values(found, source)
    read = Outputs(
        **_take(Outputs, given, source),
        cloud_run=CloudRun(**_take(CloudRun, given, source)) if "work_pool" in given else None,
    )
    if environment is not None and read.environment != environment:
        raise OutputsError(
            f"{source}: found the outputs of environment {read.environment!r}, expected {environment!r}; run"
            f" `make apply ENV={environment}`, nothing was written"
        )
    try:
        _ = read.names
    except ValidationError as error:
        raise OutputsError(
            f"{source}: found the environment {read.environment!r}, expected lower case, digits and hyphens;"
            " nothing was written"
        ) from error
    return read


def ask_terraform(folder: Path) -> str:
    """Run `terraform output -json` in a folder that is initialised.

    Raises:
        OutputsError: there is no terraform, or it refused.
    """
    try:
        done = subprocess.run(
            ["terraform", f"-chdir={folder}", "output", "-json"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise OutputsError(
            "terraform: not found on the PATH, expected 1.11 or newer; get it from"
            " https://developer.hashicorp.com/terraform/install, nothing was written"
        ) from error
    if done.returncode:
        said = " ".join(line.strip(" │╷╵") for line in done.stderr.splitlines() if line.strip(" │╷╵"))
        raise OutputsError(f"{folder}: terraform output answered: {said}; nothing was written")
    return done.stdout


def _values(found: Any, source: str) -> dict[str, Any]:
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        raise OutputsError(
            f"{source}: found no outputs, expected what `terraform output -json` prints; nothing was written"
        )
    return {name: entry["value"] for name, entry in found.items() if entry.get("value") is not None}


def _take(record: type[Any], given: dict[str, Any], source: str) -> dict[str, Any]:
    """Pick the record's own outputs; those with a default may be absent."""
    taken: dict[str, Any] = {}
    for field in fields(record):
        if field.name == "cloud_run":
            continue
        if field.name not in given:
            if field.default is MISSING:
                raise OutputsError(
                    f"{source}: found no output {field.name!r}, expected one; run `make apply`, nothing was written"
                )
            continue
        expected = int if field.type is int else str
        if type(given[field.name]) is not expected:
            raise OutputsError(
                f"{source}: found the output {field.name} = {given[field.name]!r}, expected a"
                f" {'whole number' if expected is int else 'text'}; nothing was written"
            )
        if (allowed := get_args(field.type)) and type(None) not in allowed and given[field.name] not in allowed:
            raise OutputsError(
                f"{source}: found the output {field.name} = {given[field.name]!r}, expected {' or '.join(allowed)};"
                " nothing was written"
            )
        taken[field.name] = given[field.name]
    return taken
