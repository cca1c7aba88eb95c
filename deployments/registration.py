"""Bring the deployments that are registered at Prefect in line with those that are declared.

What people decide from day to day is not compared and not sent: whether a deployment or a schedule is paused, and
schedules without a slug, which are theirs.
"""

from collections.abc import Callable, Sequence
from typing import Any

from prefect.utilities.schema_tools import validate

from blocks.change import Change, Known
from blocks.compare import differences
from blocks.server import Server
from deployments import schedules
from deployments.declared import Declared, tags
from deployments.errors import DeclarationError, expect
from deployments.schedules import BY_HAND, Schedule
from flows.settings import Settings

SECRETS = ("job_variables.env",)
"""Values there are not shown: they may have come from a variable of the environment."""

Step = Callable[[Known], object]


def plan(server: Server, declared: Sequence[Declared], settings: Settings) -> tuple[list[Change], Known]:
    """Compare everything, and write nothing.

    Raises:
        DeclarationError: a block or work pool is not registered, or the pool takes no such job variable.
    """
    known = Known(server)
    _check_blocks(server, settings)
    to_do = f"run `make blocks ENV={settings.environment}`"
    pools = {name: pool(server, name, to_do) for name in {each.fields["work_pool_name"] for each in declared}}
    for each in declared:
        check_job_variables(each, pools[each.fields["work_pool_name"]])
    found = [change for each in declared for change in changes(server, each)]
    names = {each.full_name for each in declared}
    there = with_tags(server, tags(settings.environment))
    return found + [removal(name, there[name]) for name in sorted({*there} - names)], known


def _check_blocks(server: Server, settings: Settings) -> None:
    wanted = {settings.credentials_block, settings.lake_block, settings.warehouse_block}
    found = server.post("/block_documents/filter", {"block_documents": {"name": {"any_": sorted(wanted)}}})
    missing = sorted(wanted - {document["name"] for document in found})
    expect(
        not missing,
        f"Prefect: found no block {', '.join(missing)}, expected it, for each run loads it; run"
        f" `make blocks ENV={settings.environment}`",
    )


def pool(server: Server, name: str, to_do: str) -> dict[str, Any]:
    """Read a work pool.

    Raises:
        DeclarationError: there is none of that name; it says what to do then.
    """
    found: dict[str, Any] | None = server.read(f"/work_pools/{name}")
    if found is None:
        raise DeclarationError(f"Prefect: found no work pool {name}, expected one; {to_do}, nothing was written")
    return found


def check_job_variables(declared: Declared, pool: dict[str, Any]) -> None:
    """Refuse what the pool's template does not know: a worker would ignore it without a word.

    Raises:
        DeclarationError: it names what, and what the pool takes.
    """
    schema = pool["base_job_template"].get("variables", {})
    known: dict[str, Any] = schema.get("properties", {})
    given = declared.fields["job_variables"]
    where = f"deployment {declared.full_name}: job_variables"
    unknown = sorted({*given} - {*known})
    expect(
        not unknown,
        f"{where}: found {', '.join(unknown)}, expected one of {', '.join(sorted(known))}, which the work pool"
        f" {pool['name']} takes",
    )
    defaults = {name: each["default"] for name, each in known.items() if each.get("default") is not None}
    errors = validate(defaults | given, schema, preprocess=True, allow_none_with_default=True)
    said = "; ".join(f"{error.json_path.removeprefix('$.')}: {error.message}" for error in errors)
    expect(not errors, f"{where}: found {said}, expected what the work pool {pool['name']} takes")


def changes(server: Server, declared: Declared, *, force: bool = False) -> list[Change]:
    """Compare one deployment, and its schedules that are the file's, with what is registered; nothing is written.

    Args:
        server: where.
        declared: the deployment as it should be.
        force: send it also if nothing differs.
    """
    found: dict[str, Any] | None = server.read(f"/deployments/name/{declared.full_name}")
    if found is None:
        return [Change("create", declared.full_name, "deployment", [], lambda known: _create(known.server, declared))]
    path = f"/deployments/{found['id']}"
    there = {schedule["slug"]: schedule for schedule in found["schedules"] if schedule["slug"]}
    lines = differences({name: _fields(found)[name] for name in declared.fields}, declared.fields, SECRETS)
    lines += ["sent again, as asked for"] if force and not lines else []
    steps: list[Step] = [lambda known: known.server.patch(path, declared.fields)] if lines else []
    for each in declared.schedules:
        more, step = _schedule(path, each, there.get(each.slug), declared.active)
        lines += more
        steps += [step] if more else []

    def make(known: Known) -> None:
        for step in steps:
            step(known)

    return [
        Change("update" if lines else "keep", declared.full_name, "deployment", lines, make),
        *(
            _removal(f"{declared.full_name} {slug}", "schedule", f"{path}/schedules/{there[slug]['id']}")
            for slug in sorted({*there} - {each.slug for each in declared.schedules})
            if not slug.startswith(BY_HAND)
        ),
    ]


def _schedule(path: str, wanted: Schedule, found: dict[str, Any] | None, active: bool | None) -> tuple[list[str], Step]:
    body: dict[str, Any] = {"schedule": wanted.when, "parameters": wanted.parameters}
    where = f"schedules.{wanted.slug}"
    if not found:
        lines = [f"{where}: None -> {wanted.when!r}"]
        return lines, lambda known: known.server.post(f"{path}/schedules", [_new(wanted, active)])
    there = {"schedule": schedules.normal(found["schedule"]), "parameters": found["parameters"]}
    if active is not None:  # else sent without `active`: what is paused stays paused
        body["active"], there["active"] = active, found["active"]
    return differences(there, body, path=where), lambda known: known.server.patch(
        f"{path}/schedules/{found['id']}", body
    )


def _new(wanted: Schedule, active: bool | None) -> dict[str, Any]:
    first = wanted.active_at_first if active is None else active
    return {"schedule": wanted.when, "parameters": wanted.parameters, "slug": wanted.slug, "active": first}


def _create(server: Server, declared: Declared) -> None:
    flow = server.post("/flows/", {"name": declared.flow})
    made = [_new(each, declared.active) for each in declared.schedules]
    body = {**declared.fields, **declared.at_first, "name": declared.name, "flow_id": flow["id"], "schedules": made}
    server.post("/deployments/", body)


def _fields(found: dict[str, Any]) -> dict[str, Any]:
    """Give a deployment as the server has it in the form in which two of them compare."""
    limit = found["global_concurrency_limit"]
    return {**found, "concurrency_limit": limit["limit"] if limit else None}


def with_tags(server: Server, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the deployments that have all of these tags, by their full names."""
    there = server.pages("/deployments/filter", {"deployments": {"tags": {"all_": [*wanted]}}})
    ids = sorted({deployment["flow_id"] for deployment in there})
    flows = {flow["id"]: flow["name"] for flow in server.pages("/flows/filter", {"flows": {"id": {"any_": ids}}})}
    return {f"{flows[deployment['flow_id']]}/{deployment['name']}": deployment for deployment in there}


def removal(name: str, deployment: dict[str, Any]) -> Change:
    """Give the change that removes a deployment."""
    return _removal(name, "deployment", f"/deployments/{deployment['id']}")


def _removal(name: str, kind: str, path: str) -> Change:
    return Change("remove", name, kind, [], lambda known: known.server.delete(path))
