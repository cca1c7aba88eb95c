"""Services that are started once for all tests: the local cloud, and a Prefect server beside it."""

import os
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.place import Place, clients, real_flights
from tests.end_to_end.runner import Runner
from tests.publisher import Publisher

# a shell starts what is in the background with Ctrl-C ignored, which all that tests start would take over
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a process that uses the local cloud and its Prefect server: one of each for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    users = shared / "users"
    users.mkdir(exist_ok=True)
    me = users / str(os.getpid())
    me.touch()
    try:
        _localcloud("up", shared)  # who comes second waits for the first, and finds it up
        yield _environment(_localcloud("env", shared))
    finally:
        me.unlink()
        if not list(users.iterdir()):
            _localcloud("down", shared)


def _localcloud(command: str, shared: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "localcloud", command, "--data", str(shared / "cloud")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        # what serves the tests is not what they cover, and would be slower
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _environment(exports: str) -> dict[str, str]:
    words = (shlex.split(line) for line in exports.splitlines() if line.startswith("export "))
    return dict(word.split("=", 1) for _, word in words)


@pytest.fixture(scope="session")
def runner(cloud: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Flow runs in processes of their own, against the local cloud."""
    started = Runner({**os.environ, **cloud}, tmp_path_factory.mktemp("runs"))
    yield started
    started.close()


@pytest.fixture
def place(cloud: dict[str, str], runner: Runner) -> Iterator[Place]:
    """An environment of this test's own."""
    with Publisher() as publisher:
        made = Place(f"t{uuid.uuid4().hex[:8]}", runner, publisher, *clients(cloud))
        made.make()
        yield made


@pytest.fixture(scope="session")
def january(cloud: dict[str, str]) -> list[str]:
    """Real flights of January 2013, as lines: 3,000 of them."""
    return real_flights(cloud["LANDFALL_PUBLISHER"], "2013-01")[:3000]
