"""Buckets: made once, kept as they were asked for, deleted when empty."""

from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.cloud import storage

from localcloud.storage import StorageServer, serve


@pytest.mark.parametrize(
    ("asked", "location", "kind"),
    [
        (None, "US", "multi-region"),
        ("europe-west1", "EUROPE-WEST1", "region"),
        ("eu", "EU", "multi-region"),
        ("nam4", "NAM4", "dual-region"),
    ],
)
def test_a_bucket_lies_where_it_was_asked_to(
    client: storage.Client, asked: str | None, location: str, kind: str
) -> None:
    made = client.create_bucket("made", location=asked)
    assert (made.location, made.location_type) == (location, kind)
    assert client.get_bucket("made").location == location


def test_labels_and_settings_are_kept_over_a_restart(
    client: storage.Client, server: StorageServer, tmp_path: Path
) -> None:
    bucket = client.bucket("made")
    bucket.labels = {"environment": "local"}
    bucket.storage_class = "NEARLINE"
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.add_lifecycle_delete_rule(age=7)
    bucket.create(location="EU")
    server.close()
    again = serve(tmp_path / "cloud", server.port)
    try:
        seen = client.get_bucket("made")
        assert (seen.labels, seen.storage_class, seen.location) == ({"environment": "local"}, "NEARLINE", "EU")
        assert seen.iam_configuration.uniform_bucket_level_access_enabled
        assert [rule["condition"] for rule in seen.lifecycle_rules] == [{"age": 7}]
    finally:
        again.close()


def test_a_patch_changes_only_what_it_names(bucket: storage.Bucket) -> None:
    bucket.labels = {"environment": "local", "team": "data"}
    bucket.patch()
    other = bucket.client.get_bucket("lake")
    other.labels = {"environment": "local"}
    other.patch(if_metageneration_match=2)
    bucket.reload()
    assert (bucket.labels, bucket.metageneration, bucket.location) == ({"environment": "local"}, 3, "US")
    with pytest.raises(PreconditionFailed):
        other.patch(if_metageneration_match=2)


def test_a_bucket_does_not_move(http: Any) -> None:
    assert http.send("PATCH", "/storage/v1/b/lake", {"location": "EU"}).status == 400
    assert http.send("PATCH", "/storage/v1/b/lake", {"location": "us"}).status == 200


def test_a_name_is_given_once(bucket: storage.Bucket) -> None:
    with pytest.raises(Conflict):
        bucket.client.create_bucket("lake")


def test_only_an_empty_bucket_is_deleted(bucket: storage.Bucket, http: Any) -> None:
    session = http.begin("y").headers["Location"]
    blob = bucket.blob("x")
    blob.upload_from_string(b"x")
    with pytest.raises(Conflict):
        bucket.delete()
    blob.delete()
    bucket.delete()
    assert not bucket.exists()
    with pytest.raises(NotFound):
        bucket.delete()
    assert http.part(session, "0-0/1", b"y").status == 404


@pytest.mark.parametrize("name", ["", "A", "x", "-abc", "a/b", 7])
def test_a_name_that_google_refuses_is_refused(http: Any, name: object) -> None:
    assert http.send("POST", "/storage/v1/b", {"name": name}).status == 400


def test_a_refused_field_makes_no_bucket(http: Any) -> None:
    refused = http.send("POST", "/storage/v1/b", {"name": "made", "retentionPolicy": {"retentionPeriod": "7"}})
    assert refused.status == 501
    assert "'retentionPolicy'" in refused.json()["error"]["message"]
    assert http.send("GET", "/storage/v1/b/made").status == 404


def test_buckets_are_listed_page_by_page(client: storage.Client) -> None:
    names = [f"made-{number}" for number in range(5)]
    for name in names:
        client.create_bucket(name)
    assert [bucket.name for bucket in client.list_buckets(page_size=2)] == names
    assert [bucket.name for bucket in client.list_buckets(prefix="made-3")] == ["made-3"]


def test_a_policy_is_stored(bucket: storage.Bucket) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"user:a@example.com"}})
    bucket.set_iam_policy(policy)
    assert bucket.get_iam_policy().bindings == [
        {"role": "roles/storage.objectViewer", "members": {"user:a@example.com"}},
    ]
    permissions = ["storage.objects.get", "storage.objects.list"]
    assert bucket.test_iam_permissions(permissions) == permissions
    with pytest.raises(NotFound):
        bucket.client.bucket("nowhere").get_iam_policy()


def test_gcloud_learns_that_the_namespace_is_flat(http: Any) -> None:
    assert http.send("GET", "/storage/v1/b/lake/storageLayout").json() == {
        "kind": "storage#storageLayout",
        "bucket": "lake",
        "location": "US",
        "locationType": "multi-region",
        "hierarchicalNamespace": {"enabled": False},
    }
