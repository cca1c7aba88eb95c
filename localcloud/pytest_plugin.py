"""pytest fixtures: a local cloud for the session, and a bucket and a dataset for each test that asks.

Nothing here is active until it is asked for: `pytest_plugins = ["localcloud.pytest_plugin"]` in the topmost
conftest.py, or `pytest -p localcloud.pytest_plugin`.
"""

import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import urllib3

from localcloud import environment, supervisor
from localcloud.services import CLOUD, PROJECT

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """Where a running local cloud answers, the project in it, and the environment that leads clients there."""

    storage: str
    bigquery: str
    project: str
    environment: Mapping[str, str]


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Have a local cloud, empty at the start, for all tests of this process; under xdist one for each worker.

    Until the session ends this process's environment leads Google's clients there, also those of child processes:
    what is set is in `environment`, and variables that would lead to a real account are unset. Clients read them
    when they are made, so make none before this fixture.
    """
    data = tmp_path_factory.mktemp("local-cloud").resolve()
    with supervisor.running(data, (CLOUD,), "pytest"), pytest.MonkeyPatch.context() as patch:
        addresses = supervisor.addresses_of(data)
        variables = environment.for_google(data, addresses, os.environ)
        for name in environment.TO_ACCOUNTS:
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield LocalCloud(addresses["storage"], addresses["bigquery"], PROJECT, variables)


@pytest.fixture
def local_bucket(local_cloud: LocalCloud) -> Iterator[str]:
    """Have an empty bucket of this test's own, by its name; it is removed with what is in it."""
    name = f"test-{uuid.uuid4().hex}"
    buckets = f"{local_cloud.storage}/storage/v1/b"
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as http:
        _done(http.request("POST", f"{buckets}?project={local_cloud.project}", json={"name": name}))
        yield name
        objects = f"{buckets}/{name}/o"
        while found := _done(http.request("GET", objects)).json().get("items"):
            for each in found:
                _done(http.request("DELETE", f"{objects}/{quote(each['name'], safe='')}"))
        _done(http.request("DELETE", f"{buckets}/{name}"))


@pytest.fixture
def local_dataset(local_cloud: LocalCloud) -> Iterator[str]:
    """Have an empty dataset of this test's own, by its id; it is removed with its tables."""
    name = f"test_{uuid.uuid4().hex}"
    datasets = f"{local_cloud.bigquery}/bigquery/v2/projects/{local_cloud.project}/datasets"
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as http:
        _done(http.request("POST", datasets, json={"datasetReference": {"datasetId": name}}))
        yield name
        _done(http.request("DELETE", f"{datasets}/{name}?deleteContents=true"))


def _done(answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    """Return an answer that is no refusal; 404 where a test removed by itself what is removed here."""
    if answer.status not in {200, 204, 404}:
        raise RuntimeError(f"local cloud: answered {answer.status} {answer.data.decode(errors='replace')[:500]}")
    return answer
