"""Data folders with and without a running local cloud."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localcloud.supervisor.laptop import Laptop
from tests.localcloud.supervisor.offline import Offline


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """This process's environment; what runs here is not what coverage is about, and would be slower."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@pytest.fixture
def laptop(tmp_path: Path, environment: dict[str, str]) -> Iterator[Laptop]:
    laptop = Laptop(tmp_path / "data folder", environment)
    yield laptop
    laptop.run("down")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Laptop]:
    """A local cloud without Prefect that is up, for tests that change nothing of it."""
    laptop = Laptop(tmp_path_factory.mktemp("running") / "data folder", environment)
    laptop.up()
    yield laptop
    laptop.run("down")


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    folder = tmp_path / "guard"
    folder.mkdir()
    return Offline(folder)
