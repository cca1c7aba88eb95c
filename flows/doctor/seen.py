"""What checks are given, and what each leaves for those that need it."""

import os
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect_gcp.bigquery import BigQueryWarehouse
    from prefect_gcp.cloud_storage import GcsBucket

    from blocks.server import Server
    from flows.settings import Settings

TIMEOUT_S = 4.0
"""How long one question may take."""


_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|AUTH_STRING)$|^PREFECT__CONTEXT__SECRETS__")
_SHORT = 6  # a shorter value would be found everywhere


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API of Google's answered: a status and JSON, or no status and why."""

    status: int | None
    body: dict[str, Any] = field(default_factory=dict)
    said: str = ""


@dataclass(slots=True)
class Seen:
    """Where to look, then what was found there. What has no default is there after the check that a check needs."""

    root: Path
    """The checkout, or the folder that `flows` is in."""
    home: Path
    environ: Mapping[str, str]
    outputs: Path | None = None
    """A file with Terraform's outputs; without one terraform is asked."""
    hidden: set[str] = field(default_factory=set)
    """Values that nothing shown may hold."""
    closing: ExitStack = field(default_factory=ExitStack)
    """What is open until the examination's end."""
    settings: "Settings" = field(init=False)
    server: "Server" = field(init=False)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The environment's blocks by name, as Prefect has them, without secrets."""
    pool: dict[str, Any] = field(default_factory=dict)
    deployments: list[dict[str, Any]] | None = None
    """The environment's, once they were asked for."""
    lake: "GcsBucket" = field(init=False)
    warehouse: "BigQueryWarehouse" = field(init=False)
    answers: dict[str, Answer] = field(default_factory=dict)
    """By service, once they were asked for."""

    @property
    def make_blocks(self) -> str:
        """Give the command that registers blocks and work pool."""
        return f"make blocks ENV={self.settings.environment}"

    @property
    def make_apply(self) -> str:
        """Give the command that makes bucket, dataset and what belongs to them."""
        return f"make apply ENV={self.settings.environment}"

    @property
    def region(self) -> str | None:
        """Where the work pool's jobs run, if it says so."""
        variables = self.pool.get("base_job_template", {}).get("variables", {}).get("properties", {})
        found: str | None = variables.get("region", {}).get("default")
        return found


def here(outputs: Path | None = None) -> Seen:
    """Look from this process, and at this checkout. Values of variables that are secrets by name are hidden."""
    root = Path(__file__).resolve().parents[2]
    hidden = {value for name, value in os.environ.items() if _SECRET.search(name) and len(value) >= _SHORT}
    return Seen(root, Path.home(), os.environ, outputs, hidden)
