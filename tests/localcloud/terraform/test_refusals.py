"""What is refused before anything is made, and what is left alone."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from localcloud.terraform.messages import CLASSES, ERROR
from localcloud.terraform.provider import Provider
from localcloud.terraform.values import pack
from tests.localcloud.terraform.terraform import MAIN, Terraform

PROVIDER = MAIN[: MAIN.index('resource "google_storage_bucket"')]


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            'resource "google_service_account" "a" {\n  acount_id = "run"\n  account_id = "run"\n}',
            'An argument named "acount_id" is not expected here.',
        ),
        (
            'resource "google_bigquery_dataset" "a" {\n  dataset_id = "d"\n  default_table_expiration_ms = "a week"\n}',
            'Inappropriate value for attribute "default_table_expiration_ms": a number is required.',
        ),
        (
            'resource "google_service_account" "a" {\n  account_id = "run"\n  email = "me@example.org"\n}',
            "Can't configure a value for 'email': its value will be decided automatically",
        ),
        (
            'resource "google_storage_bucket" "a" {\n  name = "lake"\n}',
            'The argument "location" is required, but no definition was found.',
        ),
        (
            'resource "google_pubsub_topic" "a" {\n  name = "t"\n}',
            'The provider hashicorp/google does not support resource type "google_pubsub_topic".',
        ),
    ],
)
def test_what_the_schema_does_not_have_is_refused(
    configured: Callable[..., Terraform], resource: str, message: str
) -> None:
    validated = configured(PROVIDER + resource).run("validate")

    assert validated.returncode == 1
    assert message in " ".join(validated.stderr.split())


def test_a_binding_to_what_nobody_made_is_refused(configured: Callable[..., Terraform]) -> None:
    terraform = configured(
        PROVIDER
        + """
        resource "google_service_account" "run" {
          account_id = "NAME-run"
        }
        resource "google_storage_bucket_iam_member" "a" {
          bucket = "nobodys"
          role   = "roles/storage.objectUser"
          member = google_service_account.run.member
        }
        resource "google_project_iam_member" "a" {
          project = "local"
          role    = "roles/bigquery.jobUser"
          member  = "serviceAccount:nobody@local.iam.gserviceaccount.com"
        }
        """
    )

    refused = terraform.run("apply", "-auto-approve")

    assert refused.returncode == 1
    words = " ".join(refused.stderr.split())
    assert "Error 404: google_storage_bucket nobodys does not exist" in words
    assert "Error 400: Service account nobody@local.iam.gserviceaccount.com does not exist." in words
    assert terraform.state().keys() == {"google_service_account.run"}


def test_a_setting_that_the_local_cloud_would_drop_is_refused(configured: Callable[..., Terraform]) -> None:
    text = 'resource "google_storage_bucket" "a" {\n  name = "NAME"\n  location = "US"\n  requester_pays = true\n}'

    refused = configured(PROVIDER + text).run("apply", "-auto-approve")

    assert refused.returncode == 1
    assert "google_storage_bucket: the stand-in does not send requester_pays" in refused.stderr


def test_it_says_on_every_apply_that_it_is_not_google(applied: Terraform) -> None:
    assert "Warning: Not Google Cloud: a stand-in for the google provider 7.45.0 answers" in applied.apply()


def test_nothing_is_written_into_the_users_folder(terraform: Terraform) -> None:
    lock = 'provider "registry.terraform.io/hashicorp/google" {\n  version = "7.1.0"\n  hashes = ["h1:other"]\n}\n'
    (terraform.config / ".terraform.lock.hcl").write_text(lock)
    before = {path: path.read_bytes() for path in terraform.config.rglob("*")}

    terraform.apply()
    terraform.done("init", "-upgrade")

    assert {path: path.read_bytes() for path in terraform.config.rglob("*")} == before


def test_a_secret_is_in_no_file(applied: Terraform) -> None:
    files = [path for path in (applied.data / "terraform").rglob("*") if path.is_file() and path.suffix != ".tf"]

    assert applied.home / "terraform.tfstate" in files
    assert [path for path in files if b"open sesame" in path.read_bytes()] == []


def test_a_file_that_the_user_removed_is_gone_from_the_copy(terraform: Terraform) -> None:
    more = terraform.config / "more.tf"
    more.write_text('output "more" {\n  value = nothing.here\n}\n')
    assert terraform.run("validate").returncode == 1
    more.unlink()

    assert "The configuration is valid" in terraform.done("validate")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["fmt"],
            "fmt: would format a copy; run `terraform -chdir={config} fmt`, which needs no provider; nothing was done",
        ),
        (["-chdir=x", "plan"], "-chdir: not possible here; name the configuration with --config; nothing was done"),
    ],
)
def test_what_cannot_be_meant_is_refused(terraform: Terraform, arguments: list[str], message: str) -> None:
    refused = terraform.run(*arguments)

    assert (refused.returncode, refused.stderr) == (1, message.format(config=terraform.config) + "\n")


def _elsewhere(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "localcloud",
            "terraform",
            f"--data={tmp_path}/data",
            f"--config={tmp_path}",
            "--",
            "plan",
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_terraform_one_line_says_where_it_is_had(tmp_path: Path) -> None:
    refused = _elsewhere(tmp_path, PATH=str(tmp_path))

    where = "https://developer.hashicorp.com/terraform/install"
    assert refused.stderr == f"terraform: not found on the PATH; install it: {where}; nothing was done\n"
    assert refused.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_provider_that_is_led_to_google_refuses() -> None:
    led = Provider({"GOOGLE_STORAGE_CUSTOM_ENDPOINT": "https://storage.googleapis.com/storage/v1/"})

    answer = led.ConfigureProvider(CLASSES["Config"](config=pack({"project": "p"})))

    (found,) = answer.diagnostics
    assert found.severity == ERROR
    assert found.summary == (
        "GOOGLE_STORAGE_CUSTOM_ENDPOINT is 'https://storage.googleapis.com/storage/v1/', expected an address of the "
        "local cloud"
    )
