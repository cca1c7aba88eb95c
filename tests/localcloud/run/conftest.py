"""One local Cloud Run for all tests: each makes jobs of its own."""

from collections.abc import Iterator

import pytest

from tests.localcloud.run.fleet import CloudRun, served


@pytest.fixture(scope="session")
def cloud_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudRun]:
    with served(tmp_path_factory.mktemp("cloud run")) as made:
        yield made
