"""Buckets: made once, kept as they were asked for, deleted when empty."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.api_core.exceptions import Conflict, NotFound
from google.cloud import storage

from tests.conformance.promises import STORAGE_API, promise
from tests.conformance.storage.objects import Objects
from tests.conformance.storage.pages import BUCKET_NAMES
from tests.conformance.targets import Target

Make = Callable[..., Any]


@pytest.fixture
def make(target: Target, storage_client: storage.Client) -> Iterator[Make]:
    """Make a bucket that is removed at the end: `make(location=None, **settings)`."""
    made: list[storage.Bucket] = []

    def make(location: str | None = None, **settings: object) -> Any:
        bucket = storage_client.bucket(target.unique("conformance-"))
        for name, value in settings.items():
            setattr(bucket, name, value)
        bucket.create(location=location)
        made.append(bucket)
        return bucket

    yield make
    for bucket in made:
        if bucket.exists():
            bucket.delete()


@promise(
    "Object data for objects in the bucket resides in physical storage within this region. Defaults to US.", STORAGE_API
)
@promise("The type of the bucket location.", STORAGE_API)
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
    storage_client: storage.Client, make: Make, asked: str | None, location: str, kind: str
) -> None:
    made = make(asked)
    assert (made.location, made.location_type) == (location, kind)
    assert storage_client.get_bucket(made.name).location == location


@promise("User-provided labels, in key/value pairs.", STORAGE_API)
@promise(
    "The bucket's default storage class, used whenever no storageClass is specified for a newly-created object.",
    STORAGE_API,
)
def test_labels_and_class_are_kept_and_the_class_is_its_objects(storage_client: storage.Client, make: Make) -> None:
    made = make(labels={"environment": "local"}, storage_class="NEARLINE")
    seen = storage_client.get_bucket(made.name)
    assert (seen.labels, seen.storage_class) == ({"environment": "local"}, "NEARLINE")
    blob = made.blob("x")
    blob.upload_from_string(b"x")
    assert blob.storage_class == "NEARLINE"
    blob.delete()


@promise(
    "A lifecycle management rule, which is made of an action to take and the condition(s) under which the action will "
    "be taken.",
    STORAGE_API,
)
def test_lifecycle_rules_are_kept(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.add_lifecycle_delete_rule(age=7, matches_prefix=["superseded/"])
    bucket.add_lifecycle_set_storage_class_rule("COLDLINE", age=30)
    bucket.patch()
    rules = [dict(rule) for rule in storage_client.get_bucket(bucket.name).lifecycle_rules]
    assert rules == [
        {"action": {"type": "Delete"}, "condition": {"age": 7, "matchesPrefix": ["superseded/"]}},
        {"action": {"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": {"age": 30}},
    ]
    bucket.clear_lifecycle_rules()
    bucket.patch()
    assert list(storage_client.get_bucket(bucket.name).lifecycle_rules) == []


@promise("If set, access is controlled only by bucket-level or above IAM policies.", STORAGE_API)
@promise(
    "The bucket's Public Access Prevention configuration. Currently, 'inherited' and 'enforced' are supported.",
    STORAGE_API,
)
def test_access_settings_are_kept(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.patch()
    seen = storage_client.get_bucket(bucket.name).iam_configuration
    assert (seen.uniform_bucket_level_access_enabled, seen.public_access_prevention) == (True, "enforced")


@promise("While set to true, versioning is fully enabled for this bucket.", STORAGE_API)
def test_the_versioning_setting_is_kept(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    assert storage_client.get_bucket(bucket.name).versioning_enabled
    bucket.versioning_enabled = False
    bucket.patch()
    assert not storage_client.get_bucket(bucket.name).versioning_enabled


@promise("Patches a bucket. Changes to the bucket will be readable immediately after writing", STORAGE_API)
@promise("The metadata generation of this bucket.", STORAGE_API)
def test_a_patch_changes_only_what_it_names(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    before = int(bucket.metageneration)
    bucket.labels = {"environment": "local", "team": "data"}
    bucket.patch()
    other = storage_client.get_bucket(bucket.name)
    other.storage_class = "NEARLINE"
    other.patch()
    labels = other.labels
    del labels["team"]
    other.labels = labels
    other.patch()
    bucket.reload()
    seen = bucket.labels, bucket.storage_class, int(bucket.metageneration) - before, bucket.location
    assert seen == ({"environment": "local"}, "NEARLINE", 3, "US")


@promise("The location of the bucket.", STORAGE_API)
def test_a_bucket_does_not_move(objects: Objects) -> None:
    path = f"/storage/v1/b/{objects.bucket}"
    assert objects.send("PATCH", path, {"location": "EU"}).status == 400
    assert objects.send("GET", path).json()["location"] == "US"


@promise(
    "If you try to create a bucket with a name that is already assigned to an existing bucket, Cloud Storage responds "
    "with an error message.",
    BUCKET_NAMES,
)
def test_a_name_is_given_once(storage_client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.blob("x").upload_from_string(b"x")
    with pytest.raises(Conflict):
        storage_client.create_bucket(bucket.name)
    assert bucket.blob("x").exists()


@promise("Deletes an empty bucket.", STORAGE_API)
def test_only_an_empty_bucket_is_deleted(make: Make) -> None:
    bucket = make()
    blob = bucket.blob("x")
    blob.upload_from_string(b"x")
    with pytest.raises(Conflict):
        bucket.delete()
    assert blob.exists()
    blob.delete()
    bucket.delete()
    assert not bucket.exists()
    with pytest.raises(NotFound):
        bucket.delete()


@promise("Retrieves a list of buckets for a given project.", STORAGE_API)
def test_buckets_are_listed_page_by_page(storage_client: storage.Client, make: Make) -> None:
    names = sorted(make().name for _ in range(3))
    prefix = "conformance-"
    for size in (1, 2, 100):
        assert set(names) <= {bucket.name for bucket in storage_client.list_buckets(prefix=prefix, page_size=size)}
    assert [bucket.name for bucket in storage_client.list_buckets(prefix=names[1])] == [names[1]]


@promise("Updates an IAM policy for the specified bucket.", STORAGE_API)
@promise("Returns an IAM policy for the specified bucket.", STORAGE_API)
def test_a_policy_is_kept(bucket: storage.Bucket) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"allAuthenticatedUsers"}})
    bucket.set_iam_policy(policy)
    added = {"role": "roles/storage.objectViewer", "members": {"allAuthenticatedUsers"}}
    assert added in bucket.get_iam_policy(requested_policy_version=3).bindings


@promise("Tests a set of permissions on the given bucket to see which, if any, are held by the caller.", STORAGE_API)
def test_permissions_can_be_asked_for(bucket: storage.Bucket) -> None:
    permissions = ["storage.objects.get", "storage.objects.list"]
    assert sorted(bucket.test_iam_permissions(permissions)) == permissions


@promise("Returns the storage layout configuration for the specified bucket.", STORAGE_API)
def test_a_buckets_layout_is_flat(objects: Objects) -> None:
    layout = objects.send("GET", f"/storage/v1/b/{objects.bucket}/storageLayout").json()
    assert (layout["bucket"], layout["location"]) == (objects.bucket, "US")
    assert not layout.get("hierarchicalNamespace", {}).get("enabled", False)
