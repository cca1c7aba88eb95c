"""A registered flow's run, with each storage: it loads the flow, and what that imports, from where the storage says."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.workers.process import ProcessWorker
from typer.testing import CliRunner

from flows.cli.main import app
from tests.end_to_end.place import clients
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[2]
CHOICES = ["local", "image", "gcs", *(["git"] if shutil.which("git") else [])]
FLOW = """
import json
from pathlib import Path

from prefect import flow

from lib import words


@flow
def where(answer: str) -> None:
    Path(answer).write_text(json.dumps([str(Path(__file__).resolve()), words.__file__, words.WORD]))


if __name__ == "__main__":
    where("answer.json")
"""

Started = dict[str, tuple[Path, "subprocess.Popen[str]"]]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A team's repository, with the flow below its top and what it imports beside that."""
    made = tmp_path_factory.mktemp("code")
    for name, text in {"team/where.py": FLOW, "lib/words.py": "WORD = 'hello'\n", "lib/__init__.py": ""}.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text)
    if "git" in CHOICES:
        for words in (["init", "--quiet", "--initial-branch=work"], ["add", "."], ["commit", "--quiet", "--message=x"]):
            who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
            subprocess.run(["git", "-C", made, *who, *words], check=True)
    return made


@pytest.fixture(scope="module")
def runs(cloud: dict[str, str], code: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A run of each choice, all at work, with the folder of each."""
    project = f"s{uuid.uuid4().hex[:8]}"
    storage, _ = clients(cloud)
    bucket = storage.create_bucket(f"landfall-{project}-code")
    for file in sorted(code.rglob("*.py")):
        bucket.blob(f"our/code/{file.relative_to(code)}").upload_from_filename(str(file))
    storages = {
        "local": "local",
        "image": "image",
        "gcs": f"gcs:{bucket.name}/our/code",
        "git": f"git:{code.as_uri()}@work",
    }
    started: Started = {}
    with pytest.MonkeyPatch.context() as patch, prefect_api(cloud) as api:
        patch.chdir(code)
        template = ProcessWorker.get_default_base_job_template()
        pool = {"name": project, "type": "process", "base_job_template": template}
        api.request("POST", "/work_pools/", json=pool)
        for choice in CHOICES:
            words = ["register", "--project", f"{project}-{choice}", "-p", "team/", "--pool", project]
            done = CliRunner().invoke(app, [*words, "--storage", storages[choice]])
            assert done.exit_code == 0, done.output
            found = api.read_deployment_by_name(f"where/{project}-{choice}-where")
            answer = str(tmp_path_factory.mktemp("answers") / "answer.json")
            run = api.create_flow_run_from_deployment(found.id, parameters={"answer": answer})
            command = [str(Path(sys.executable).parent / "prefect"), "flow-run", "execute", str(run.id)]
            folder = code if choice == "image" else tmp_path_factory.mktemp(choice)
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **cloud},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            started[choice] = (Path(answer), process)
        yield started
        for _, process in started.values():
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()


@pytest.mark.parametrize("choice", CHOICES)
def test_a_registered_flow_runs_with_the_code_that_its_storage_names(choice: str, code: Path, runs: Started) -> None:
    answer, process = runs[choice]
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0, said
    flow, words, word = json.loads(answer.read_text())
    top = Path(flow).parents[1]
    assert (Path(flow).relative_to(top), Path(words).resolve().relative_to(top), word) == (
        Path("team/where.py"),
        Path("lib/words.py"),
        "hello",
    )
    assert (top == code) is (choice in {"local", "image"})
