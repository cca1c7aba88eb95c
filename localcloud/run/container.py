"""One container: a process in a session of its own, with all that it starts, and how it is ended."""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from localcloud import groups
from localcloud.run.memory import members

_POLL_S = 0.002
_SET_CHILD_SUBREAPER = 36  # prctl(2), Linux


class NotStarted(Exception):
    """The command cannot be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a container runs, where, with exactly which environment, and the file that takes what it says."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path


def adopt_orphans() -> None:
    """Let what a container leaves without a parent become this process's child, so that it is still found.

    Linux alone has this; elsewhere what leaves the container's process group is lost from sight.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Container:
    """A started command. `pid` leads its group; nothing runs before `go`."""

    def __init__(self, command: Command) -> None:
        """Fork.

        Raises:
            NotStarted: there is no such program.
        """
        program = _program(command)
        begin, gate = os.pipe()
        with command.log.open("ab") as log, open(os.devnull, "rb") as nothing:  # noqa: PTH123  # a device
            self.pid = os.fork()
            if self.pid == 0:
                os.close(gate)
                _become(program, command, (nothing.fileno(), log.fileno(), log.fileno()), begin)
        os.close(begin)
        self._gate = gate
        self._status: int | None = None

    def go(self) -> None:
        """Let the command begin; until then it could be found and ended by whoever knows its pid."""
        os.write(self._gate, b"g")
        os.close(self._gate)

    def exit_code(self) -> int | None:
        """Return the exit code once the command has ended, 128 + n when signal n ended it, else None."""
        self._reap()
        if self._status is None:
            return None
        return self._status if self._status >= 0 else 128 - self._status

    def processes(self) -> list[int]:
        """Return the pids of all its processes."""
        return members(os.getpid())

    def terminate(self) -> None:
        """Ask the command to end, as Cloud Run asks: its first process alone gets the signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End all its processes, also those that have gone from its group."""
        groups.signal_group(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + groups.KILL_S
        self._reap()
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_POLL_S)
            self._reap()

    def _reap(self) -> None:
        """Take the exit codes of children that have ended; orphans of the container are among them."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.pid:
                    self._status = os.waitstatus_to_exitcode(ended[1])


def _program(command: Command) -> str:
    name = command.arguments[0] if command.arguments else ""
    for folder in command.environment.get("PATH", os.defpath).split(os.pathsep):
        path = command.folder / (name if "/" in name else f"{folder}/{name}")
        if name and path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise NotStarted(f"{name!r}: not found in the image")


def _become(program: str, command: Command, descriptors: tuple[int, int, int], gate: int) -> NoReturn:
    """In the child: wait for the word, then be the command."""
    try:
        os.setsid()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        if not os.read(gate, 1):
            os._exit(1)  # whoever wanted it is gone
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(command.folder)
        os.execve(program, list(command.arguments), dict(command.environment))  # noqa: S606  # a container's command
    except OSError as error:
        os.write(2, f"{program}: {error.strerror}\n".encode())
    finally:
        os._exit(127)
