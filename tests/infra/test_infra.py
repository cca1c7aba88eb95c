"""infra/ in Terraform's own words: as it stands where that needs no provider, else with the stand-in for google's."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

INFRA = Path(__file__).parents[2] / "infra"
LOCAL = "-var-file=envs/local.tfvars"
ENVIRONMENTS = sorted({path.stem for path in (INFRA / "envs").glob("*.tfvars")} - {"local"})
REFUSED = "expected those of local in local, which this state is of"

Terraform = Callable[..., "subprocess.CompletedProcess[str]"]

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not on the PATH; CI and whoever changes infra/ need it"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local cloud's data folder; each command of Terraform's starts the cloud for itself."""
    return tmp_path_factory.mktemp("infra") / "cloud"


@pytest.fixture(scope="module")
def terraform(data: Path) -> Terraform:
    """Terraform on a copy of infra/, as `make plan ENV=local` and its like call it."""

    def call(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        words = [word for word in arguments if word]
        return localcloud("terraform", data, "--config", str(INFRA), "--", *words, variables=variables)

    return call


def localcloud(
    command: str, data: Path, *more: str, variables: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "localcloud", command, "--data", str(data), *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "TF_"))}
        | (variables or {}),
    )


def said_in(file: str, name: str) -> str:
    """The text that a file of infra/envs gives that name."""
    (value,) = re.findall(rf'^{name}\s*= "([^"]+)"', (INFRA / "envs" / file).read_text(encoding="utf-8"), re.MULTILINE)
    return str(value)


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """All that Terraform wrote, its lines joined: it wraps them where they happen to be long."""
    return " ".join((done.stdout + done.stderr).split())


@needs_terraform
def test_infra_is_formatted_as_terraform_fmt_leaves_it() -> None:
    done = subprocess.run(
        ["terraform", f"-chdir={INFRA}", "fmt", "-check", "-recursive", "-diff"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environments_files_are_named_as_it_is(environment: str) -> None:
    assert said_in(f"{environment}.tfvars", "environment") == environment
    assert said_in(f"{environment}.gcs.tfbackend", "prefix") == "landfall"


def test_no_two_environments_share_a_project_or_a_states_bucket() -> None:
    assert {"dev", "staging", "prod"} <= set(ENVIRONMENTS)
    projects = {said_in(f"{environment}.tfvars", "project_id") for environment in ENVIRONMENTS}
    buckets = {said_in(f"{environment}.gcs.tfbackend", "bucket") for environment in ENVIRONMENTS}
    assert (len(projects), len(buckets)) == (len(ENVIRONMENTS), len(ENVIRONMENTS))


@needs_terraform
@pytest.mark.timeout(300)
def test_every_run_of_infras_own_tests_passes(terraform: Terraform) -> None:
    files = [path.read_text(encoding="utf-8") for path in (INFRA / "tests").glob("*.tftest.hcl")]
    runs = sum(len(re.findall(r'^run "', text, re.MULTILINE)) for text in files)
    done = terraform("test", "-no-color")
    assert f"Success! {runs} passed, 0 failed." in said(done), done.stdout + done.stderr


@needs_terraform
@pytest.mark.timeout(240)
def test_an_apply_keeps_the_secret_nowhere_and_its_state_takes_no_other_environments_values(
    terraform: Terraform, data: Path
) -> None:
    for environment in ENVIRONMENTS:  # before there is a state, all values hold
        done = terraform("plan", "-no-color", "-input=false", f"-var-file=envs/{environment}.tfvars")
        assert "0 to change, 0 to destroy" in said(done), done.stdout + done.stderr

    version = "-var=prefect_api_secret_version=1"
    applied = terraform(
        "apply",
        "-no-color",
        "-input=false",
        "-auto-approve",
        LOCAL,
        version,
        TF_VAR_prefect_api_secret="never-to-be-kept",  # noqa: S106 - what must not be found again
    )
    assert applied.returncode == 0, applied.stderr
    kept = [path for path in data.rglob("*") if path.is_file() and b"never-to-be-kept" in path.read_bytes()]
    assert kept == []

    again = terraform("plan", "-no-color", "-input=false", "-detailed-exitcode", LOCAL, version)
    assert again.returncode == 0, again.stdout + again.stderr  # without the secret's value, and with nothing to change

    for mode in ("", "-destroy"):
        other = terraform("plan", mode, "-no-color", "-input=false", "-var-file=envs/prod.tfvars")
        assert (other.returncode, REFUSED in said(other)) == (1, True), other.stdout + other.stderr
