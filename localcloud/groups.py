"""Start and stop process groups, each led by a process with a pid file."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from localcloud.state import Identity, Record, State

# How long a service may take to close its files before it is killed. Prefect's server takes about 1.5 s.
GRACE_S = 10.0
KILL_S = 5.0
_POLL_S = 0.02

# The child starts only when it is told to, after its pid file is written: a supervisor that is killed in between
# leaves nothing behind that no pid file names.
_GATE = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh")


@dataclass(frozen=True, slots=True)
class Program:
    """What is run, where, and the file that takes what it says."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path


def start(state: State, name: str, program: Program, addresses: dict[str, str]) -> Record:
    """Start a service in a session of its own, owned by this process.

    The log of the start before is kept beside the new one.
    """
    program.folder.mkdir(parents=True, exist_ok=True)
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        program.log.replace(program.log.with_name(f"{program.log.name}.1"))
    with program.log.open("wb") as output:
        child = subprocess.Popen(
            [*_GATE, *program.command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=program.folder,
            env=dict(program.environment),
            start_new_session=True,
        )
    record = Record(name, Identity.of(child.pid), addresses, Identity.of(os.getpid()))
    state.write(record)
    _open_gate(child)
    return record


def _open_gate(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin is not None:  # always: it was started with a pipe
        with child.stdin as gate:
            gate.write(b"go\n")


def stop(state: State, records: Iterable[Record], grace_s: float = GRACE_S) -> None:
    """Stop groups and forget their pid files: SIGTERM to all, SIGKILL to what is left after `grace_s`.

    A pid that now belongs to another process is left alone.
    """
    records = list(records)
    alive = [record.identity for record in records if record.identity.process()]
    for leader in alive:
        signal_group(leader.pid, signal.SIGTERM)
    _wait_until(lambda: not any(leader.process() for leader in alive), grace_s)
    for leader in alive:  # also what it left behind
        signal_group(leader.pid, signal.SIGKILL)
    _wait_until(lambda: not any(leader.process() for leader in alive), KILL_S)
    for record in records:
        state.forget(record)


def end_group(group: int, grace_s: float = GRACE_S) -> None:
    """End what a finished leader left behind in its group."""
    signal_group(group, signal.SIGTERM)
    _wait_until(lambda: not _has_members(group), grace_s)
    signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a group; False if there is none left to take it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: PermissionError for a group of zombies
        return False
    return True


def _has_members(group: int) -> bool:
    """Say whether a process of the group is alive; zombies wait for init, which may take its time."""
    return signal_group(group, 0) and any(_lives_in(process, group) for process in psutil.process_iter())


def _lives_in(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):  # gone since, or not ours
        return False


def _wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
