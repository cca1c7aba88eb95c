"""All checks, in the order in which they are made. A new one is one function, and one line here."""

from collections.abc import Callable, Sequence
from importlib import import_module

from flows.doctor.examination import Check
from flows.doctor.finding import Finding
from flows.doctor.seen import Seen


def _late(place: str) -> Callable[[Seen], Finding | Sequence[Finding]]:
    """Import a check, given as `module:function`, when it is made: a package that is missing is its finding alone."""

    def examine(seen: Seen) -> Finding | Sequence[Finding]:
        module, _, name = place.partition(":")
        check: Callable[[Seen], Finding | Sequence[Finding]] = getattr(import_module(f"flows.doctor.{module}"), name)
        return check(seen)

    return examine


CHECKS = (
    Check("python", _late("installed:python")),
    Check("lock", _late("installed:lock")),
    Check("config.toml", _late("prefect1:config_toml")),
    Check("environment", _late("environment:environment")),
    Check("prefect", _late("prefect_server:prefect")),
    Check("credentials", _late("accounts:credentials")),
    Check("blocks", _late("registered:blocks"), needs=("environment", "prefect")),
    Check("pool", _late("registered:pool"), needs=("blocks",)),
    Check("deployments", _late("registered:deployments"), needs=("environment", "prefect")),
    Check("scheduler", _late("scheduler:scheduler"), needs=("environment", "prefect")),
    Check("worker", _late("registered:worker"), needs=("pool",)),
    Check("outputs", _late("terraform:outputs"), needs=("environment", "prefect")),
    Check("loading", _late("registered:loading"), needs=("blocks", "credentials")),
    Check("storage", _late("apis:storage"), needs=("loading",)),
    Check("bigquery", _late("apis:bigquery"), needs=("loading",)),
    Check("run", _late("apis:run"), needs=("loading", "pool")),
    Check("secretmanager", _late("apis:secretmanager"), needs=("loading",)),
    Check("secret", _late("apis:secret"), needs=("secretmanager",)),
    Check("bucket", _late("places:bucket"), needs=("storage",)),
    Check("dataset", _late("places:dataset"), needs=("bigquery",)),
    Check("labels", _late("places:labels"), needs=("bucket", "dataset")),
    Check("locations", _late("places:locations"), needs=("bucket", "dataset")),
    Check("settings", _late("places:bucket_settings"), needs=("bucket",)),
)
NAMES = tuple(check.name for check in CHECKS)
