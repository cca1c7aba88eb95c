"""All checks, in the order in which they are made. A new one is one function, and one line here."""

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType

from flows.doctor.examination import Check
from flows.doctor.finding import Finding
from flows.doctor.seen import Seen


def _check(name: str, place: str, needs: tuple[str, ...] = ()) -> Check:
    """Name a check, given as `module:function`. It is loaded when it is made: a missing package is its finding."""
    module, _, function = place.partition(":")

    def load() -> ModuleType:
        return import_module(f"flows.doctor.{module}")

    def examine(seen: Seen) -> Finding | Sequence[Finding]:
        check: Callable[[Seen], Finding | Sequence[Finding]] = getattr(load(), function)
        return check(seen)

    return Check(name, examine, needs, load)


CHECKS = (
    _check("python", "installed:python"),
    _check("lock", "installed:lock"),
    _check("config.toml", "prefect1:config_toml"),
    _check("environment", "environment:environment"),
    _check("prefect", "prefect_server:prefect"),
    _check("credentials", "accounts:credentials"),
    _check("blocks", "registered:blocks", needs=("environment", "prefect")),
    _check("pool", "registered:pool", needs=("blocks",)),
    _check("deployments", "registered:deployments", needs=("environment", "prefect")),
    _check("scheduler", "scheduler:scheduler", needs=("environment", "prefect")),
    _check("worker", "registered:worker", needs=("pool",)),
    _check("outputs", "terraform:outputs", needs=("environment", "prefect")),
    _check("loading", "registered:loading", needs=("blocks", "credentials")),
    _check("storage", "apis:storage", needs=("loading",)),
    _check("bigquery", "apis:bigquery", needs=("loading",)),
    _check("run", "apis:run", needs=("loading", "pool")),
    _check("secretmanager", "apis:secretmanager", needs=("loading",)),
    _check("secret", "apis:secret", needs=("secretmanager",)),
    _check("bucket", "places:bucket", needs=("storage",)),
    _check("dataset", "places:dataset", needs=("bigquery",)),
    _check("labels", "places:labels", needs=("bucket", "dataset")),
    _check("locations", "places:locations", needs=("bucket", "dataset")),
    _check("settings", "places:bucket_settings", needs=("bucket",)),
)
NAMES = tuple(check.name for check in CHECKS)
