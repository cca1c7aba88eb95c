"""Bucket and dataset, judged from what the APIs answered."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.doctor import places
from flows.doctor.finding import ok, problem, skipped, warning
from flows.doctor.seen import Answer, Seen
from flows.settings import Settings

BUCKET = {"location": "EU", "labels": {"environment": "dev", "application": "landfall"}}
DATASET = {"location": "EU", "labels": {"environment": "dev"}}


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    made = Seen(tmp_path, tmp_path, {})
    made.settings = Settings(environment="dev", publisher=None)
    block: Any = SimpleNamespace(bucket="lake", gcp_credentials=SimpleNamespace(project="acme"))
    made.lake = made.warehouse = block
    made.answers = {"storage": Answer(200, BUCKET), "bigquery": Answer(200, DATASET)}
    return made


def test_bucket_and_dataset_that_are_there_say_where(seen: Seen) -> None:
    assert (places.bucket(seen), places.dataset(seen)) == (ok("gs://lake in EU"), ok("acme.landfall_dev in EU"))


def test_a_bucket_that_is_absent_is_to_be_applied(seen: Seen) -> None:
    seen.answers["storage"] = Answer(404)
    assert places.bucket(seen) == problem(
        "gs://lake: not there", "make apply ENV=dev; on a laptop make blocks ENV=dev makes it as well"
    )


def test_an_account_that_may_not_look_is_named_as_that(seen: Seen) -> None:
    seen.answers["bigquery"] = Answer(403, {"error": {"message": "Access Denied: no bigquery.datasets.get"}})
    found = places.dataset(seen)
    assert (found.verdict, found.found) == (
        "problem",
        (
            "acme.landfall_dev: this account may not look at it (bigquery.datasets.get): Access Denied: no"
            " bigquery.datasets.get"
        ),
    )


def test_labels_of_another_environment_or_none_are_a_problem(seen: Seen) -> None:
    assert places.labels(seen) == ok("bucket and dataset have environment=dev")
    seen.answers["storage"] = Answer(200, {"labels": {"environment": "prod"}})
    seen.answers["bigquery"] = Answer(200, {})
    found = places.labels(seen)
    assert (found.verdict, found.found) == (
        "problem",
        "gs://lake has environment=prod, landfall_dev has environment=(none), expected dev: each run refuses that",
    )


@pytest.mark.parametrize(
    ("bucket", "dataset", "region", "verdict"),
    [
        ("US", "US", "us-central1", "ok"),
        ("us-east1", "US", "us-east1", "ok"),
        ("EUROPE-WEST4", "EU", "europe-west4", "ok"),
        ("europe-west4", "europe-west4", None, "ok"),
        ("EU", "US", "us-central1", "problem"),
        ("US", "us-central1", "us-central1", "problem"),
        ("us-east1", "us-central1", None, "problem"),
        ("US", "US", "europe-west4", "warning"),
        ("us-east1", "US", "us-central1", "warning"),
    ],
)
def test_dataset_bucket_and_jobs_must_be_within_each_other(
    bucket: str, dataset: str, region: str | None, verdict: str
) -> None:
    assert places.judge_locations(bucket, dataset, region).verdict == verdict


AS_IN_INFRA: dict[str, Any] = {
    "lifecycle": {
        "rule": [{"action": {"type": "Delete"}, "condition": {"age": 400, "matchesPrefix": ["superseded/"]}}],
    },
    "softDeletePolicy": {"retentionDurationSeconds": "604800"},
    "iamConfiguration": {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": True}},
}


def test_a_bucket_as_infra_makes_it_is_ok() -> None:
    assert places.judge_settings(AS_IN_INFRA, "make apply") == [
        ok("superseded/ is deleted after 400 days, soft delete keeps 7 days, no versions, not public")
    ]


def test_each_setting_that_differs_is_a_finding() -> None:
    body = {"versioning": {"enabled": True}}
    assert places.judge_settings(body, "make apply") == [
        warning("versions are kept: of objects that never change, but are deleted on purpose", "make apply"),
        warning("no lifecycle rule deletes superseded/: what newer files replaced is paid for", "make apply"),
        warning("no soft delete: what is deleted by mistake is gone", "make apply"),
        warning("public access is not prevented", "make apply"),
        warning("objects can have access lists of their own", "make apply"),
    ]


@pytest.mark.parametrize("condition", [{"age": 30}, {"age": 30, "matchesPrefix": ["superseded/", "lake/"]}])
def test_a_lifecycle_rule_that_deletes_the_lake_is_a_problem(condition: dict[str, Any]) -> None:
    rules = [*AS_IN_INFRA["lifecycle"]["rule"], {"action": {"type": "Delete"}, "condition": condition}]
    assert places.judge_settings({**AS_IN_INFRA, "lifecycle": {"rule": rules}}, "make apply") == [
        problem(f"a lifecycle rule deletes more than superseded/: {condition}", "make apply")
    ]


def test_a_bucket_that_infra_did_not_make_is_not_compared_with_it(seen: Seen) -> None:
    seen.answers["storage"] = Answer(200, {"labels": {"environment": "dev"}})
    assert places.bucket_settings(seen) == skipped(
        "gs://lake was not made by infra/ (it has no label application=landfall)", "make apply ENV=dev"
    )
