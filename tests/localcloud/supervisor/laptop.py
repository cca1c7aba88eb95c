"""The local cloud as its user has it: through the command line, in a data folder of the test's own."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.state import Record, State

Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Laptop:
    """A data folder, and the commands on it."""

    data: Path
    environment: Mapping[str, str]

    def arguments(self, command: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "localcloud", command, f"--data={self.data}", *arguments]

    def run(self, command: str, *arguments: str) -> Finished:
        return subprocess.run(
            self.arguments(command, *arguments),
            capture_output=True,
            text=True,
            check=False,
            env=dict(self.environment),
            timeout=100,
        )

    def start(self, command: str, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.arguments(command, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(self.environment),
        )

    def up(self) -> None:
        self.run("up", "--no-prefect").check_returncode()

    def records(self) -> list[Record]:
        return State(self.data).records()

    def cloud(self) -> Record:
        return next(record for record in self.records() if record.name == "cloud")

    def variables(self) -> dict[str, str]:
        """Return the environment that a shell has after `eval "$(python -m localcloud env)"`."""
        program = 'eval "$("$@")" && env -0'
        finished = subprocess.run(
            ["/bin/sh", "-c", program, "sh", *self.arguments("env")],
            capture_output=True,
            text=True,
            check=True,
            env=dict(self.environment),
        )
        return dict(line.split("=", 1) for line in finished.stdout.split("\0") if line)
