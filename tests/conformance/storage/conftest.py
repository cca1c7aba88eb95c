"""The objects of a fresh bucket."""

import pytest
from google.cloud import storage

from tests.conformance.calls import Http
from tests.conformance.storage.objects import Objects
from tests.conformance.targets import Target


@pytest.fixture
def objects(target: Target, http: Http, bucket: storage.Bucket) -> Objects:
    return Objects(http, target.addresses["storage"], bucket.name)


@pytest.fixture
def target_project(target: Target) -> str:
    return target.project
