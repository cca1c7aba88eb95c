"""Run one command in a process group of its own, and leave nothing of that group behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from types import FrameType

from localcloud import groups
from localcloud.signals import handled_by
from localcloud.state import Identity, LocalCloudError, Record, State

LEFTOVER_GRACE_S = 3.0


class NotRunnableError(LocalCloudError):
    """There is no such command, or it is no program; the exit code is a shell's."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run(state: State, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command to its end and return its exit code, 128+n when signal n ended it.

    SIGINT, SIGTERM and SIGHUP are handed on to its group. Its pid file lets the next command end it if this
    process is killed. At a terminal its group is in the foreground, as in a shell, so that it can read and that
    Ctrl-C and Ctrl-Z are its own.

    Raises:
        NotRunnableError: nothing was run.
    """
    try:
        child = subprocess.Popen(list(command), env=dict(environment), process_group=0)
    except FileNotFoundError as error:
        raise NotRunnableError(f"{command[0]}: not found; nothing was run", 127) from error
    except PermissionError as error:
        raise NotRunnableError(f"{command[0]}: cannot be executed; nothing was run", 126) from error
    record = Record(f"command-{child.pid}", Identity.of(child.pid), {}, Identity.of(os.getpid()))
    try:
        state.write(record)
        with handled_by(partial(_hand_on, child.pid)):
            return _finish(child)
    finally:
        with handled_by(signal.SIG_IGN):
            groups.end_group(child.pid, LEFTOVER_GRACE_S)
            state.forget(record)


def _finish(child: "subprocess.Popen[bytes]") -> int:
    """Wait for the end; when the command is stopped (Ctrl-Z), stop with it and go on with it."""
    at_terminal = _in_foreground()
    while True:
        if at_terminal:
            _put_in_foreground(child.pid)
            groups.signal_group(child.pid, signal.SIGCONT)  # it may have been stopped for reading too early
        _pid, status = os.waitpid(child.pid, os.WUNTRACED)
        if at_terminal:
            _put_in_foreground(os.getpgrp())
        if not os.WIFSTOPPED(status):
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode if child.returncode >= 0 else 128 - child.returncode
        if at_terminal:
            os.killpg(os.getpgrp(), signal.SIGSTOP)


def _hand_on(group: int, number: int, _frame: FrameType | None) -> None:
    groups.signal_group(group, number)


def _in_foreground() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


def _put_in_foreground(group: int) -> None:
    # a background process that moves the terminal is stopped, unless it ignores this signal
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(sys.stdin.fileno(), group)
    finally:
        signal.signal(signal.SIGTTOU, before)
