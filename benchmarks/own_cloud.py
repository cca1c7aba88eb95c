"""A local cloud and a Prefect server of a benchmark's own, in a folder of its own."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def own_cloud(data: Path, *options: str, **settings: str) -> Iterator[dict[str, str]]:
    """Run one, and give the variables of a process that uses it.

    Args:
        data: where it keeps everything.
        options: of `localcloud up`, such as `--no-prefect`.
        settings: variables for its services.
    """
    base = {**os.environ, **settings}
    _localcloud("up", data, *options, environment=base)
    try:
        words = (shlex.split(line) for line in _localcloud("env", data, environment=base).splitlines())
        exports = dict(each[1].split("=", 1) for each in words if each[0] == "export")
        yield {**base, **exports}
    finally:
        _localcloud("down", data, environment=base)


def python(environment: Mapping[str, str], *arguments: str, given: str = "") -> str:
    """Run this Python, and give what it prints.

    Raises:
        subprocess.CalledProcessError: it failed; its own words are on standard error.
    """
    command = [sys.executable, *arguments]
    return subprocess.run(command, input=given, text=True, check=True, stdout=subprocess.PIPE, env=environment).stdout


def image(folder: Path, contracts: Mapping[str, str]) -> Path:
    """Copy the flows into a folder, and put contracts of the benchmark's beside theirs: name and TOML."""
    shutil.copytree(ROOT / "flows", folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in contracts.items():
        (folder / "flows" / "contracts" / f"{name}.toml").write_text(text)
    return folder


def _localcloud(command: str, data: Path, *options: str, environment: Mapping[str, str]) -> str:
    return python(environment, "-m", "localcloud", command, f"--data={data}", *options)
