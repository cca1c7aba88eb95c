"""infra/ in Terraform's own words: as it stands where that needs no provider, else with the stand-in for google's."""

import shutil
import subprocess
from pathlib import Path

import pytest

INFRA = Path(__file__).parents[2] / "infra"

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not on the PATH; CI and whoever changes infra/ need it"
)


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


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_an_environment_has_values_and_a_bucket_of_its_own_for_its_state(environment: str) -> None:
    values = (INFRA / "envs" / f"{environment}.tfvars").read_text(encoding="utf-8")
    backend = (INFRA / "envs" / f"{environment}.gcs.tfbackend").read_text(encoding="utf-8")
    assert f'environment = "{environment}"\n' in values
    assert f'"example-landfall-{environment}"' in values
    assert f'"example-landfall-{environment}-tfstate"' in backend
