"""Where a run takes the flows' code from: each choice of prefect.yaml, as it stands there but for its address.

A run is executed as a Cloud Run job's container does it, in a folder of its own: first the steps, then the flow.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from blocks.__main__ import main as blocks
from deployments.__main__ import main as deploy
from tests.blocks.outputs import outputs
from tests.end_to_end.place import clients
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[2]
OURS = yaml.safe_load((ROOT / "prefect.yaml").read_text())
CHOICES = {name for name in OURS["definitions"]["pull"] if name != "git" or shutil.which("git")}

WHERE = """
import json
from pathlib import Path

from prefect import flow

from flows import settings


@flow
def where(answer: str) -> None:
    here = Path(__file__).resolve()
    Path(answer).write_text(json.dumps([str(here), settings.__file__, here.read_text()]))
"""


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def address(choice: str, code: Path, bucket: str) -> dict[str, str]:
    """What of a choice is the user's own."""
    return {
        "image": {},
        "folder": {"directory": str(code)},
        "git": {"repository": code.as_uri()},
        "bucket": {"bucket": bucket},
    }[choice]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flows' code, and a flow that says where it and what it imports are from."""
    made = tmp_path_factory.mktemp("code")
    shutil.copytree(ROOT / "flows", made / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    (made / "flows/where.py").write_text(WHERE)
    if "git" in CHOICES:
        git(made, "init", "--quiet", "--initial-branch=main")
        git(made, "add", ".")
        git(made, "commit", "--quiet", "--message=Say where")
    return made


@pytest.fixture(scope="module")
def runs(
    cloud: dict[str, str], code: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[Path, "subprocess.Popen[str]"]]]:
    """A run of each choice, all at work, with the folder of each."""
    environment = f"p{uuid.uuid4().hex[:8]}"
    storage, _ = clients(cloud)
    bucket = storage.create_bucket(f"landfall-{environment}-code")
    for file in sorted((code / "flows").rglob("*.py")):
        bucket.blob(f"code/{file.relative_to(code)}").upload_from_filename(str(file))
    started = {}
    with pytest.MonkeyPatch.context() as patch, prefect_api(cloud) as api:
        patch.setattr(sys, "stdin", io.StringIO(outputs(environment)))
        assert blocks([]) == 0
        patch.setenv("LANDFALL_ENVIRONMENT", environment)
        patch.setenv("LANDFALL_IMAGE", "example.org/flows:1")
        patch.chdir(code)
        declared = []
        for choice in sorted(CHOICES):
            steps: list[dict[str, Any]] = deepcopy(OURS["definitions"]["pull"][choice])
            for step in steps:
                next(iter(step.values())).update(address(choice, code, bucket.name))
            land = {key: value for key, value in OURS["definitions"]["land"].items() if key != "concurrency_limit"}
            declared.append({**land, "name": choice, "entrypoint": "flows/where.py:where", "pull": steps})
        (code / "prefect.yaml").write_text(yaml.safe_dump({"deployments": declared}))
        assert deploy([]) == 0
        for choice in sorted(CHOICES):
            folder = code if choice == "image" else tmp_path_factory.mktemp(choice)
            found = api.read_deployment_by_name(f"where/{choice}")
            answer = str(tmp_path_factory.mktemp("answers") / "answer.json")
            run = api.create_flow_run_from_deployment(found.id, parameters={"answer": answer})
            command = [str(Path(sys.executable).parent / "prefect"), "flow-run", "execute", str(run.id)]
            variables = {**os.environ, **cloud, "PYTHONPATH": str(ROOT)}  # the image has other code there
            process = subprocess.Popen(
                command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            started[choice] = (Path(answer), process)
        yield started
        for _, process in started.values():
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()


@pytest.mark.parametrize("choice", sorted(CHOICES))
def test_a_run_loads_its_flow_and_all_that_it_imports_from_what_was_pulled(
    choice: str, code: Path, runs: dict[str, tuple[Path, "subprocess.Popen[str]"]]
) -> None:
    answer, process = runs[choice]
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0, said
    flow, imported, text = json.loads(answer.read_text())
    assert text == WHERE
    assert (Path(flow).name, imported) == ("where.py", str(Path(flow).parent / "settings.py"))
    # where nothing is pulled, nothing is copied either
    assert (Path(flow).parents[1] == code) == (choice in {"image", "folder"})


def test_the_default_is_the_image_itself() -> None:
    assert OURS["pull"] == OURS["definitions"]["pull"]["image"]
