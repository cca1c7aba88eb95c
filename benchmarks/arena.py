"""The servers, the folder and the environment that all contestants work in."""

import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from benchmarks import inputs
from benchmarks.contestants import Contestant
from benchmarks.measure import Cost, run, run_command, served
from benchmarks.rivals import environment

HERE = Path(__file__).resolve().parent
GCLOUD = {
    "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
    "CLOUDSDK_CORE_PROJECT": "local",
    "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
    "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One process of one contestant; `size_mb` is what it made, 0 where that is kept nowhere."""

    contestant: str
    scale: float
    cost: Cost
    size_mb: float


class Arena:
    """Where one run after the other is made, each in a fresh process."""

    def __init__(self, folder: Path, cache: Path, dlt: Path, servers: tuple[str, str, str]) -> None:
        self._folder, self._dlt = folder, dlt
        self._publisher, self._storage, self._nowhere = servers
        self._number = itertools.count()
        # Whether Python may write bytecode is the machine's business: compiling each import anew is nobody's cost
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._environment = {
            **kept,
            **GCLOUD,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{self._storage}/storage/v1/",
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",  # it would ask Google itself for the bucket's kind
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "STORAGE_EMULATOR_HOST": self._storage,
            "PYTHONPYCACHEPREFIX": str(cache / "bytecode"),
            "PYTHONPATH": str(HERE.parent),
        }

    def run(self, contestant: Contestant, scale: float) -> tuple[Run, str]:
        """Run a contestant once; give what it cost, and how the names of the objects that it made begin."""
        known = {
            "python": sys.executable,
            "dlt": str(self._dlt),
            "rivals": str(HERE / "rivals"),
            "contracts": str(self._folder),
            "folder": str(self._folder),
            "address": f"{self._publisher}/{inputs.name(scale, contestant.form)}",
            "number": str(next(self._number)),
        }
        command = [word.format(**known) for word in contestant.command]
        given = self._environment | ({} if contestant.kept else {"STORAGE_EMULATOR_HOST": self._nowhere})
        printed, cost = run_command(command, given)
        prefix = printed if contestant.kept and contestant.converts else ""
        size = sum(int(each["size"]) for each in self._objects(prefix)) if prefix else 0
        return Run(contestant.name, scale, cost, size / 1e6), prefix

    def digest(self, prefix: str) -> dict[str, Any]:
        """Say what is in the objects whose names begin so."""
        printed, _ = run("benchmarks.digest", prefix, ",".join(inputs.columns()), environment=self._environment)
        found: dict[str, Any] = json.loads(printed)
        return found

    def tidy(self, prefix: str) -> None:
        """Remove the objects whose names begin so, and what a run left on disk."""
        for each in self._objects(prefix) if prefix else []:
            self._ask(f"/storage/v1/b/lake/o/{quote(each['name'], safe='')}", "DELETE")
        for left in self._folder.iterdir():
            if left.name.startswith("dlt_"):
                shutil.rmtree(left)

    def _objects(self, prefix: str) -> list[dict[str, str]]:
        said = json.loads(self._ask(f"/storage/v1/b/lake/o?{urlencode({'prefix': prefix})}"))
        return [each for each in said.get("items", []) if each["name"].endswith(".parquet")]

    def _ask(self, path: str, method: str = "GET") -> bytes:
        request = Request(f"{self._storage}{path}", method=method)  # noqa: S310 - the local storage
        with urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
            return bytes(answer.read())


@contextmanager
def arena(folder: Path, cache: Path) -> Iterator[Arena]:
    """Start the servers, and write what contestants read."""
    inputs.write_contracts(folder)
    (folder / "gcloud").mkdir()
    dlt = environment.interpreter(cache / "rivals")
    with ExitStack() as stack:
        publisher = stack.enter_context(served("http.server", "0", "-b", "127.0.0.1", "-d", str(cache)))
        storage = stack.enter_context(served("benchmarks.storage_server", str(folder / "storage")))
        nowhere = stack.enter_context(served("benchmarks.null_storage"))
        yield Arena(folder, cache, dlt, (publisher, storage, nowhere))
