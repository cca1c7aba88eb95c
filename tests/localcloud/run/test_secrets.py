"""Secret Manager's promises, through Google's client."""

import base64
import json
from typing import Any

import google_crc32c
import pytest
from googleapiclient.errors import HttpError

from tests.localcloud.run.fleet import CloudRun, name

VALUE = "open sesame"
AUTOMATIC: dict[str, Any] = {"replication": {"automatic": {}}}


def payload(value: bytes, **more: Any) -> dict[str, Any]:
    return {"payload": {"data": base64.b64encode(value).decode(), **more}}


def refused(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as raised:
        request.execute()
    assert VALUE not in str(raised.value)
    error = json.loads(raised.value.content)["error"]
    return raised.value.status_code, error["message"]


@pytest.fixture
def secret(cloud_run: CloudRun) -> str:
    return f"projects/local/secrets/{cloud_run.secret(VALUE)}"


def accessed(cloud_run: CloudRun, version: str) -> bytes:
    answer = cloud_run.projects.secrets().versions().access(name=version).execute()
    value = base64.b64decode(answer["payload"]["data"])
    assert answer["payload"]["dataCrc32c"] == str(google_crc32c.value(value))
    return value


def test_versions_count_from_one_and_latest_is_the_last(cloud_run: CloudRun, secret: str) -> None:
    secrets = cloud_run.projects.secrets()

    second = secrets.addVersion(parent=secret, body=payload(b"\x00other")).execute()

    assert (second["name"], second["state"]) == (f"{secret}/versions/2", "ENABLED")
    assert accessed(cloud_run, f"{secret}/versions/1") == VALUE.encode()
    assert accessed(cloud_run, f"{secret}/versions/latest") == b"\x00other"
    listed = secrets.versions().list(parent=secret).execute()
    assert [version["name"] for version in listed["versions"]] == [f"{secret}/versions/2", f"{secret}/versions/1"]
    assert listed["totalSize"] == 2


def test_a_destroyed_version_has_lost_its_value_and_a_disabled_one_gets_it_back(
    cloud_run: CloudRun, secret: str
) -> None:
    versions, version = cloud_run.projects.secrets().versions(), f"{secret}/versions/1"

    assert versions.disable(name=version, body={}).execute()["state"] == "DISABLED"
    assert refused(versions.access(name=version)) == (400, f"Secret Version [{version}] is in DISABLED state.")
    versions.enable(name=version, body={}).execute()
    assert accessed(cloud_run, version) == VALUE.encode()
    destroyed = versions.destroy(name=version, body={}).execute()

    assert (destroyed["state"], "destroyTime" in destroyed) == ("DESTROYED", True)
    assert refused(versions.access(name=version)) == (400, f"Secret Version [{version}] is in DESTROYED state.")
    assert refused(versions.enable(name=version, body={}))[0] == 400
    kept = (cloud_run.data / "secretmanager" / "local" / f"{secret.rpartition('/')[2]}.json").read_text()
    assert base64.b64encode(VALUE.encode()).decode() not in kept


def test_what_is_not_there_is_not_found(cloud_run: CloudRun, secret: str) -> None:
    secrets = cloud_run.projects.secrets()
    absent = "projects/local/secrets/absent"
    empty = name()
    secrets.create(parent="projects/local", secretId=empty, body=AUTOMATIC).execute()
    empty = f"projects/local/secrets/{empty}"

    assert refused(secrets.get(name=absent)) == (404, f"Secret [{absent}] not found.")
    assert refused(secrets.versions().access(name=f"{empty}/versions/latest")) == (
        404,
        f"Secret [{empty}] not found or has no versions.",
    )
    assert refused(secrets.versions().get(name=f"{secret}/versions/7")) == (
        404,
        f"Secret Version [{secret}/versions/7] not found.",
    )
    secrets.delete(name=secret).execute()
    assert refused(secrets.get(name=secret))[0] == 404


def test_what_is_wrong_is_refused_and_nothing_is_added(cloud_run: CloudRun, secret: str) -> None:
    secrets = cloud_run.projects.secrets()

    assert refused(secrets.create(parent="projects/local", secretId=secret.rpartition("/")[2], body=AUTOMATIC)) == (
        409,
        f"Secret [{secret}] already exists.",
    )
    assert refused(secrets.create(parent="projects/local", secretId="a b", body=AUTOMATIC))[0] == 400
    assert refused(secrets.create(parent="projects/local", secretId=name(), body={}))[0] == 400
    assert refused(secrets.create(parent="projects/local", secretId=name(), body={**AUTOMATIC, "ttl": "3s"})) == (
        501,
        "secretmanager.projects.secrets.create: the field ttl is not part of the local Secret Manager",
    )
    assert refused(secrets.addVersion(parent=secret, body=payload(b"x" * 65537)))[0] == 400
    assert refused(secrets.addVersion(parent=secret, body=payload(b"x", dataCrc32c="1")))[0] == 400
    assert len(secrets.versions().list(parent=secret).execute()["versions"]) == 1


def test_labels_change_by_the_mask_alone(cloud_run: CloudRun, secret: str) -> None:
    secrets = cloud_run.projects.secrets()

    changed = secrets.patch(name=secret, updateMask="labels", body={"labels": {"a": "b"}, "annotations": {"c": "d"}})

    assert (changed.execute()["labels"], "annotations" in secrets.get(name=secret).execute()) == ({"a": "b"}, False)
    found = secrets.list(parent="projects/local").execute()["secrets"]
    assert {"a": "b"} in [each.get("labels") for each in found]
