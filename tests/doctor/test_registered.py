"""Blocks, work pool, worker and deployments, at a real Prefect server, each test with an environment of its own."""

import datetime as dt
import io
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from blocks.__main__ import main as make_blocks
from blocks.server import Server
from flows.doctor import registered, terraform
from flows.doctor.finding import ok, problem, skipped, warning
from flows.doctor.seen import Seen
from flows.settings import Settings
from tests.blocks.outputs import outputs
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)

Make = Callable[..., None]


@pytest.fixture
def environment() -> str:
    return f"o{uuid.uuid4().hex[:8]}"


@pytest.fixture
def api(cloud: dict[str, str]) -> Iterator[SyncPrefectClient]:
    with prefect_api(cloud) as client:
        yield client


@pytest.fixture
def seen(api: SyncPrefectClient, environment: str, tmp_path: Path) -> Seen:
    made = Seen(ROOT, tmp_path, {})
    made.settings, made.server = Settings(environment=environment, publisher=None), Server(api)
    return made


@pytest.fixture
def make(environment: str, api: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Run `make blocks`."""
    assert api is not None

    def run(**changes: Any) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(outputs(environment, **changes)))
        assert make_blocks([]) == 0

    return run


def test_blocks_that_are_not_registered_are_to_be_made(seen: Seen, environment: str) -> None:
    names = ", ".join(f"landfall-{environment}-{name}" for name in ("credentials", "lake", "warehouse"))
    assert registered.blocks(seen) == problem(f"not registered: {names}", f"make blocks ENV={environment}")


def test_blocks_and_pool_that_are_registered_are_named(seen: Seen, make: Make, environment: str) -> None:
    make()
    names = ", ".join(f"landfall-{environment}-{name}" for name in ("credentials", "lake", "secret", "warehouse"))
    assert registered.blocks(seen) == ok(f"4 registered: {names}")
    assert registered.pool(seen) == ok(
        f"landfall-{environment}: cloud-run-v2 in europe-west4, as run@acme-data.iam.gserviceaccount.com, image: the"
        " deployment's, at most 4 at once"
    )
    assert seen.region == "europe-west4"


def test_a_pool_that_is_paused_holds_runs_back(seen: Seen, make: Make, environment: str) -> None:
    make()
    seen.server.patch(f"/work_pools/landfall-{environment}", {"is_paused": True})
    registered.blocks(seen)
    assert registered.pool(seen) == warning(
        f"landfall-{environment} is paused: no run of its deployments starts",
        f"prefect work-pool resume landfall-{environment}",
    )


def test_a_pool_that_is_absent_is_a_problem_where_there_are_jobs(seen: Seen, make: Make, environment: str) -> None:
    make()
    registered.blocks(seen)
    seen.server.delete(f"/work_pools/landfall-{environment}")
    assert registered.pool(seen).verdict == "problem"
    del seen.documents[seen.settings.secret_block]
    assert registered.pool(seen).verdict == "skipped"


def test_a_template_without_region_account_or_image_is_a_problem(seen: Seen, make: Make, environment: str) -> None:
    make()
    registered.blocks(seen)
    registered.pool(seen)
    known = seen.pool["base_job_template"]["variables"]["properties"]
    del known["image"], known["region"]["default"], known["service_account_name"]["default"]
    assert registered.judge_pool(seen.pool, "make blocks") == problem(
        f"landfall-{environment}: its template lacks region, service_account_name, image", "make blocks"
    )


def test_a_pool_of_another_type_makes_no_jobs() -> None:
    found = {"name": "landfall-dev", "type": "process", "base_job_template": {}}
    assert registered.judge_pool(found, "make blocks").found == (
        "landfall-dev is of the type process: it makes no Cloud Run jobs"
    )


def test_without_deployments_no_run_waits_for_a_worker(seen: Seen, make: Make, environment: str) -> None:
    make()
    registered.blocks(seen)
    registered.pool(seen)
    declared = registered.declared_names(ROOT / "prefect.yaml", environment).total()
    assert registered.deployments(seen) == skipped(
        f"none of {declared} is registered: nothing is scheduled, runs are by hand", f"make deploy ENV={environment}"
    )
    assert registered.worker(seen) == skipped(
        f"landfall-{environment}: none has ever asked; no deployment is registered, so that no run waits for one"
    )


def test_deployments_are_compared_with_the_file_and_wait_for_a_worker(
    seen: Seen, make: Make, environment: str, tmp_path: Path
) -> None:
    make()
    seen.root = tmp_path
    (tmp_path / "prefect.yaml").write_text(
        "deployments: [{name: 'a-{{ $LANDFALL_ENVIRONMENT }}'}, {name: 'b-{{ $LANDFALL_ENVIRONMENT }}'}]"
    )
    flow = seen.server.post("/flows/", {"name": "web-to-bigquery"})
    tags = ["landfall", f"environment:{environment}"]
    body = {"flow_id": flow["id"], "tags": tags, "work_pool_name": f"landfall-{environment}", "paused": False}
    hourly, daily = ({"schedule": {"interval": each}} for each in (3600, 86400))
    first = seen.server.post("/deployments/", {**body, "name": f"a-{environment}", "schedules": [hourly, daily]})
    registered.blocks(seen)
    registered.pool(seen)
    try:
        assert registered.deployments(seen) == warning(
            f"not registered: b-{environment}", f"make deploy ENV={environment} OPTIONS=--check"
        )
        (tmp_path / "prefect.yaml").write_text("deployments: [{name: 'a-{{ $LANDFALL_ENVIRONMENT }}'}]")
        seen.server.patch(f"/deployments/{first['id']}/schedules/{first['schedules'][0]['id']}", {"active": False})
        seen.deployments = None
        assert registered.deployments(seen) == ok("1 registered, with 2 schedules, of which 1 are active")
        found = registered.worker(seen)
        assert (found.verdict, found.found) == (
            "problem",
            f"landfall-{environment}: none has ever asked; none is online, and runs of its deployments stay Late",
        )
        seen.server.post(f"/work_pools/landfall-{environment}/workers/heartbeat", {"name": "able"})
        assert registered.worker(seen).found.startswith("1 online: able, heard of ")
    finally:
        seen.server.delete(f"/deployments/{first['id']}")


def test_a_worker_that_was_heard_of_long_ago_is_named_with_its_age(seen: Seen) -> None:
    seen.pool, seen.deployments = {"name": "landfall-dev"}, [{}]
    old = {"name": "able", "status": "OFFLINE", "last_heartbeat_time": "2026-11-21T11:00:00+00:00"}
    older = {"name": "baker", "status": "OFFLINE", "last_heartbeat_time": "2026-11-20T11:00:00+00:00"}
    found = registered.judge_workers([older, old], seen, NOW)
    assert (found.verdict, found.found) == (
        "problem",
        "landfall-dev: able, heard of 3 days ago; none is online, and runs of its deployments stay Late",
    )


def test_outputs_that_the_blocks_follow_are_ok_and_others_are_shown(
    seen: Seen, make: Make, environment: str, tmp_path: Path
) -> None:
    make()
    seen.outputs = tmp_path / "outputs.json"
    seen.outputs.write_text(outputs(environment))
    assert terraform.outputs(seen) == ok("6 blocks, pools and queues are as the outputs say")
    seen.outputs.write_text(outputs(environment, lake_bucket="another"))
    assert terraform.outputs(seen) == problem(
        f"blocks differ from the outputs: landfall-{environment}-lake: bucket: 'landfall-{environment}-lake' ->"
        " 'another'",
        f"make blocks ENV={environment}",
    )
    seen.outputs.write_text(outputs("prod"))
    assert terraform.outputs(seen) == skipped(
        f"infra/ is initialised for prod, and this is {environment}", f"make plan ENV={environment}"
    )
    seen.outputs.write_text("{}")
    assert terraform.outputs(seen).verdict == "problem"


def test_without_terraform_or_a_state_outputs_are_skipped(seen: Seen, tmp_path: Path, monkeypatch: Any) -> None:
    seen.root = tmp_path
    monkeypatch.setenv("PATH", str(tmp_path))
    assert terraform.outputs(seen) == skipped(
        "there is no terraform on the PATH", "https://developer.hashicorp.com/terraform/install"
    )
    command = tmp_path / "terraform"
    command.write_text("#!/bin/sh\necho '╷ Error: no state' >&2\nexit 1\n")
    command.chmod(0o755)
    assert terraform.outputs(seen).verdict == "skipped"
    (tmp_path / "infra" / ".terraform").mkdir(parents=True)
    assert terraform.outputs(seen) == warning(
        "terraform output answered: Error: no state", f"make plan ENV={seen.settings.environment}"
    )
