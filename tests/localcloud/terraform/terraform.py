"""A configuration in a folder of its own, and Terraform run on it."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from localcloud import supervisor

MAIN = """\
terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
  }
  backend "gcs" {
    bucket = "a-bucket-in-the-cloud"
  }
}

variable "days" {
  default = 7
}

variable "location" {
  default = "us"
}

variable "protected" {
  default = true
}

provider "google" {
  project        = "local"
  region         = "us-central1"
  default_labels = { team = "data" }
}

resource "google_storage_bucket" "lake" {
  name                        = "NAME-lake"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = { environment = "local" }
  versioning {
    enabled = true
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = var.days
      matches_prefix = ["superseded/"]
    }
  }
}

resource "google_bigquery_dataset" "warehouse" {
  dataset_id                  = "NAME_warehouse"
  description                 = "landed"
  labels                      = { environment = "local" }
  default_table_expiration_ms = 86400000 * var.days
}

resource "google_service_account" "run" {
  account_id = "NAME-run"
}

resource "google_storage_bucket_iam_member" "run" {
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectUser"
  member = google_service_account.run.member
}

resource "google_secret_manager_secret" "api" {
  secret_id = "NAME-api"
  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "api" {
  secret                 = google_secret_manager_secret.api.id
  secret_data_wo         = "open sesame"
  secret_data_wo_version = var.days
}

resource "google_cloud_run_v2_worker_pool" "worker" {
  name                = "NAME-worker"
  location            = "us-central1"
  deletion_protection = var.protected
  template {
    containers {
      image = "us-docker.pkg.dev/cloudrun/container/worker-pool:latest"
    }
  }
}

output "email" {
  value = google_service_account.run.email
}
"""


@dataclass(frozen=True, slots=True)
class Terraform:
    """One configuration and the data folder of a running local cloud; `name` is in the names of all that it makes."""

    name: str
    config: Path
    data: Path
    storage: str
    bigquery: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "localcloud", "terraform", f"--data={self.data}", f"--config={self.config}"]
        return subprocess.run(
            [*command, "--", *arguments],
            env={**os.environ, "TF_CLI_ARGS": "-no-color"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def done(self, *arguments: str) -> str:
        """Run a command that must succeed, and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self, **variables: Any) -> str:
        return self.done("apply", "-auto-approve", *_values(variables))

    def plan(self, **variables: Any) -> dict[str, str]:
        """Return what a plan would do, by address."""
        events = map(json.loads, self.done("plan", "-json", *_values(variables)).splitlines())
        changes = [event["change"] for event in events if event["type"] == "planned_change"]
        return {change["resource"]["addr"]: change["action"] for change in changes}

    def bucket(self, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        """Call the storage itself; None for a bucket that is not there."""
        return _called(method, f"{self.storage}/storage/v1/b/{self.name}-lake", body)

    def dataset(self, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        """Call BigQuery itself; None for a dataset that is not there."""
        where = f"{self.bigquery}/bigquery/v2/projects/local/datasets/{self.name}_warehouse"
        return _called(method, where, body)

    def secret(self, version: str) -> Any:
        """Ask the Secret Manager itself for a version's value; None for one that is not there."""
        where = f"{supervisor.addresses_of(self.data)['secretmanager']}/v1/projects/local/secrets/{self.name}-api"
        answer = _called("GET", f"{where}/versions/{version}:access", None)
        return answer and (answer["name"].rpartition("/")[2], base64.b64decode(answer["payload"]["data"]).decode())

    def state(self) -> dict[str, Any]:
        """Return each resource's attributes, by address."""
        shown = json.loads(self.done("show", "-json"))
        root = shown["values"]["root_module"] if "values" in shown else {}
        return {each["address"]: each["values"] for each in root.get("resources", [])}

    @property
    def home(self) -> Path:
        return self.data / "terraform" / self.config.name


def _called(method: str, url: str, body: dict[str, Any] | None) -> Any:
    answer = urllib3.request(method, url, json=body)
    if answer.status == 404:
        return None
    assert answer.status in {200, 204}, answer.data
    return answer.json() if answer.data else {}


def _values(variables: dict[str, Any]) -> list[str]:
    return [f"-var={name}={json.dumps(value).strip(chr(34))}" for name, value in variables.items()]
