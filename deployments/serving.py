"""Deployments served by one process: without a work pool, a worker, or Cloud Run.

A served deployment has a name of its own, `<name>-served`: it lives beside the work pool's, and neither overwrites the
other. It runs what the file declares, from this checkout, on this machine. docs/decisions/0023-serve.md.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blocks.change import Change, Known
from blocks.server import Server
from deployments import registration, schedules
from deployments.declared import Declared, read
from deployments.errors import DeclarationError
from deployments.schedules import Schedule

SUFFIX = "-served"
ANY = "web-to-bigquery/any"
NOT_SERVED = {"recover": "it looks after Cloud Run's jobs, and what is served has none"}
"""Flows that are of no use here, with the reason."""
POOLS_OWN = {"LANDFALL_IMAGE": "(none)", "LANDFALL_WORKER_ACCOUNT": "(none)"}
"""What only jobs of a work pool need, so that nobody has to set it here."""
ANCHOR = "2026-01-01T00:00:00+00:00"
"""From when intervals given by hand count: they must not begin anew with each start."""


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment as it is registered."""

    id: str
    full_name: str
    paused: bool
    schedules: list[dict[str, Any]]
    """As Prefect has them, those included that people added."""


def tags(environment: str) -> list[str]:
    """Give the tags of what is served; with those of the file's deployments `make deploy` would find it left over."""
    return ["landfall", f"served:{environment}"]


def choose(
    file: Path, environment: str, variables: Mapping[str, str], names: Sequence[str], contracts: Collection[str]
) -> list[Declared]:
    """Choose what is served, as prefect.yaml declares it.

    Args:
        file: prefect.yaml.
        environment: whose deployments these are.
        variables: what stands for `{{ $NAME }}` in it.
        names: deployments with or without their flow and environment, or contracts without a deployment of their own;
            everything if it is empty.
        contracts: all contracts' names.

    Raises:
        DeclarationError: the file does not hold, or there is nothing of that name.
    """
    declared = read(file, environment, {**POOLS_OWN, **variables})
    if not names:
        return [each for each in declared if each.flow not in NOT_SERVED]
    return [each for name in dict.fromkeys(names) for each in _named(name, declared, environment, contracts)]


def _named(name: str, declared: Sequence[Declared], environment: str, contracts: Collection[str]) -> list[Declared]:
    called = (name, f"{name}-{environment}")
    found = [each for each in declared if each.name in called or each.full_name in called]
    for each in found:
        if each.flow in NOT_SERVED:
            raise DeclarationError(
                f"{each.full_name}: cannot be served: {NOT_SERVED[each.flow]}; nothing was registered"
            )
    if found:
        return found
    if name not in contracts:
        known = ", ".join(sorted({each.name.removesuffix(f"-{environment}") for each in declared} | {*contracts}))
        raise DeclarationError(f"{name}: found no such deployment, expected one of {known}; nothing was registered")
    landing = next(each for each in declared if each.full_name == f"{ANY}-{environment}")
    fields = {**landing.fields, "description": f"Lands {name}.", "parameters": {"contract": name}}
    return [Declared(landing.flow, f"{name}-{environment}", fields, [])]


def by_hand(cron: str | None, interval_s: int | None, rrule: str | None, timezone: str) -> list[Schedule]:
    """Read schedules from a command line; none if nothing was given.

    Raises:
        DeclarationError: one does not hold.
    """
    given: dict[str, dict[str, Any]] = {
        "cron": {"cron": cron},
        "interval": {"interval": interval_s, "anchor_date": ANCHOR},
        "rrule": {"rrule": rrule},
    }
    raw = [{**each, "slug": kind, "timezone": timezone} for kind, each in given.items() if each[kind] is not None]
    return schedules.read(raw, "landfall serve")


def served(declared: Declared, environment: str, root: Path, planned: Sequence[Schedule]) -> Declared:
    """Make a declared deployment one that is served from a checkout, by other schedules if there are any."""
    fields = {
        **declared.fields,
        "tags": tags(environment),
        "work_pool_name": None,
        "work_queue_name": None,
        "job_variables": {},
        "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(root)}}],
    }
    return replace(declared, name=declared.name + SUFFIX, fields=fields, schedules=[*planned] or declared.schedules)


def register(server: Server, wanted: Sequence[Declared]) -> list[Served]:
    """Register what differs, and drop schedules that are wanted no more; what people paused or added stays.

    Raises:
        DeclarationError: a schedule lacks a parameter.
    """
    known = Known(server)
    for change in _plan(server, wanted):
        change.make(known)
    return [_read(server, each.full_name) for each in wanted]


def _plan(server: Server, wanted: Sequence[Declared]) -> list[Change]:
    for each in wanted:
        for schedule in each.schedules:
            needed = {*each.fields["parameter_openapi_schema"].get("required", [])}
            missing = sorted(needed - {*each.fields["parameters"]} - {*schedule.parameters})
            if missing:
                raise DeclarationError(
                    f"{each.full_name}: schedule {schedule.slug}: found no value of {', '.join(missing)}, expected one:"
                    " serve a contract by its name in its place; nothing was registered"
                )
    return [change for each in wanted for change in registration.changes(server, each)]


def _read(server: Server, full_name: str) -> Served:
    found = server.read(f"/deployments/name/{full_name}")
    return Served(found["id"], full_name, found["paused"], found["schedules"])


def also_active(server: Server, served_ones: Iterable[Served]) -> list[str]:
    """Name the work pool's deployments of the same names whose schedules are active: both would run."""
    names = (each.full_name.removesuffix(SUFFIX) for each in served_ones if each.schedules)
    found = ((name, server.read(f"/deployments/name/{name}")) for name in names)
    return [
        name
        for name, there in found
        if there and not there["paused"] and any(schedule["active"] for schedule in there["schedules"])
    ]


def drop_missed(server: Server, served_ones: Iterable[Served], now: dt.datetime) -> int:
    """Cancel the runs that were due while nobody served them, but the last of each kind: it does what they would have.

    Returns:
        How many were cancelled.
    """
    asked = {
        "flow_runs": {
            "deployment_id": {"any_": [each.id for each in served_ones]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "next_scheduled_start_time": {"before_": now.isoformat()},
        },
        "sort": "EXPECTED_START_TIME_DESC",
    }
    kept: set[tuple[str, str]] = set()
    missed = []
    for run in server.pages("/flow_runs/filter", asked):
        if not run["auto_scheduled"]:
            continue  # a person asked for it
        kind = (run["deployment_id"], json.dumps(run["parameters"], sort_keys=True))
        if kind in kept:
            missed.append(run["id"])
        kept.add(kind)
    for each in missed:
        state = {"type": "CANCELLED", "message": "Nobody served it when it was due; a later run does the same."}
        server.post(f"/flow_runs/{each}/set_state", {"state": state, "force": True})
    return len(missed)
