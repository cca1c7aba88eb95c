"""The work pool for Cloud Run: a job for each flow run, with what all jobs of an environment have in common."""

from functools import partial
from typing import Any

from blocks.change import Change, Known
from blocks.compare import differences
from blocks.outputs import CloudRun, Outputs, OutputsError

TYPE = "cloud-run-v2"
QUEUE = "default"  # each pool has it; deployments that name none are in it
SECRETS = {"api_key": "prefect_api_key_secret", "auth_string": "prefect_api_auth_string_secret"}
TIMEOUT_S = 3600  # Cloud Run ends a job then; the template's own 600 s are short for a big file
NOT_KNOWN = "(known when it is made)"


def plan(outputs: Outputs, cloud_run: CloudRun | None, known: Known) -> list[Change]:
    """Compare the pool and its queue with what is registered; nothing is written.

    A pool of this environment with another name, which its description gives away, is left over.

    Raises:
        OutputsError: a pool of that name exists with another type, which cannot be changed.
    """
    mark = _description(outputs.environment)
    there: list[dict[str, Any]] = known.server.pages("/work_pools/filter", {})
    wanted_name = cloud_run.work_pool if cloud_run else None
    changes = []
    if cloud_run:
        found = next((pool for pool in there if pool["name"] == cloud_run.work_pool), None)
        if found and found["type"] != TYPE:
            raise OutputsError(
                f"work pool {cloud_run.work_pool}: found the type {found['type']}, expected {TYPE}; delete it, or give"
                " another name in infra/, nothing was written"
            )
        changes = [_pool(outputs, cloud_run, found, known), _queue(cloud_run, found, known)]
    return changes + [
        Change("remove", pool["name"], "work pool", [], partial(_delete, pool["name"]))
        for pool in there
        if pool["name"] != wanted_name and (pool["type"], pool["description"]) == (TYPE, mark)
    ]


def template(outputs: Outputs, cloud_run: CloudRun, credentials_id: str) -> dict[str, Any]:
    """Give the base job template: the integration's own, with this environment's defaults.

    A deployment names its image, or its runs are refused: the integration's default has none of our code in it.
    """
    # imported late: with the discovery of Google's APIs it takes a second
    from prefect_gcp.workers.cloud_run_v2 import CloudRunWorkerV2  # noqa: PLC0415

    made: dict[str, Any] = CloudRunWorkerV2.get_default_base_job_template()
    variables = made["variables"]
    defaults = {
        "env": {"LANDFALL_ENVIRONMENT": outputs.environment, "PREFECT_LOGGING_LEVEL": cloud_run.log_level},
        "region": cloud_run.region,
        "service_account_name": cloud_run.run_service_account,
        SECRETS[cloud_run.prefect_auth]: {"secret": cloud_run.prefect_api_secret, "version": "latest"},
        "launch_stage": "GA",
        "timeout": TIMEOUT_S,
    }
    for name, value in defaults.items():
        variables["properties"][name]["default"] = value
    image = {"title": "Image Name", "description": "The image with the flows.", "type": "string", "minLength": 1}
    variables["properties"]["image"] = image  # "" is what an unset variable of prefect.yaml leaves
    variables["required"] = ["image"]
    variables["properties"]["service_account_name"].update(anyOf=[{"type": "string", "minLength": 1}, {"type": "null"}])
    variables["additionalProperties"] = False  # a job variable that is misspelled would be ignored
    # as a variable's default Prefect 3.8 refuses it: it reads the block without its secrets, and takes their stars
    # for a value that does not fit
    made["job_configuration"]["credentials"] = {"$ref": {"block_document_id": credentials_id}}
    del variables["properties"]["credentials"], variables["definitions"]["GcpCredentials"]
    return made


def _pool(outputs: Outputs, cloud_run: CloudRun, found: dict[str, Any] | None, known: Known) -> Change:
    def body(credentials_id: str) -> dict[str, Any]:
        return {
            "description": _description(outputs.environment),
            "concurrency_limit": cloud_run.work_pool_concurrency,
            "base_job_template": template(outputs, cloud_run, credentials_id),
        }

    name, credentials = cloud_run.work_pool, outputs.names.credentials_block
    if not found:
        return Change(
            "create",
            name,
            "work pool",
            [],
            lambda known: known.server.post(
                "/work_pools/", {"name": name, "type": TYPE, **body(known.blocks[credentials])}
            ),
        )
    wanted = body(known.blocks.get(credentials, NOT_KNOWN))
    lines = differences({field: found[field] for field in wanted}, wanted)
    return Change(
        "update" if lines else "keep",
        name,
        "work pool",
        lines,
        lambda known: known.server.patch(f"/work_pools/{name}", body(known.blocks[credentials])),
    )


def _queue(cloud_run: CloudRun, pool: dict[str, Any] | None, known: Known) -> Change:
    path = f"/work_pools/{cloud_run.work_pool}/queues"
    name, wanted = f"{cloud_run.work_pool}/{QUEUE}", {"concurrency_limit": cloud_run.work_pool_concurrency}
    there: list[dict[str, Any]] = known.server.pages(f"{path}/filter", {}) if pool else []
    found = next((queue for queue in there if queue["name"] == QUEUE), None)
    if not found:  # the server makes it with the pool
        return Change("create", name, "work queue", [], lambda known: known.server.patch(f"{path}/{QUEUE}", wanted))
    lines = differences({"concurrency_limit": found["concurrency_limit"]}, wanted)
    # what is left out stays: a queue that a person paused stays paused
    return Change(
        "update" if lines else "keep",
        name,
        "work queue",
        lines,
        lambda known: known.server.patch(f"{path}/{QUEUE}", wanted),
    )


def _delete(name: str, known: Known) -> None:
    known.server.delete(f"/work_pools/{name}")


def _description(environment: str) -> str:
    return f"Landfall, environment {environment}: a Cloud Run job for each flow run. Made from Terraform's outputs."
