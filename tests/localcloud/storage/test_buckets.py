"""Buckets over a restart, and what they refuse."""

from pathlib import Path
from typing import Any

from google.cloud import storage

from localcloud.storage import StorageServer, serve


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


def test_an_upload_ends_with_its_bucket(bucket: storage.Bucket, http: Any) -> None:
    session = http.begin("y").headers["Location"]
    bucket.delete()
    assert http.part(session, "0-0/1", b"y").status == 404


def test_a_refused_field_makes_no_bucket(http: Any) -> None:
    refused = http.send("POST", "/storage/v1/b", {"name": "made", "retentionPolicy": {"retentionPeriod": "7"}})
    assert refused.status == 501
    assert "'retentionPolicy'" in refused.json()["error"]["message"]
    assert http.send("GET", "/storage/v1/b/made").status == 404
