"""`make deploy` and `prefect deploy` against a real Prefect server, each test with an environment of its own."""

import io
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient

from blocks.__main__ import main as blocks
from deployments.__main__ import main
from tests.blocks.outputs import outputs
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[2]
FILE = ROOT / "prefect.yaml"
WORKER = "worker@acme-data.iam.gserviceaccount.com"

Deploy = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def environment() -> str:
    return f"d{uuid.uuid4().hex[:8]}"


@pytest.fixture
def api(cloud: dict[str, str], environment: str) -> Iterator[SyncPrefectClient]:
    """The server, and the settings that lead to it; what is deployed is removed, for the server would plan its runs."""
    with prefect_api(cloud) as client:
        yield client
        for each in [*of_environment(client, environment), *of_environment(client, f"{environment}-2")]:
            client.request("DELETE", f"/deployments/{each['id']}")  # type: ignore[arg-type]


@pytest.fixture
def bare(
    environment: str, api: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Deploy:
    """Run `make deploy` where no blocks are; gives exit code, lines, and what it complains of."""
    assert api is not None
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LANDFALL_ENVIRONMENT", environment)
    monkeypatch.setenv("LANDFALL_IMAGE", "example.org/flows:1")
    monkeypatch.setenv("LANDFALL_WORKER_ACCOUNT", WORKER)

    def run(*options: str) -> tuple[int, list[str], str]:
        capsys.readouterr()
        code = main(options)
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err

    return run


@pytest.fixture
def deploy(bare: Deploy, environment: str, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Run `make deploy` where `make blocks` was."""
    make_blocks(environment, monkeypatch)
    return bare


def make_blocks(environment: str, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(outputs(environment, **changes)))
    assert blocks([]) == 0


def names(environment: str, file: Path = FILE) -> list[str]:
    """Those of prefect.yaml, in its order."""
    raw = yaml.safe_load(file.read_text())["deployments"]
    flows = [each["entrypoint"].partition(":")[2].replace("_", "-") for each in raw]
    given = [each["name"].replace("{{ $LANDFALL_ENVIRONMENT }}", environment) for each in raw]
    return [f"{flow}/{name}" for flow, name in zip(flows, given, strict=True)]


def all_of(environment: str, word: str, file: Path = FILE) -> list[str]:
    return [f"{word:<9} {name} (deployment)" for name in names(environment, file)]


FEW = ("yellow_trips_parquet", "fhv_trips", "weather")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A prefect.yaml with three of our deployments."""
    file = tmp_path / "prefect.yaml"
    file.write_text(FILE.read_text())
    change(file, lambda raw: raw.update(deployments=[find(raw, name) for name in FEW]))
    return file


def change(file: Path, how: Callable[[dict[str, Any]], None]) -> None:
    raw = yaml.safe_load(file.read_text())
    how(raw)
    file.write_text(yaml.safe_dump(raw))


def find(raw: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in raw["deployments"] if each["name"].startswith(f"{name}-"))
    return found


def registered(api: Any, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = api.request("GET", f"/deployments/name/{name}").json()
    return answer


def of_environment(api: Any, environment: str) -> list[dict[str, Any]]:
    asked = {"deployments": {"tags": {"all_": [f"environment:{environment}"]}}}
    found: list[dict[str, Any]] = api.request("POST", "/deployments/filter", json=asked).json()
    return found


def people_come(api: Any, name: str) -> None:
    """Somebody pauses the deployment and one of its schedules, and adds a schedule."""
    found = registered(api, name)
    path = f"/deployments/{found['id']}"
    api.request("PATCH", f"{path}/schedules/{found['schedules'][0]['id']}", json={"active": False})
    theirs = {"schedule": {"cron": "0 1 * * *", "timezone": "UTC"}, "active": True}
    api.request("POST", f"{path}/schedules", json=[theirs])
    api.request("POST", f"{path}/pause_deployment")


def schedules(found: dict[str, Any]) -> dict[str, bool]:
    return {each["schedule"]["cron"]: each["active"] for each in found["schedules"]}


def test_a_second_run_changes_nothing(deploy: Deploy, api: SyncPrefectClient, environment: str) -> None:
    assert deploy("--check") == (2, all_of(environment, "to create"), "")
    assert of_environment(api, environment) == []
    assert deploy() == (0, all_of(environment, "created"), "")
    before = of_environment(api, environment)
    assert len(before) == len(names(environment))
    assert deploy("--check", "--prune") == (0, all_of(environment, "unchanged"), "")
    assert deploy("--prune") == (0, all_of(environment, "unchanged"), "")
    assert of_environment(api, environment) == before


def test_only_what_changed_is_sent_and_what_people_set_stays(
    deploy: Deploy, api: SyncPrefectClient, environment: str, few: Path
) -> None:
    def how(raw: dict[str, Any]) -> None:
        parquet = find(raw, "yellow_trips_parquet")
        parquet["work_pool"]["job_variables"]["memory"] = "8Gi"
        parquet["schedules"][0]["cron"] = "45 6 * * *"
        parquet["schedules"].append({"slug": "late", "cron": "0 22 * * *", "timezone": "Europe/Berlin"})

    name = f"web-to-bigquery/yellow_trips_parquet-{environment}"
    deploy("--file", str(few))
    people_come(api, name)
    before = {each["id"]: each["updated"] for each in of_environment(api, environment)}
    memory = registered(api, name)["job_variables"]["memory"]
    change(few, how)
    late = "{'cron': '0 22 * * *', 'timezone': 'Europe/Berlin', 'day_or': True}"
    lines = [
        f"updated   {name} (deployment)",
        f"          job_variables.memory: '{memory}' -> '8Gi'",
        "          schedules.daily.schedule.cron: '30 6 * * *' -> '45 6 * * *'",
        f"          schedules.late: None -> {late}",
        *all_of(environment, "unchanged", few)[1:],
    ]
    assert deploy("--file", str(few)) == (0, lines, "")
    assert deploy("--file", str(few)) == (0, all_of(environment, "unchanged", few), "")
    found = registered(api, name)
    assert found["job_variables"]["memory"] == "8Gi"
    assert found["paused"]
    assert schedules(found) == {"45 6 * * *": False, "0 1 * * *": True, "0 22 * * *": True}
    after = {each["id"]: each["updated"] for each in of_environment(api, environment)}
    assert {each for each in before if before[each] != after[each]} == {found["id"]}


def test_only_prune_removes_what_left_the_file_and_only_what_is_this_environments(
    deploy: Deploy, api: Any, environment: str, monkeypatch: pytest.MonkeyPatch, few: Path
) -> None:
    def how(raw: dict[str, Any]) -> None:
        find(raw, "fhv_trips")["schedules"] = []
        raw["deployments"] = [find(raw, "yellow_trips_parquet"), find(raw, "fhv_trips")]

    deploy("--file", str(few))
    neighbour = f"{environment}-2"
    make_blocks(neighbour, monkeypatch, work_pool=f"landfall-{neighbour}")
    monkeypatch.setenv("LANDFALL_ENVIRONMENT", neighbour)
    deploy("--file", str(few))
    monkeypatch.setenv("LANDFALL_ENVIRONMENT", environment)
    flow = api.request("POST", "/flows/", json={"name": "web-to-bigquery"}).json()["id"]
    theirs = {"name": f"theirs-{environment}", "flow_id": flow, "work_pool_name": f"landfall-{environment}"}
    api.request("POST", "/deployments/", json=theirs)
    change(few, how)
    kept = all_of(environment, "unchanged", few)
    gone = [
        f"web-to-bigquery/fhv_trips-{environment} monthly (schedule)",
        f"web-to-bigquery/weather-{environment} (deployment)",
    ]
    assert deploy("--file", str(few)) == (0, [*kept, *(f"left over {name}: --prune removes it" for name in gone)], "")
    code, lines, _ = deploy("--file", str(few), "--prune")
    assert (code, [line for line in lines if line not in kept]) == (0, [f"removed   {name}" for name in gone])
    assert deploy("--file", str(few), "--prune") == (0, kept, "")
    assert registered(api, f"web-to-bigquery/fhv_trips-{environment}")["schedules"] == []
    assert len(of_environment(api, neighbour)) == len(FEW)
    assert registered(api, f"web-to-bigquery/theirs-{environment}")["work_pool_name"] == f"landfall-{environment}"


def test_without_blocks_or_pool_it_says_what_to_run_and_writes_nothing(
    bare: Deploy, api: Any, environment: str, monkeypatch: pytest.MonkeyPatch, few: Path
) -> None:
    kinds = [f"landfall-{environment}-{kind}" for kind in ("credentials", "lake", "warehouse")]
    without_blocks = (
        f"Prefect: found no block {', '.join(kinds)}, expected it, for each run loads it; run"
        f" `make blocks ENV={environment}`; nothing was written\n"
    )
    without_pool = (
        f"Prefect: found no work pool landfall-{environment}, expected one; run `make blocks ENV={environment}`,"
        " nothing was written\n"
    )
    assert bare("--file", str(few)) == (1, [], without_blocks)
    make_blocks(environment, monkeypatch, work_pool=None)
    assert bare("--file", str(few)) == (1, [], without_pool)
    assert of_environment(api, environment) == []


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"memroy": "1Gi"}, "found memroy, expected one of args, cloudsql_instances, command, cpu, env, "),
        (
            {"memory": "1 GB"},
            "found memory: '1 GB' does not match '^\\\\d+(?:G|Gi|M|Mi)$', expected what the work pool",
        ),
        ({"timeout": "long"}, "found timeout: 'long' is not valid under any of the given schemas, expected what"),
        ({"service_account_name": ""}, "found service_account_name: '' is not valid under any of the given schemas, "),
        ({"image": ""}, "found image: '' should be non-empty, expected what the work pool landfall-"),
    ],
)
def test_a_job_variable_that_the_pool_does_not_take_is_refused_by_us_and_by_the_server(
    deploy: Deploy, api: Any, environment: str, few: Path, variables: dict[str, Any], said: str
) -> None:
    change(few, lambda raw: raw["deployments"][0]["work_pool"]["job_variables"].update(variables))
    code, lines, complaint = deploy("--file", str(few))
    assert (code, lines) == (1, [])
    name = f"web-to-bigquery/yellow_trips_parquet-{environment}"
    assert complaint.startswith(f"deployment {name}: job_variables: {said}")
    assert complaint.endswith("; nothing was written\n")
    assert of_environment(api, environment) == []
    flow = api.request("POST", "/flows/", json={"name": "web-to-bigquery"}).json()["id"]
    body = {"name": f"x-{environment}", "flow_id": flow, "work_pool_name": f"landfall-{environment}"}
    with pytest.raises(Exception, match="422 Unprocessable"):
        api.request("POST", "/deployments/", json={**body, "job_variables": variables})


