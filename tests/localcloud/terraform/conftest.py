"""One running local cloud, and configurations on it."""

import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcloud import supervisor
from tests.localcloud.terraform.terraform import MAIN, Terraform


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on the PATH: https://developer.hashicorp.com/terraform/install")
    folder = tmp_path_factory.mktemp("terraform") / "data folder"
    _localcloud("up", folder, "--no-prefect")
    yield folder
    _localcloud("down", folder)


def _localcloud(command: str, folder: Path, *options: str) -> None:
    words = [sys.executable, "-m", "localcloud", command, f"--data={folder}", *options]
    subprocess.run(words, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def configured(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Terraform]:
    """Make a configuration; nothing of it is applied."""
    addresses = supervisor.addresses_of(data)

    def make(text: str = MAIN) -> Terraform:
        name = f"t{uuid.uuid4().hex[:8]}"
        folder = tmp_path_factory.mktemp("config") / name
        folder.mkdir()
        (folder / "main.tf").write_text(text.replace("NAME", name))
        return Terraform(name, folder, data, addresses["storage"], addresses["bigquery"])

    return make


@pytest.fixture(scope="session")
def applied(configured: Callable[..., Terraform]) -> Terraform:
    """A configuration that is applied, for tests that leave it as it is."""
    made = configured()
    made.apply()
    return made


@pytest.fixture
def terraform(configured: Callable[..., Terraform]) -> Terraform:
    """A configuration of this test's own."""
    return configured()
