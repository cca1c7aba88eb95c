"""How each case ended on a target, as one JSON file: node id -> passed, failed or hung, and the versions."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

_CLIENTS = ("google-cloud-storage", "google-cloud-bigquery")


class Recorder:
    """A pytest plugin that writes the outcomes of the cases with a promise when the session ends."""

    def __init__(self, path: Path, target: str, target_version: str) -> None:
        self._path = path
        self._about = {"target": target, "version": target_version, "clients": {n: version(n) for n in _CLIENTS}}
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the worst of a case's three reports; a skipped case has no outcome."""
        if "promise" not in report.keywords:
            return
        if report.failed:
            self._outcomes[report.nodeid] = "hung" if "Timeout (>" in str(report.longrepr) else "failed"
        elif report.when == "call" and report.passed:
            self._outcomes.setdefault(report.nodeid, "passed")

    def pytest_sessionfinish(self) -> None:
        """Write the file, sorted, so that two recordings can be compared."""
        recorded = {**self._about, "outcomes": dict(sorted(self._outcomes.items()))}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(recorded, indent=2) + "\n")
