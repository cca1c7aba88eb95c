"""What runs are called in Prefect's UI: by what they land.

Each name has a hyphen, by which infra/alerts.tf tells runs that land something from upkeep.
"""

from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run

from flows.runs.deployed import QUEUE


def by_periods() -> str:
    """Name the run that is about to begin after its contract and periods; a backfill has named its own so already."""
    given = str(flow_run.name or "")
    return given if given.startswith(f"{QUEUE}-") else of(flow_run.parameters)


def of(parameters: Mapping[str, Any]) -> str:
    """Name a run by its parameters: `flights-2013-01-to-2013-12`, `flights-all`, `flights-2013-01-as-of-0`."""
    contract, first, last = (parameters.get(name) for name in ("contract", "first", "last"))
    periods = [str(first)] if first else []
    periods += ["to", str(last)] if last and last != first else []
    as_of = parameters.get("as_of")
    other = ["as-of", str(as_of)] if as_of is not None else []
    other += ["from-elsewhere"] if parameters.get("source") else []
    return "-".join([str(contract), *(periods or ["all"]), *other])
