"""A local cloud of one lane's own, whose services can be killed and started again without disturbing the others."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from localcloud.state import State


class OwnCloud:
    """A local cloud with a Prefect server, in a folder of its own; ports stay the same over all starts."""

    environment: Mapping[str, str]

    def __enter__(self) -> Self:
        self._data = Path(tempfile.mkdtemp(prefix="landfall-chaos-cloud-"))
        self._localcloud("up")
        words = (shlex.split(line) for line in self._localcloud("env").splitlines() if line.startswith("export "))
        self.environment = dict(word.split("=", 1) for _, word in words)
        return self

    def __exit__(self, *_: object) -> None:
        self._localcloud("down")
        shutil.rmtree(self._data)

    def restart(self, service: str) -> None:
        """Kill a service in the middle of whatever it does, and start it again; it answers when this returns."""
        for record in State(self._data).records():
            if record.name == service and (process := record.identity.process()):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        self._localcloud("up")

    def _localcloud(self, command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "localcloud", command, "--data", str(self._data)],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
        )
        if done.returncode:
            raise RuntimeError(f"localcloud {command}: {done.stderr}")
        return done.stdout
