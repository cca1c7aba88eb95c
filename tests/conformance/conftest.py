"""The suite's options, its target, and a fresh bucket and dataset for each case that asks for one.

    pytest tests/conformance                                     the local cloud
    pytest tests/conformance --target=cloud --project=P          a real project; costs money, little of it
    pytest tests/conformance/storage --target=gcp-storage-emulator --address=http://127.0.0.1:9023 \
        --record=tests/conformance/outcomes/gcp-storage-emulator.json --target-version=2026.7.19
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery, storage

from tests.conformance import targets
from tests.conformance.calls import Http
from tests.conformance.promises import held_by
from tests.conformance.recording import Recorder
from tests.conformance.targets import Target
from tests.conformance.watching import Watch, watched

_HERE = Path(__file__).parent
_WATCHES = pytest.StashKey[list[Watch]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "the cloud that the conformance cases run on")
    group.addoption("--target", choices=targets.TARGETS, default="local", help="(default: %(default)s)")
    group.addoption("--address", help="where the stock emulator listens, http://127.0.0.1:<port>")
    group.addoption("--storage-address", help="with bqemulator: the storage emulator whose objects it loads")
    group.addoption("--project", help="the project; must be given for --target=cloud")
    group.addoption("--record", type=Path, metavar="FILE", help="write how each case ended to this file")
    group.addoption("--target-version", default="", help="what --record writes as the target's version")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(promise): what the case holds; tests/conformance/promises.py makes it")
    path = config.getoption("--record")
    if path is not None and not hasattr(config, "workerinput"):
        target, version = config.getoption("--target"), config.getoption("--target-version")
        config.pluginmanager.register(Recorder(path, target, version))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a case without a promise; what tests the suite itself, beside this file, is none."""
    cases = [item for item in items if _HERE in item.path.parents and item.path.parent != _HERE]
    for item in cases:
        held_by(item)
        if config.getoption("--target") in targets.STOCK:
            item.add_marker(pytest.mark.timeout(targets.STOCK_TIMEOUT_S))


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The cloud that the cases run on; the local one behind a watch that holds it to Google's documents."""
    options = vars(pytestconfig.option)
    name = options["target"]
    if name == "local":
        data = tmp_path_factory.mktemp("conformance") / "cloud"
        with targets.local(data) as started, watched(started.addresses) as watches:
            pytestconfig.stash[_WATCHES] = list(watches.values())
            yield replace(started, addresses={name: watch.address for name, watch in watches.items()})
    else:
        yield targets.cloud(options) if name == "cloud" else targets.stock(name, options)


@pytest.fixture(autouse=True)
def deviations(pytestconfig: pytest.Config) -> Iterator[None]:
    """Fail the case whose requests or answers are not those of Google's discovery documents."""
    yield
    found = [each for watch in pytestconfig.stash.get(_WATCHES, []) for each in watch.take()]
    assert found == [], "beside Google's discovery document"


@pytest.fixture(scope="session")
def storage_client(target: Target) -> Iterator[storage.Client]:
    """Google's client of storage."""
    with target.storage_client() as client:
        yield client


@pytest.fixture(scope="session")
def bigquery_client(target: Target) -> Iterator[bigquery.Client]:
    """Google's client of BigQuery."""
    with target.bigquery_client() as client:
        yield client


@pytest.fixture(scope="session")
def http(target: Target) -> Iterator[Http]:
    """Plain HTTP to both services, authorised."""
    http = Http(target)
    yield http
    http.close()


@pytest.fixture
def bucket(target: Target, storage_client: storage.Client) -> Iterator[storage.Bucket]:
    """An empty bucket of this case's own, removed with what is in it."""
    made = storage_client.create_bucket(target.unique("conformance-"))
    yield made
    with _clearing(target):
        for blob in list(storage_client.list_blobs(made)):
            blob.delete()
        made.delete()


@pytest.fixture
def dataset(target: Target, bigquery_client: bigquery.Client) -> Iterator[bigquery.Dataset]:
    """An empty dataset of this case's own, removed with what is in it."""
    made = bigquery_client.create_dataset(target.unique("conformance_"))
    yield made
    with _clearing(target):
        bigquery_client.delete_dataset(made, delete_contents=True)


@pytest.fixture(scope="session")
def racers() -> Iterator[ThreadPoolExecutor]:
    """Sixteen threads."""
    with ThreadPoolExecutor(16) as pool:
        yield pool


def _clearing(target: Target) -> AbstractContextManager[None]:
    """On a stock emulator what a case leaves behind is no failure of the case."""
    return suppress(GoogleAPICallError, OSError) if target.stock else nullcontext()
