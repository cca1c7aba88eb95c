"""What is written down in a data folder about the processes that run there: the pid files and the ports.

A pid file carries the process's start time, so that a process that later got the same pid is never taken for it.
Every file is replaced atomically; a reader needs no lock.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

# How far two readings of one start time may lie apart: the time of the boot is told in whole seconds, which may change
# between two questions.
START_TOLERANCE_S = 2.0


class LocalCloudError(Exception):
    """The local cloud cannot do what was asked; the message says why and what to do."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """One process: its pid and when it started (seconds since the boot, as the wall clock may be set anew)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """Identify the process that has that pid now. Raises psutil.NoSuchProcess."""
        return cls(pid, _started(psutil.Process(pid)))

    def process(self) -> psutil.Process | None:
        """Return the process if it is still alive; a zombie is dead."""
        try:
            process = psutil.Process(self.pid)
            same = abs(_started(process) - self.started) <= START_TOLERANCE_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True, slots=True)
class Record:
    """A pid file: a process that leads a process group of its own.

    `owner` is the command that started it and will stop it; None once it runs for itself. What a dead owner left
    is nobody's.
    """

    name: str
    identity: Identity
    addresses: dict[str, str]
    owner: Identity | None

    def orphaned(self) -> bool:
        """Say whether its owner died without stopping it."""
        return self.owner is not None and self.owner.process() is None


class State:
    """The files of one data folder: `run/*.json` are the pid files, `ports.json` the ports of the last start."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.run = data / "run"
        self._ports = data / "ports.json"

    def records(self) -> list[Record]:
        """Return what every pid file says."""
        found = (read_json(path) for path in sorted(self.run.glob("*.json")))
        # None: its process was stopped and its file removed while the folder was listed
        return [_record(fields) for fields in found if fields is not None]

    def write(self, record: Record) -> None:
        """Write a pid file."""
        replace_json(self._path(record), asdict(record))

    def forget(self, record: Record) -> None:
        """Remove a pid file."""
        self._path(record).unlink(missing_ok=True)

    def ports(self) -> dict[str, int]:
        """Return the ports of the last start, so that addresses can outlive a restart."""
        return read_json(self._ports) or {}

    def keep_ports(self, ports: dict[str, int]) -> None:
        """Remember the ports of this start."""
        replace_json(self._ports, self.ports() | ports)

    def _path(self, record: Record) -> Path:
        return self.run / f"{record.name}.json"


def _started(process: psutil.Process) -> float:
    return float(process.create_time() - psutil.boot_time())


def _record(fields: dict[str, Any]) -> Record:
    owner = fields["owner"]
    return Record(
        name=fields["name"],
        identity=Identity(**fields["identity"]),
        addresses=fields["addresses"],
        owner=Identity(**owner) if owner else None,
    )


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what was written, or None if there is nothing."""
    try:
        fields: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return fields


def replace_json(path: Path, fields: dict[str, Any], mode: int = 0o666) -> None:
    """Write the file whole or not at all; its folder is made if it is absent.

    `mode` holds from the first byte on, less what the process's umask takes away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)  # a killed process's; its mode would stay
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:  # noqa: PTH123  # by its descriptor
        json.dump(fields, file)
    draft.replace(path)
