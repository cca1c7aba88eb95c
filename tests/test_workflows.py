"""GitHub's workflows, read as text and their scripts run: what they may, whom they trust, and what they call."""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
CHECK, DEPLOY = (ROOT / ".github" / "workflows" / f"{name}.yml" for name in ("check", "deploy"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").iterdir()}


def workflow(path: Path) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


def script(path: Path, job: str, step: str) -> str:
    found: str = next(each for each in workflow(path)["jobs"][job]["steps"] if each.get("name") == step)["run"]
    return found


def test_the_workflows_are_these_two() -> None:
    assert sorted(TEXTS) == ["check.yml", "deploy.yml"]


def test_every_action_is_pinned_by_its_commit_and_says_which_version_that_is_everywhere_the_same() -> None:
    uses = [line for text in TEXTS.values() for line in re.findall(r"uses: (.+)", text)]
    pinned = [re.fullmatch(r"([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line) for line in uses]
    assert len(uses) >= 8
    assert [line for line, found in zip(uses, pinned, strict=True) if not found] == []
    versions = {found.groups() for found in pinned if found}
    assert sorted(name for name, _, _ in versions) == [
        "actions/checkout",
        "actions/setup-python",
        "google-github-actions/auth",
        "hashicorp/setup-terraform",
    ]


def test_a_workflow_may_nothing_and_a_job_what_it_needs() -> None:
    assert {path.name: workflow(path)["permissions"] for path in (CHECK, DEPLOY)} == {"check.yml": {}, "deploy.yml": {}}
    jobs = workflow(CHECK)["jobs"] | workflow(DEPLOY)["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "check": {"contents": "read"},
        "audit": {"contents": "read"},
        "plan": {"contents": "read", "id-token": "write"},
        "deploy": {"contents": "read", "id-token": "write"},
    }


def test_no_secret_is_kept_at_github_and_no_credentials_stay_in_the_checkout() -> None:
    assert [name for name, text in TEXTS.items() if "secrets." in text] == []
    checkouts = "".join(TEXTS.values()).count("actions/checkout@")
    assert "".join(TEXTS.values()).count("persist-credentials: false") == checkouts == 4


def test_every_job_ends_and_two_deploys_never_overlap() -> None:
    jobs = workflow(CHECK)["jobs"] | workflow(DEPLOY)["jobs"]
    assert {name: job["timeout-minutes"] for name, job in jobs.items()} == {
        "check": 60,
        "audit": 15,
        "plan": 15,
        "deploy": 45,
    }
    assert workflow(DEPLOY)["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
    assert workflow(DEPLOY)["jobs"]["deploy"]["environment"] == workflow(DEPLOY)["env"]["ENVIRONMENT"]
    assert workflow(DEPLOY)["env"] == workflow(CHECK)["env"] == {"ENVIRONMENT": "dev"}


def test_packages_are_installed_and_the_image_is_built_before_there_are_credentials() -> None:
    steps = workflow(DEPLOY)["jobs"]["deploy"]["steps"]
    names = [step.get("name") or step["uses"].split("@")[0] for step in steps]
    assert names[3:] == [
        "Install",
        "Build",
        "google-github-actions/auth",
        "Push",
        "Apply",
        "Register blocks and deployments",
    ]


def test_every_make_target_that_a_workflow_calls_exists() -> None:
    called = {word for text in TEXTS.values() for word in re.findall(r"\bmake (?:--silent )?([\w./-]+)", text)}
    assert called == {"audit", "plan", "apply", "blocks", "deploy", "register", ".venv/installed"}
    done = subprocess.run(
        ["make", "--dry-run", "ENV=dev", *sorted(called)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    commands = ("terraform -chdir=infra plan", "terraform -chdir=infra apply", "-m blocks", "-m deployments")
    for words in (*commands, "landfall register"):
        assert words in done.stdout


def test_the_variables_that_workflows_read_are_those_that_terraform_gives_out() -> None:
    read = {name for text in TEXTS.values() for name in re.findall(r"\bvars\.(\w+)", text)}
    outputs = (ROOT / "infra" / "outputs.tf").read_text(encoding="utf-8")
    output = re.search(r'output "github" \{.*?\n\}', outputs, re.DOTALL)
    assert output
    assert read == set(re.findall(r"(LANDFALL_\w+) +=", output[0]))


def test_the_terraform_of_the_workflows_is_one_and_new_enough() -> None:
    versions = set(re.findall(r"terraform_version: (\S+)", "".join(TEXTS.values())))
    required = re.search(r'required_version = ">= ([\d.]+)"', (ROOT / "infra" / "versions.tf").read_text())
    assert required
    (version,) = (tuple(int(part) for part in each.split(".")) for each in versions)
    assert version >= tuple(int(part) for part in required[1].split("."))


PUSH = {
    "repository": "example/landfall",
    "repository_owner_id": "42",
    "ref": "refs/heads/main",
    "event_name": "push",
}
PULL_REQUEST = {**PUSH, "ref": "refs/pull/7/merge", "event_name": "pull_request"}


@pytest.mark.parametrize(
    ("claims", "becomes"),
    [
        (PUSH, ["deploy"]),
        ({**PUSH, "event_name": "workflow_dispatch"}, ["deploy"]),
        (PULL_REQUEST, ["plan"]),
        ({**PUSH, "ref": "refs/heads/other"}, []),
        ({**PUSH, "ref": "refs/tags/main"}, []),
        ({**PUSH, "event_name": "pull_request_target"}, []),  # its ref is main, its input a stranger's
        ({**PUSH, "event_name": "issue_comment"}, []),
        ({**PUSH, "repository": "other/landfall"}, []),
        ({**PULL_REQUEST, "repository": "other/landfall"}, []),
        ({**PUSH, "repository_owner_id": "43"}, []),  # the name has changed hands
        ({**PULL_REQUEST, "repository_owner_id": "43"}, []),
    ],
)
def test_a_token_of_github_becomes_the_planner_the_deployer_or_nobody(
    claims: dict[str, str], becomes: list[str]
) -> None:
    """The conditions as infra's own test holds Terraform to them, put to tokens: CEL's `&&` is Python's `and`."""
    expected = (ROOT / "infra" / "tests" / "planned.tftest.hcl").read_text(encoding="utf-8")
    conditions = dict(re.findall(r'^ +(plan|deploy) += "(assertion\..+)"$', expected, re.MULTILINE))
    assert sorted(conditions) == ["deploy", "plan"]
    assertion = type("Assertion", (), claims)
    let_in = {
        task: eval(text.replace("&&", "and"), {"assertion": assertion})  # noqa: S307 - our own text
        for task, text in conditions.items()
    }
    assert [task for task, let in let_in.items() if let] == becomes


@dataclass
class Runner:
    """A machine of GitHub's: a folder, and stand-ins for programs on its PATH that write down how they were called."""

    folder: Path
    summary: Path = field(init=False)

    def __post_init__(self) -> None:
        self.summary = self.folder / "summary.md"

    def program(self, name: str, body: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, text: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a step as GitHub does: https://docs.github.com/actions/reference/workflow-syntax#jobsjob_idstepsshell"""
        return subprocess.run(
            ["bash", "-e", "-c", text],
            cwd=self.folder,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "ENVIRONMENT": "dev",
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_OUTPUT": str(self.folder / "output"),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.mark.parametrize("code", [0, 1])
def test_a_plan_is_in_the_summary_and_one_that_fails_is_there_and_fails_the_job(machine: Runner, code: int) -> None:
    machine.program("make", f'echo "$@"; echo "Plan: 1 to add" >&2; exit {code}')
    done = machine.run(script(CHECK, "plan", "Plan, and show it in the job's summary"))
    assert done.returncode == code
    assert machine.summary.read_text() == (
        "Plan of `dev`:\n```text\n"
        "--silent plan ENV=dev OPTIONS=-input=false -lock=false -no-color\nPlan: 1 to add\n```\n"
    )


def test_what_is_pushed_is_named_by_its_digest_from_then_on(machine: Runner) -> None:
    digest = f"us-central1-docker.pkg.dev/p/r/landfall@sha256:{'a' * 64}"
    machine.program("gcloud", 'echo "$@" >> calls')
    machine.program("docker", f'echo "$@" >> calls; [ "$1" = push ] || echo {digest}')
    done = machine.run(script(DEPLOY, "deploy", "Push"), IMAGE="us-central1-docker.pkg.dev/p/r/landfall:abc")
    assert done.returncode == 0, done.stderr
    assert (machine.folder / "output").read_text() == f"image={digest}\n"
    assert (machine.folder / "calls").read_text().splitlines() == [
        "auth configure-docker us-central1-docker.pkg.dev --quiet",
        "push --quiet us-central1-docker.pkg.dev/p/r/landfall:abc",
        "inspect --format {{index .RepoDigests 0}} us-central1-docker.pkg.dev/p/r/landfall:abc",
    ]


@pytest.mark.parametrize(
    ("kind", "variable"), [("api_key", "PREFECT_API_KEY"), ("auth_string", "PREFECT_API_AUTH_STRING")]
)
def test_prefects_key_comes_from_the_secret_is_masked_and_reaches_those_that_register(
    machine: Runner, kind: str, variable: str
) -> None:
    machine.program("gcloud", 'echo "$@" >> calls; printf the-key')
    machine.program("make", f'echo "$@ ${variable}" >> calls')
    done = machine.run(script(DEPLOY, "deploy", "Register blocks and deployments"), PREFECT_AUTH=kind)
    assert (done.returncode, done.stdout) == (0, "::add-mask::the-key\n"), done.stderr
    assert (machine.folder / "calls").read_text().splitlines() == [
        "secrets versions access latest --secret=landfall-dev-prefect-api",
        "--silent blocks ENV=dev the-key",
        "--silent deploy ENV=dev the-key",
        "--silent register ENV=dev the-key",
    ]


@pytest.mark.parametrize("code", [0, 1])
def test_each_folder_of_projects_is_registered_also_after_one_that_fails(machine: Runner, code: int) -> None:
    said = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "ENV=dev", "register"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    recipe = said[said.index("LANDFALL_ENVIRONMENT=dev") :]
    assert machine.run(recipe).returncode == 0  # without the folder there is nothing to do
    for project in ("one", "two"):
        (machine.folder / "flows" / "projects" / project).mkdir(parents=True)
    (machine.folder / ".venv").mkdir()
    machine.program("landfall", f'echo "$LANDFALL_ENVIRONMENT $@" >> calls; exit {code}')
    (machine.folder / ".venv" / "bin").symlink_to(machine.folder / "bin")
    done = machine.run(recipe)
    assert done.returncode == code, done.stderr
    assert (machine.folder / "calls").read_text().splitlines() == [
        f"dev register --project {project}-dev --path flows/projects/{project}/**/* --storage image"
        for project in ("one", "two")
    ]


@pytest.mark.parametrize(("gcloud", "kind"), [("exit 1", "api_key"), ("printf the-key", "password")])
def test_without_a_key_that_prefect_takes_nothing_is_registered(machine: Runner, gcloud: str, kind: str) -> None:
    machine.program("gcloud", gcloud)
    machine.program("make", "touch called")
    done = machine.run(script(DEPLOY, "deploy", "Register blocks and deployments"), PREFECT_AUTH=kind)
    assert done.returncode == 1
    assert not (machine.folder / "called").exists()


def test_what_a_pull_request_proposes_is_never_text_in_a_script() -> None:
    scripts = [
        step["run"]
        for path in (CHECK, DEPLOY)
        for job in workflow(path)["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert scripts
    assert [text for text in scripts if "${{" in text] == []
    assert json.dumps(workflow(CHECK)).count("pull_request_target") == 0