def prefect_deploy(cloud: dict[str, str], environment: str, *options: str, image: str | None) -> tuple[int, str]:
    given = {"LANDFALL_ENVIRONMENT": environment, "LANDFALL_WORKER_ACCOUNT": WORKER}
    variables = {
        **os.environ,
        **cloud,
        **given,
        **({"LANDFALL_IMAGE": image} if image else {}),
        "PYTHONPATH": str(ROOT),
    }
    if not image:
        variables.pop("LANDFALL_IMAGE", None)
    done = subprocess.run(
        [Path(sys.executable).parent / "prefect", "--no-prompt", "deploy", "--all", *options],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_prefects_own_command_registers_the_same(
    deploy: Deploy, cloud: dict[str, str], api: Any, environment: str
) -> None:
    code, said = prefect_deploy(cloud, environment, image=None)
    assert code == 1
    assert "Validation failed for field 'image'. Failure reason: '' should be non-empty" in said
    assert of_environment(api, environment) == []
    code, said = prefect_deploy(cloud, environment, image="example.org/flows:1")
    assert (code, said.count("View Deployment in UI")) == (0, len(names(environment)))
    assert deploy("--check", "--prune") == (0, all_of(environment, "unchanged"), "")


def test_prefects_own_command_keeps_what_people_set_too(
    deploy: Deploy, cloud: dict[str, str], api: Any, environment: str, few: Path
) -> None:
    name = f"web-to-bigquery/yellow_trips_parquet-{environment}"
    deploy("--file", str(few))
    people_come(api, name)
    assert prefect_deploy(cloud, environment, "--prefect-file", str(few), image="example.org/flows:2")[0] == 0
    found = registered(api, name)
    assert found["job_variables"]["image"] == "example.org/flows:2"
    # it resumes the deployment, and its schedules rest in its place
    assert (found["paused"], schedules(found)) == (False, {"30 6 * * *": False, "0 1 * * *": False})
    difference = "          job_variables.image: 'example.org/flows:2' -> 'example.org/flows:1'"
    lines = [line for each in all_of(environment, "to update", few) for line in (each, difference)]
    assert deploy("--file", str(few), "--check", "--prune") == (2, lines, "")


def test_prefects_own_command_fails_without_an_environment(cloud: dict[str, str], few: Path) -> None:
    without = {name: value for name, value in cloud.items() if name != "LANDFALL_ENVIRONMENT"}
    code, said = prefect_deploy(without, "", "--prefect-file", str(few), image="example.org/flows:1")
    assert code == 1
    assert "references work pool 'landfall-' which does not exist" in said
