"""`landfall new flow`: what it writes is clean, passes its own test, can be registered, and runs from there."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.workers.process import ProcessWorker
from typer.testing import CliRunner

from flows.cli import flow_template
from flows.cli.flow_template import TemplateError
from flows.cli.main import app
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
WRITTEN = ["README.md", "example.csv", "{name}.py", "scripts/{name}_rows.py", "tests/test_{name}.py"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_flow_bears_its_name_everywhere_and_says_what_to_type(here: Path) -> None:
    made = CliRunner().invoke(app, ["new", "flow", "daily_sales"])
    files = [each.format(name="daily_sales") for each in WRITTEN]
    folder = "flows/projects/daily_sales"
    assert (made.exit_code, made.output.splitlines()) == (
        0,
        [
            f"wrote {folder}: {', '.join(files)}",
            "next:",
            f"  python {folder}/daily_sales.py                           runs it",
            f"  python -m pytest {folder}                                tests it",
            f"  landfall register --project daily_sales --path {folder}  makes a deployment of it",
        ],
    )
    found = {str(path.relative_to(here / folder)): path for path in (here / folder).rglob("*") if path.is_file()}
    assert sorted(found) == sorted(files)
    texts = "\n".join(path.read_text() for path in found.values())
    assert [word for word in ("example_flow", "example-flow", "FOLDER") if word in texts] == []
    assert f"$ python {folder}/daily_sales.py" in found["README.md"].read_text()
    assert '@flow(name="daily-sales")' in found["daily_sales.py"].read_text()


def test_a_new_flow_goes_where_it_is_told_to_and_over_nothing(here: Path) -> None:
    assert CliRunner().invoke(app, ["new", "flow", "sales", "--to", "work/shop"]).exit_code == 0
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert here / "work" / "shop" / "sales.py" in before
    again = CliRunner().invoke(app, ["new", "flow", "other", "--to", "work/shop"])
    assert isinstance(again.exception, TemplateError)
    assert str(again.exception) == (
        "work/shop: found it there already, expected no such folder; choose another with --to, nothing was written"
    )
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["my-flow", "Sales", "1st", "class", "größe", "", "../x", "a" * 31])
def test_a_name_that_is_no_identifier_is_refused(here: Path, name: str) -> None:
    with pytest.raises(TemplateError, match="expected a Python identifier in lower case, such as my_flow"):
        flow_template.make(name, here / "made")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", ["json", "prefect", "pandas", "flows", "scripts", "tests"])
def test_a_name_under_which_the_flow_would_stand_before_what_it_imports_is_refused(here: Path, name: str) -> None:
    with pytest.raises(TemplateError, match=f"name: found '{name}', which is the name of a module"):
        flow_template.make(name, here / "made")
    assert list(here.iterdir()) == []


def test_what_cannot_be_written_whole_is_not_left_in_part(here: Path) -> None:
    (here / "file").write_text("")
    with pytest.raises(TemplateError, match="file/made: cannot be written"):
        flow_template.make("sales", here / "file" / "made")


@pytest.mark.parametrize("name", ["a", "z" * flow_template.LETTERS])
def test_a_new_flow_is_clean_by_the_projects_own_rules(here: Path, name: str) -> None:
    made = flow_template.make(name, here / name)
    for path in (each for each in made if each.suffix == ".py"):
        text = (here / name / path).read_text()
        there = ROOT / "flows" / "projects" / name / path
        for command in (["check", "--output-format=concise"], ["format", "--diff"]):
            ruff = [str(BIN / "ruff"), *command, "--stdin-filename", str(there), "-"]
            done = subprocess.run(ruff, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def api(cloud: dict[str, str]) -> Iterator[SyncPrefectClient]:
    with prefect_api(cloud) as client:
        yield client


@pytest.mark.timeout(300)  # it starts a Prefect server, which on a busy machine takes long
def test_a_new_flow_passes_its_own_test_as_in_a_repository_of_somebody_elses(here: Path) -> None:
    flow_template.make("sales", here / "sales")
    own = {word: value for word, value in os.environ.items() if not word.startswith(("PREFECT_", "COVERAGE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "sales"],
        env={**own, "PREFECT_HOME": str(here / "prefect")},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (0, "2 passed"), done.stdout


def test_a_new_flow_can_be_registered_and_runs_from_there(here: Path, api: Any, cloud: dict[str, str]) -> None:
    name = f"f{uuid.uuid4().hex[:8]}"
    flow_template.make(name, here / "flows" / "projects" / name)
    template = ProcessWorker.get_default_base_job_template()
    api.request("POST", "/work_pools/", json={"name": name, "type": "process", "base_job_template": template})
    words = ["register", "--project", name, "--path", f"flows/projects/{name}", "--pool", name]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.output) == (0, f"registered {name}/{name}-{name}\n{name}: 1 registered\n")
    deployment = api.read_deployment_by_name(f"{name}/{name}-{name}")
    run = api.create_flow_run_from_deployment(deployment.id, parameters={"column": "zone_id"})
    ran = subprocess.run(
        [BIN / "prefect", "flow-run", "execute", str(run.id)],
        env={**os.environ, **cloud},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "example.csv: {'4': 1, '7': 1, '8': 1, '12': 1, '13': 1, '5': 1}" in ran.stdout + ran.stderr
    assert api.read_flow_run(run.id).state_name == "Completed"
