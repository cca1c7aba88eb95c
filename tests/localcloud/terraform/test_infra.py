"""The real configuration, all of it, with the stand-in: what `make apply` does on a laptop."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from localcloud.terraform.kinds import RESOURCES
from tests.localcloud.terraform.terraform import Terraform

INFRA = Path(__file__).parents[3] / "infra"
VALUES = "-var-file=envs/local.tfvars"


@pytest.fixture
def infra(terraform: Terraform) -> Terraform:
    return replace(terraform, config=INFRA)


def test_infra_is_applied_found_unchanged_and_destroyed(infra: Terraform) -> None:
    infra.done("apply", "-auto-approve", VALUES)

    assert {address.partition(".")[0] for address in infra.state()} >= set(RESOURCES) - {
        "google_billing_budget",  # needs a billing account
    }
    assert json.loads(infra.done("output", "-json"))["lake_bucket"]["value"] == "landfall-local-lake"
    assert infra.run("plan", "-detailed-exitcode", VALUES).returncode == 0
    infra.done("destroy", "-auto-approve", VALUES)
    assert infra.state() == {}
