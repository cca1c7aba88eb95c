"""Terraform's own core on the local cloud: what it plans, makes, changes, finds changed, and removes."""

import json

import urllib3

from tests.localcloud.terraform.terraform import Terraform

EVERYTHING = {
    "google_bigquery_dataset.warehouse",
    "google_cloud_run_v2_worker_pool.worker",
    "google_secret_manager_secret.api",
    "google_secret_manager_secret_version.api",
    "google_service_account.run",
    "google_storage_bucket.lake",
    "google_storage_bucket_iam_member.run",
}
LABELS = {"environment": "local", "team": "data", "goog-terraform-provisioned": "true"}


def test_what_is_applied_is_on_the_local_cloud_and_the_next_plan_has_no_changes(applied: Terraform) -> None:
    bucket, dataset = applied.bucket(), applied.dataset()

    del bucket["iamConfiguration"]["bucketPolicyOnly"]  # the old name of uniform access, which storage shows by itself
    assert {name: bucket[name] for name in ("location", "labels", "versioning", "lifecycle", "iamConfiguration")} == {
        "location": "US",
        "labels": LABELS,
        "versioning": {"enabled": True},
        "lifecycle": {
            "rule": [{"action": {"type": "Delete"}, "condition": {"age": 7, "matchesPrefix": ["superseded/"]}}]
        },
        "iamConfiguration": {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": True}},
    }
    assert {name: dataset[name] for name in ("location", "labels", "description", "defaultTableExpirationMs")} == {
        "location": "US",
        "labels": LABELS,
        "description": "landed",
        "defaultTableExpirationMs": "604800000",
    }
    assert applied.state().keys() == EVERYTHING
    assert applied.plan() == {}


def test_outputs_come_without_a_word_beside_them(applied: Terraform) -> None:
    email = f"{applied.name}-run@local.iam.gserviceaccount.com"

    outputs = applied.run("output", "-json")

    assert json.loads(outputs.stdout) == {"email": {"sensitive": False, "type": "string", "value": email}}
    assert outputs.stderr == ""


def test_a_change_is_made_in_place_where_the_provider_can(terraform: Terraform) -> None:
    terraform.apply()

    assert terraform.plan(days=8) == {
        "google_storage_bucket.lake": "update",
        "google_bigquery_dataset.warehouse": "update",
        "google_secret_manager_secret_version.api": "replace",
    }
    terraform.apply(days=8)

    assert terraform.bucket()["lifecycle"]["rule"][0]["condition"]["age"] == 8
    assert terraform.dataset()["defaultTableExpirationMs"] == str(8 * 86400000)
    assert terraform.plan(days=8) == {}


def test_a_bucket_in_another_location_is_another_bucket(terraform: Terraform) -> None:
    terraform.apply()

    assert terraform.plan(location="eu") == {"google_storage_bucket.lake": "replace"}
    terraform.apply(location="eu")

    assert terraform.bucket()["location"] == "EU"
    assert terraform.plan(location="eu") == {"google_storage_bucket_iam_member.run": "create"}  # went with the old one


def test_what_is_changed_by_hand_is_in_the_next_plan(terraform: Terraform) -> None:
    terraform.apply()
    terraform.bucket("PATCH", {"labels": {"environment": "prod", "owner": "me"}, "versioning": {"enabled": False}})
    terraform.dataset("DELETE")

    assert terraform.plan() == {
        "google_storage_bucket.lake": "update",
        "google_bigquery_dataset.warehouse": "create",
    }
    terraform.apply()

    assert terraform.bucket()["labels"] == {**LABELS, "owner": "me"}  # a label that is none of Terraform's business
    assert terraform.bucket()["versioning"] == {"enabled": True}
    assert terraform.plan() == {}


def test_what_exists_is_refused_and_can_be_imported(terraform: Terraform) -> None:
    terraform.apply()
    account = f"projects/local/serviceAccounts/{terraform.name}-run@local.iam.gserviceaccount.com"
    terraform.done(
        "state", "rm", "google_storage_bucket.lake", "google_bigquery_dataset.warehouse", "google_service_account.run"
    )

    again = terraform.run("apply", "-auto-approve").stderr
    assert "Error 409: You already own the bucket" in again
    assert f"Error 409: {account} already exists" in again
    terraform.done("import", "google_storage_bucket.lake", f"{terraform.name}-lake")
    terraform.done("import", "google_bigquery_dataset.warehouse", f"projects/local/datasets/{terraform.name}_warehouse")
    terraform.done("import", "google_service_account.run", account)

    # labels come as others' with an import, as from the real provider; the first apply makes them Terraform's
    assert terraform.plan() == {
        "google_storage_bucket.lake": "update",
        "google_bigquery_dataset.warehouse": "update",
        "google_storage_bucket_iam_member.run": "create",  # the apply removed it before it was refused
    }
    terraform.apply()
    assert terraform.plan() == {}
    assert terraform.bucket()["labels"] == LABELS


def test_a_secrets_value_goes_to_the_secret_manager_and_a_raised_version_is_the_latest(terraform: Terraform) -> None:
    terraform.apply()
    assert terraform.secret("latest") == ("1", "open sesame")

    terraform.apply(days=8)

    assert terraform.secret("latest") == ("2", "open sesame")
    kept = terraform.state()["google_secret_manager_secret_version.api"]
    assert (kept["version"], kept["enabled"], kept["secret_data_wo"]) == ("2", True, None)


def test_destroy_leaves_nothing_and_stops_before_what_is_protected(terraform: Terraform) -> None:
    terraform.apply()

    kept = terraform.run("destroy", "-auto-approve")
    assert kept.returncode == 1
    assert terraform.state().keys() == {"google_cloud_run_v2_worker_pool.worker"}
    assert "without setting deletion_protection=false" in kept.stderr.replace("\n", " ")
    terraform.apply(protected=False)
    terraform.done("destroy", "-auto-approve", "-var=protected=false")

    assert (terraform.bucket(), terraform.dataset(), terraform.secret("latest")) == (None, None, None)
    resources = json.loads((terraform.data / "terraform" / "resources.json").read_text())
    assert terraform.name not in json.dumps(resources)


def test_a_bucket_with_objects_is_not_destroyed(terraform: Terraform) -> None:
    terraform.apply(protected=False)
    upload = f"{terraform.storage}/upload/storage/v1/b/{terraform.name}-lake/o?uploadType=media&name=lake/a.parquet"
    assert urllib3.request("POST", upload, body=b"1").status == 200

    refused = terraform.run("destroy", "-auto-approve", "-var=protected=false")

    assert refused.returncode == 1
    assert "containing objects without `force_destroy` set to true" in " ".join(refused.stderr.split())
    assert terraform.bucket() is not None


def test_terraform_test_makes_and_removes_what_its_runs_apply(terraform: Terraform) -> None:
    (terraform.config / "tests").mkdir()
    (terraform.config / "tests" / "lake.tftest.hcl").write_text(
        """
        variables {
          protected = false
        }
        run "made" {
          assert {
            condition     = google_storage_bucket.lake.url == "gs://NAME-lake"
            error_message = "the bucket has another address"
          }
        }
        run "wrong" {
          command = plan
          assert {
            condition     = google_storage_bucket.lake.location == "EU, not US"
            error_message = "not in the EU"
          }
        }
        """.replace("NAME", terraform.name)
    )

    tested = terraform.run("test")

    assert "1 passed, 1 failed" in tested.stdout
    assert "not in the EU" in tested.stderr
    assert (terraform.bucket(), terraform.dataset()) == (None, None)
