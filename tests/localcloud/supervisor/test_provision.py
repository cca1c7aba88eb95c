"""`provision`: what Terraform makes on Google Cloud, made on the laptop."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping

import urllib3

from tests.localcloud.supervisor.laptop import Finished, Laptop


def provision(environment: Mapping[str, str], name: str, *options: str) -> Finished:
    return subprocess.run(
        [sys.executable, "-m", "localcloud", "provision", "--environment", name, *options],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_twice_gives_the_same_outputs_and_labelled_resources(running: Laptop) -> None:
    variables = running.variables()

    first, second = provision(variables, "local"), provision(variables, "local")

    values = {
        "environment": "local",
        "lake_bucket": "landfall-local-lake",
        "location": "US",
        "project_id": "local",
        "region": "US",
        "warehouse_dataset": "landfall_local",
    }
    assert (first.returncode, first.stderr) == (0, "")
    assert second.stdout == first.stdout
    assert json.loads(first.stdout) == {
        name: {"sensitive": False, "type": "string", "value": value} for name, value in values.items()
    }
    bucket = urllib3.request("GET", f"{variables['STORAGE_EMULATOR_HOST']}/storage/v1/b/landfall-local-lake").json()
    dataset = urllib3.request(
        "GET", f"{variables['BIGQUERY_EMULATOR_HOST']}/bigquery/v2/projects/local/datasets/landfall_local"
    ).json()
    assert (bucket["labels"], bucket["location"]) == ({"environment": "local"}, "US")
    assert (dataset["labels"], dataset["location"]) == ({"environment": "local"}, "US")


def test_for_cloud_run_the_auth_string_goes_once_into_a_secret_and_is_in_no_output(running: Laptop) -> None:
    variables = running.variables()
    options = ("--cloud-run", f"--data={running.data}")

    first, second = provision(variables, "jobs", *options), provision(variables, "jobs", *options)

    assert (first.returncode, first.stderr) == (0, "")
    assert second.stdout == first.stdout
    values = {name: output["value"] for name, output in json.loads(first.stdout).items()}
    assert values == {
        "environment": "jobs",
        "lake_bucket": "landfall-jobs-lake",
        "location": "US",
        "log_level": "INFO",
        "prefect_api_secret": "landfall-jobs-prefect-api",
        "prefect_auth": "auth_string",
        "project_id": "local",
        "region": "us-central1",
        "run_service_account": "landfall-jobs-run@local.iam.gserviceaccount.com",
        "warehouse_dataset": "landfall_jobs",
        "work_pool": "landfall-jobs",
        "work_pool_concurrency": 4,
    }
    versions = (
        f"{running.cloud().addresses['secretmanager']}/v1/projects/local/secrets/landfall-jobs-prefect-api/versions"
    )
    assert len(urllib3.request("GET", versions).json()["versions"]) == 1
    held = base64.b64decode(urllib3.request("GET", f"{versions}/latest:access").json()["payload"]["data"]).decode()
    assert f"{held}\n" == (running.data / "prefect" / "auth-string").read_text()
    assert held not in first.stdout


def test_a_bucket_of_that_name_without_the_label_is_refused(running: Laptop) -> None:
    variables = running.variables()
    buckets = f"{variables['STORAGE_EMULATOR_HOST']}/storage/v1/b"
    urllib3.request("POST", f"{buckets}?project=local", json={"name": "landfall-stranger-lake"})

    refused = provision(variables, "stranger")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"{buckets}/landfall-stranger-lake: exists with the labels {{}}, expected environment=stranger; it is not this "
        "environment's: take another environment or remove it; nothing of it was changed\n"
    )


def test_without_the_local_clouds_environment_nothing_is_asked(running: Laptop) -> None:
    variables = {name: value for name, value in running.variables().items() if name != "BIGQUERY_EMULATOR_HOST"}

    refused = provision(variables, "local")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("provision: BIGQUERY_EMULATOR_HOST is not set, expected")
