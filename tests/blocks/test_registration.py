"""`make blocks` against a real Prefect server, each test with an environment of its own."""

import asyncio
import io
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from blocks.__main__ import main
from tests.blocks.outputs import outputs
from tests.prefect_api import prefect_api

Blocks = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def environment() -> str:
    return f"b{uuid.uuid4().hex[:8]}"


@pytest.fixture
def api(cloud: dict[str, str]) -> Iterator[SyncPrefectClient]:
    """The server, and the settings that lead to it."""
    with prefect_api(cloud) as client:
        yield client


@pytest.fixture
def blocks(
    environment: str, api: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Blocks:
    """Run `python -m blocks` with outputs of this environment; gives exit code, lines, and what it complains of."""
    assert api is not None

    def run(*options: str, **changes: Any) -> tuple[int, list[str], str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(outputs(**{"environment": environment, **changes})))
        code = main(options)
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err

    return run


def all_of(environment: str, word: str) -> list[str]:
    return [
        f"{word:<9} landfall-{environment}-credentials (gcp-credentials)",
        f"{word:<9} landfall-{environment}-lake (gcs-bucket)",
        f"{word:<9} landfall-{environment}-warehouse (bigquery-warehouse)",
        f"{word:<9} landfall-{environment}-secret (gcpsecret)",
        f"{word:<9} landfall-{environment} (work pool)",
        f"{word:<9} landfall-{environment}/default (work queue)",
    ]


def documents(api: Any, environment: str) -> list[dict[str, Any]]:
    """All that the server has of this environment's blocks, with the times of their last change."""
    asked = {"block_documents": {"name": {"like_": f"landfall-{environment}-"}}, "include_secrets": True}
    found: list[dict[str, Any]] = api.request("POST", "/block_documents/filter", json=asked).json()
    return found


def pool(api: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = api.request("GET", f"/work_pools/{name}").json()
    return found


def test_a_second_run_changes_nothing(blocks: Blocks, api: SyncPrefectClient, environment: str) -> None:
    assert blocks("--check") == (2, all_of(environment, "to create"), "")
    assert documents(api, environment) == []
    assert blocks() == (0, all_of(environment, "created"), "")
    before = documents(api, environment), pool(api, f"landfall-{environment}")
    assert blocks() == (0, all_of(environment, "unchanged"), "")
    assert blocks("--check", "--prune") == (0, all_of(environment, "unchanged"), "")
    assert (documents(api, environment), pool(api, f"landfall-{environment}")) == before


def test_the_blocks_hold_no_key_and_refer_to_one_another(
    blocks: Blocks, api: SyncPrefectClient, environment: str
) -> None:
    blocks()
    credentials, lake, secret, warehouse = documents(api, environment)
    keyless = {"project": "acme-data", "service_account_file": None, "service_account_info": None}
    assert credentials["data"] == keyless
    assert lake["data"] == {
        "bucket": f"landfall-{environment}-lake",
        "bucket_folder": "",
        "gcp_credentials": keyless,
    }
    assert secret["data"] == {
        "gcp_credentials": keyless,
        "secret_name": f"landfall-{environment}-prefect-api",
        "secret_version": "latest",
    }
    assert warehouse["data"] == {"fetch_size": 1, "gcp_credentials": keyless}
    for block in (lake, secret, warehouse):
        reference = block["block_document_references"]["gcp_credentials"]["block_document"]
        assert reference["id"] == credentials["id"]


def test_a_changed_output_and_a_change_by_hand_are_shown_and_put_right(
    blocks: Blocks, api: Any, environment: str
) -> None:
    blocks()
    credentials, lake, _, warehouse = documents(api, environment)
    refer = {"gcp_credentials": {"$ref": {"block_document_id": credentials["id"]}}}
    api.request("PATCH", f"/block_documents/{warehouse['id']}", json={"data": {"fetch_size": 9, **refer}})
    key = {"service_account_info": {"private_key": "hunter2"}}
    copied = {"bucket": f"landfall-{environment}-lake", "gcp_credentials": key}
    api.request("PATCH", f"/block_documents/{lake['id']}", json={"data": copied, "merge_existing_data": False})
    api.request("PATCH", f"/work_pools/landfall-{environment}/queues/default", json={"is_paused": True})
    expected = all_of(environment, "unchanged")
    expected[1:2] = [
        f"to update landfall-{environment}-lake (gcs-bucket)",
        f"          bucket: 'landfall-{environment}-lake' -> 'another'",
        "          bucket_folder: None -> ''",
        f"          gcp_credentials: (a secret) -> the block landfall-{environment}-credentials",
    ]
    expected[5:6] = [
        f"to update landfall-{environment}-warehouse (bigquery-warehouse)",
        "          fetch_size: 9 -> 1",
    ]
    expected[8:] = [
        f"to update landfall-{environment} (work pool)",
        "          base_job_template.variables.properties.region.default: 'europe-west4' -> 'us-central1'",
        "          concurrency_limit: 4 -> 5",
        f"to update landfall-{environment}/default (work queue)",
        "          concurrency_limit: 4 -> 5",
    ]
    changes = {"lake_bucket": "another", "region": "us-central1", "work_pool_concurrency": 5}
    assert blocks("--check", **changes) == (2, expected, "")
    assert blocks(**changes) == (0, [line.replace("to update", "updated  ") for line in expected], "")
    assert blocks(**changes) == (0, all_of(environment, "unchanged"), "")
    queue = api.request("GET", f"/work_pools/landfall-{environment}/queues/default").json()
    assert (queue["is_paused"], queue["concurrency_limit"]) == (True, 5)  # who paused it may start it again


def test_only_prune_removes_and_only_what_is_this_environments(
    blocks: Blocks, api: Any, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LANDFALL_DATABASE_PASSWORD", raising=False)
    blocks(database_url="sqlite+pysqlite:///trips.db")
    neighbour = f"{environment}-2"
    blocks(environment=neighbour, work_pool=f"landfall-{neighbour}", database_url="sqlite+pysqlite:///trips.db")
    api.request("POST", "/work_pools/", json={"name": f"landfall-{environment}-mine", "type": "process"})
    left = [
        f"landfall-{environment}-database (sqlalchemy-connector)",
        f"landfall-{environment} (work pool)",
    ]
    renamed = [line.replace(f"{environment} (", f"{environment}-new (") for line in all_of(environment, "unchanged")]
    renamed = [line.replace(f"{environment}/", f"{environment}-new/") for line in renamed]
    code, lines, _ = blocks(work_pool=f"landfall-{environment}-new")
    assert (code, lines[6:]) == (0, [f"left over {name}: --prune removes it" for name in left])
    code, lines, _ = blocks("--check", work_pool=f"landfall-{environment}-new")
    assert (code, lines[:6]) == (0, renamed)
    code, lines, _ = blocks("--check", "--prune", work_pool=f"landfall-{environment}-new")
    assert (code, [line for line in lines if "to remove" in line]) == (2, [f"to remove {name}" for name in left])
    code, lines, _ = blocks("--prune", work_pool=f"landfall-{environment}-new")
    assert (code, [line for line in lines if "removed" in line]) == (0, [f"removed   {name}" for name in left])
    assert blocks("--prune", work_pool=f"landfall-{environment}-new") == (0, renamed, "")
    assert len(documents(api, neighbour)) == 5
    pools = api.request("POST", "/work_pools/filter", json={"limit": 200}).json()
    assert {found["name"] for found in pools if environment in found["name"]} == {
        f"landfall-{environment}-mine",
        f"landfall-{environment}-new",
        f"landfall-{neighbour}",
    }


def test_a_databases_password_comes_from_the_environment_stays_and_is_never_shown(
    blocks: Blocks, api: SyncPrefectClient, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql+psycopg2://etl@db.example.org:5432/trips"
    monkeypatch.setenv("LANDFALL_DATABASE_PASSWORD", "hunter2")
    said = [blocks(database_url=address)]
    monkeypatch.setenv("LANDFALL_DATABASE_PASSWORD", "hunter3")
    said.append(blocks("--check", database_url=address))
    said.append(blocks(database_url=address))
    monkeypatch.delenv("LANDFALL_DATABASE_PASSWORD")
    said.append(blocks("--check", database_url=address))
    block = f"landfall-{environment}-database (sqlalchemy-connector)"
    assert [code for code, _, _ in said] == [0, 2, 0, 0]
    assert [line for _, lines, _ in said for line in lines if "database" in line] == [
        f"created   {block}",
        f"to update {block}",
        f"updated   {block}",
        f"unchanged {block}",
    ]
    assert "          connection_info.password: (a secret) -> (a secret)" in said[1][1]
    assert "hunter" not in str(said)
    database = next(entry for entry in documents(api, environment) if entry["name"].endswith("-database"))
    assert database["data"]["connection_info"]["password"] == "hunter3"  # noqa: S105 - made up here


def test_a_worker_gets_a_job_with_the_environments_identity_secret_and_image(
    blocks: Blocks, api: SyncPrefectClient, environment: str, cloud: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks()
    template = pool(api, f"landfall-{environment}")["base_job_template"]
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP", "CLOUDSDK_CONFIG", "NO_PROXY"):
        monkeypatch.setenv(name, cloud[name])
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)

    from prefect_gcp.workers.cloud_run_v2 import CloudRunWorkerJobV2Configuration  # noqa: PLC0415

    job = asyncio.run(
        CloudRunWorkerJobV2Configuration.from_template_and_values(template, {"image": "landfall:1", "env": {"A": "b"}})
    )
    assert job.project == "acme-data"
    assert (job.region, job.timeout) == ("europe-west4", 3600)
    assert job.env == {"LANDFALL_ENVIRONMENT": environment, "PREFECT_LOGGING_LEVEL": "INFO", "A": "b"}
    assert job.prefect_api_auth_string_secret.model_dump() == {
        "secret": f"landfall-{environment}-prefect-api",
        "version": "latest",
    }
    assert job.prefect_api_key_secret is None
    task = job.job_body["template"]["template"]
    assert task["serviceAccount"] == "run@acme-data.iam.gserviceaccount.com"
    assert task["containers"][0]["image"] == "landfall:1"
    assert template["variables"]["required"] == ["image"]
    # what the worker sends has a reference where its own settings hold the secret
    job.prepare_for_flow_run(FlowRun(flow_id=uuid.uuid4(), name="a-run"))
    variables = {each["name"]: each for each in job.job_body["template"]["template"]["containers"][0]["env"]}
    assert variables["PREFECT_API_URL"]["value"] == cloud["PREFECT_API_URL"]
    assert variables["PREFECT_API_AUTH_STRING"] == {
        "name": "PREFECT_API_AUTH_STRING",
        "valueSource": {"secretKeyRef": {"secret": f"landfall-{environment}-prefect-api", "version": "latest"}},
    }
    assert cloud["PREFECT_API_AUTH_STRING"] not in json.dumps(job.job_body)


def test_prefect_refuses_a_run_without_an_image(blocks: Blocks, api: Any, environment: str) -> None:
    blocks()
    deployment = {
        "name": environment,
        "flow_id": api.request("POST", "/flows/", json={"name": f"flow-{environment}"}).json()["id"],
        "work_pool_name": f"landfall-{environment}",
    }
    with pytest.raises(httpx.HTTPStatusError, match="422"):  # the image of an unset variable in prefect.yaml
        api.request("POST", "/deployments/", json={**deployment, "job_variables": {"image": ""}})
    made = api.request("POST", "/deployments/", json=deployment).json()
    with pytest.raises(httpx.HTTPStatusError, match="'image' is a required property"):
        api.request("POST", f"/deployments/{made['id']}/create_flow_run", json={"state": {"type": "SCHEDULED"}})
    made = api.request("POST", "/deployments/", json={**deployment, "job_variables": {"image": "landfall:1"}}).json()
    run = api.request("POST", f"/deployments/{made['id']}/create_flow_run", json={"state": {"type": "SCHEDULED"}})
    assert (run.status_code, made["work_queue_name"]) == (201, "default")


def test_a_pool_of_another_type_is_refused_before_anything_is_written(
    blocks: Blocks, api: Any, environment: str
) -> None:
    api.request("POST", "/work_pools/", json={"name": f"landfall-{environment}", "type": "process"})
    assert blocks() == (
        1,
        [],
        (
            f"work pool landfall-{environment}: found the type process, expected cloud-run-v2; delete it, or give"
            " another name in infra/, nothing was written\n"
        ),
    )
    assert documents(api, environment) == []


def test_outputs_of_another_environment_are_refused_before_the_server_is_asked(
    blocks: Blocks, environment: str
) -> None:
    assert blocks("--environment", "prod") == (
        1,
        [],
        (
            f"standard input: found the outputs of environment '{environment}', expected 'prod'; run"
            " `make apply ENV=prod`, nothing was written\n"
        ),
    )


class Refusing(BaseHTTPRequestHandler):
    """Answers 401, as a server does that wants an auth string."""

    def answer(self) -> None:
        self.send_response(401)
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_: Any) -> None:
        pass


def test_a_server_that_refuses_the_credentials_is_said_in_one_line(blocks: Blocks) -> None:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/api"
        with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: "who:hunter2"}):
            code, lines, said = blocks()
        server.shutdown()
    assert (code, lines) == (1, [])
    assert said == (
        f"{url}: answered 401 Unauthorized to GET /api/csrf-token, expected access; set PREFECT_API_KEY for Prefect"
        " Cloud, or PREFECT_API_AUTH_STRING for a server of your own; nothing was written\n"
    )


def test_a_server_that_is_not_there_is_said_in_one_line(blocks: Blocks) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        assert blocks() == (
            1,
            [],
            (
                "http://127.0.0.1:1/api: [Errno 111] Connection refused, expected a Prefect server that answers; check"
                " PREFECT_API_URL; nothing was written\n"
            ),
        )


def test_an_address_that_is_not_prefects_api_is_said_in_one_line(blocks: Blocks, cloud: dict[str, str]) -> None:
    url = cloud["PREFECT_API_URL"].removesuffix("/api")
    with temporary_settings({PREFECT_API_URL: url}):
        assert blocks() == (
            1,
            [],
            (
                f"{url}: answered 403 Forbidden to POST /block_documents/filter, expected Prefect's API; is the address"
                " complete, up to /api?; nothing was written\n"
            ),
        )


def test_without_an_address_no_server_is_started_in_its_place(blocks: Blocks) -> None:
    with temporary_settings({PREFECT_API_URL: None}):
        assert blocks() == (
            1,
            [],
            (
                "PREFECT_API_URL: found nothing, expected the address of a Prefect server's API; on a laptop: eval"
                ' "$(make -s env)"; nothing was written\n'
            ),
        )


def test_blocks_that_are_there_cost_make_run_no_import_of_googles_clients(
    blocks: Blocks, environment: str, cloud: dict[str, str]
) -> None:
    blocks()
    question = (
        "import sys\n"
        "from blocks.__main__ import main\n"
        "code = main(['--if-absent'])\n"
        "print(code, [name for name in ('prefect_gcp', 'google.cloud.bigquery', 'pyarrow') if name in sys.modules])\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", question],
        input=outputs(environment, lake_bucket="another"),
        env=cloud,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.stdout, answer.stderr) == ("0 []\n", "")
