"""What is registered at Prefect: blocks, work pool, worker, deployments."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from flows.connection import load_blocks
from flows.doctor.finding import Finding, ok, problem, skipped, warning
from flows.doctor.seen import Seen

CLOUD_RUN = "cloud-run-v2"


def blocks(seen: Seen) -> Finding:
    """Look for the blocks that each run loads; none is constructed."""
    settings = seen.settings
    needed = (settings.credentials_block, settings.lake_block, settings.warehouse_block)
    asked = {"block_documents": {"name": {"any_": [*needed, settings.secret_block]}}, "include_secrets": False}
    seen.documents = {each["name"]: each for each in seen.server.post("/block_documents/filter", asked)}
    missing = [name for name in needed if name not in seen.documents]
    if missing:
        return problem(f"not registered: {', '.join(missing)}", seen.make_blocks)
    return ok(f"{len(seen.documents)} registered: {', '.join(seen.documents)}")


def loading(seen: Seen) -> Finding:
    """Load the blocks as a run does."""
    try:
        seen.lake, seen.warehouse = load_blocks(seen.settings)
    except ValueError as error:
        return problem(f"do not load: {' '.join(str(error).split())[:300]}", seen.make_blocks)
    project = seen.lake.gcp_credentials.project
    if project != seen.warehouse.gcp_credentials.project:
        return problem(
            f"the lake's block is in {project}, the warehouse's in {seen.warehouse.gcp_credentials.project}",
            seen.make_blocks,
        )
    where = f"project {project}, bucket {seen.lake.bucket}, dataset {seen.settings.dataset}"
    own = seen.lake.gcp_credentials
    if own.service_account_info or own.service_account_file:
        return warning(
            f"{where}; {seen.settings.credentials_block} holds a key: it can leak, and nothing here needs one",
            seen.make_blocks,
        )
    return ok(f"{where}; no key in the blocks, credentials are the process' own")


def pool(seen: Seen) -> Finding:
    """Look at the work pool and at what its jobs are made of."""
    name = seen.settings.work_pool
    found = seen.server.read(f"/work_pools/{name}")
    if found is None:
        if seen.settings.secret_block not in seen.documents:
            return skipped(f"no work pool {name}: runs are by hand, or by `landfall serve`", seen.make_blocks)
        return problem(f"no work pool {name}, though its jobs' secret is registered", seen.make_blocks)
    seen.pool = found
    return judge_pool(found, seen.make_blocks)


def judge_pool(found: dict[str, Any], make_blocks: str) -> Finding:
    """Tell whether a pool makes Cloud Run jobs that can start."""
    name, template = found["name"], found["base_job_template"]
    if found["type"] != CLOUD_RUN:
        return warning(
            f"{name} is of the type {found['type']}: it makes no Cloud Run jobs",
            f"prefect work-pool delete {name} && {make_blocks}, or keep it: prefect worker start --pool {name}",
        )
    variables = template.get("variables", {})
    known = variables.get("properties", {})
    lacking = [each for each in ("region", "service_account_name") if not known.get(each, {}).get("default")]
    if "image" not in known:
        lacking.append("image")
    if lacking:
        return problem(f"{name}: its template lacks {', '.join(lacking)}", make_blocks)
    if found["is_paused"]:
        return warning(f"{name} is paused: no run of its deployments starts", f"prefect work-pool resume {name}")
    image = known["image"].get("default") or "the deployment's"
    return ok(
        f"{name}: {found['type']} in {known['region']['default']}, as {known['service_account_name']['default']},"
        f" image: {image}, at most {found['concurrency_limit'] or 'any number'} at once"
    )


def deployments(seen: Seen) -> Finding:
    """Compare the deployments' names with those that prefect.yaml declares; `make deploy` compares the rest."""
    environment, there = seen.settings.environment, _deployments(seen)
    file = seen.root / "prefect.yaml"
    if not file.is_file():
        return skipped(f"{file}: not there; {len(there)} are registered")
    declared = declared_names(file, environment)
    if not there:
        return skipped(
            f"none of {declared.total()} is registered: nothing is scheduled, runs are by hand",
            f"make deploy ENV={environment}",
        )
    registered = Counter(each["name"] for each in there)
    missing, left = sorted((declared - registered).elements()), sorted((registered - declared).elements())
    if missing or left:
        parts = [f"not registered: {', '.join(missing)}"] if missing else []
        parts += [f"not in prefect.yaml: {', '.join(left)}"] if left else []
        return warning("; ".join(parts), f"make deploy ENV={environment} OPTIONS=--check")
    schedules = [schedule["active"] and not each["paused"] for each in there for schedule in each["schedules"]]
    return ok(f"{declared.total()} registered, with {len(schedules)} schedules, of which {sum(schedules)} are active")


def _deployments(seen: Seen) -> list[dict[str, Any]]:
    if seen.deployments is None:
        tags = ["landfall", f"environment:{seen.settings.environment}"]
        seen.deployments = seen.server.pages("/deployments/filter", {"deployments": {"tags": {"all_": tags}}})
    return seen.deployments


def declared_names(file: Path, environment: str) -> Counter[str]:
    """Count the names in prefect.yaml; flows are not loaded, so that this is quick."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    names = (each["name"] for each in raw.get("deployments") or [])
    return Counter(name.replace("{{ $LANDFALL_ENVIRONMENT }}", environment) for name in names)


def worker(seen: Seen) -> Finding:
    """Look for a worker that asks the pool for runs."""
    name = seen.pool["name"]
    found = seen.server.post(f"/work_pools/{name}/workers/filter", {})
    return judge_workers(found, seen, dt.datetime.now(dt.UTC))


def judge_workers(found: list[dict[str, Any]], seen: Seen, now: dt.datetime) -> Finding:
    """Tell whether one is online. Without deployments nothing waits for it."""
    name = seen.pool["name"]
    last = max(found, key=lambda each: each["last_heartbeat_time"] or "", default=None)
    beats = f"{last['name']}, heard of {_ago(last['last_heartbeat_time'], now)}" if last else "none has ever asked"
    online = [each for each in found if each["status"] == "ONLINE"]
    if online:
        return ok(f"{len(online)} online: {beats}")
    if not _deployments(seen):
        return skipped(f"{name}: {beats}; no deployment is registered, so that no run waits for one")
    return problem(
        f"{name}: {beats}; none is online, and runs of its deployments stay Late",
        f"make worker ENV={seen.settings.environment} (it stays in the foreground), or set worker_image and"
        f" {seen.make_apply}; without a worker: landfall serve",
    )


def _ago(when: str | None, now: dt.datetime) -> str:
    if when is None:
        return "never"
    seconds = int((now - dt.datetime.fromisoformat(when)).total_seconds())
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
