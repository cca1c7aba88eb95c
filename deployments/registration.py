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
    pools = {name: _pool(server, name, settings) for name in {each.fields["work_pool_name"] for each in declared}}
    for each in declared:
        _check_job_variables(each, pools[each.fields["work_pool_name"]])
    changes = [change for each in declared for change in _changes(server, each)]
    return changes + _left_over(server, declared, settings.environment), known


def _check_blocks(server: Server, settings: Settings) -> None:
    wanted = {settings.credentials_block, settings.lake_block, settings.warehouse_block}
    found = server.post("/block_documents/filter", {"block_documents": {"name": {"any_": sorted(wanted)}}})
    missing = sorted(wanted - {document["name"] for document in found})
    expect(
        not missing,
        f"Prefect: found no block {', '.join(missing)}, expected it, for each run loads it; run"
        f" `make blocks ENV={settings.environment}`",
    )


def _pool(server: Server, name: str, settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] | None = server.read(f"/work_pools/{name}")
    if found is None:
        raise DeclarationError(
            f"Prefect: found no work pool {name}, expected one; run `make blocks ENV={settings.environment}`,"
            " nothing was written"
        )
    return found


def _check_job_variables(declared: Declared, pool: dict[str, Any]) -> None:
    """Refuse what the pool's template does not know: a worker would ignore it without a word."""
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


def _changes(server: Server, declared: Declared) -> list[Change]:
    found: dict[str, Any] | None = server.read(f"/deployments/name/{declared.full_name}")
    if found is None:
        return [Change("create", declared.full_name, "deployment", [], lambda known: _create(known.server, declared))]
    path = f"/deployments/{found['id']}"
    there = {schedule["slug"]: schedule for schedule in found["schedules"] if schedule["slug"]}
    lines = differences({name: _fields(found)[name] for name in declared.fields}, declared.fields, SECRETS)
    steps: list[Step] = [lambda known: known.server.patch(path, declared.fields)] if lines else []
    for each in declared.schedules:
        more, step = _schedule(path, each, there.get(each.slug))
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


def _schedule(path: str, wanted: Schedule, found: dict[str, Any] | None) -> tuple[list[str], Step]:
    body: dict[str, Any] = {"schedule": wanted.when, "parameters": wanted.parameters}
    where = f"schedules.{wanted.slug}"
    if not found:
        lines = [f"{where}: None -> {wanted.when!r}"]
        return lines, lambda known: known.server.post(f"{path}/schedules", [{**body, "slug": wanted.slug}])
    there = {"schedule": schedules.normal(found["schedule"]), "parameters": found["parameters"]}
    # sent without `active`: what is paused stays paused
    return differences(there, body, path=where), lambda known: known.server.patch(
        f"{path}/schedules/{found['id']}", body
    )


def _create(server: Server, declared: Declared) -> None:
    flow = server.post("/flows/", {"name": declared.flow})
    made = [{"schedule": each.when, "parameters": each.parameters, "slug": each.slug} for each in declared.schedules]
    body = {**declared.fields, "name": declared.name, "flow_id": flow["id"], "schedules": made}
    server.post("/deployments/", body)


def _fields(found: dict[str, Any]) -> dict[str, Any]:
    """Give a deployment as the server has it in the form in which two of them compare."""
    limit = found["global_concurrency_limit"]
    return {**found, "concurrency_limit": limit["limit"] if limit else None}


def _left_over(server: Server, declared: Sequence[Declared], environment: str) -> list[Change]:
    """Find the environment's deployments that are not declared any more."""
    asked = {"deployments": {"tags": {"all_": tags(environment)}}}
    there = server.pages("/deployments/filter", asked)
    ids = sorted({deployment["flow_id"] for deployment in there})
    flows = {flow["id"]: flow["name"] for flow in server.pages("/flows/filter", {"flows": {"id": {"any_": ids}}})}
    names = {each.full_name for each in declared}
    found = {f"{flows[deployment['flow_id']]}/{deployment['name']}": deployment["id"] for deployment in there}
    return [_removal(name, "deployment", f"/deployments/{found[name]}") for name in sorted({*found} - names)]


def _removal(name: str, kind: str, path: str) -> Change:
    return Change("remove", name, kind, [], lambda known: known.server.delete(path))
