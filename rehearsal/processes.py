"""What the rehearsal's processes leave behind: on Linux all of it is found, whatever group or session it went to."""

import ctypes
import sys

import psutil

_SET_CHILD_SUBREAPER = 36  # prctl(2)
KILL_S = 5.0


def adopt_orphans() -> None:
    """Let what loses its parent become this process's child, so that it can be found. Linux alone has this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def left_running() -> list[str]:
    """End every living process below this one, and say which they were."""
    found = [process for process in psutil.Process().children(recursive=True) if _lives(process)]
    said = [f"{process.pid} {_shown(process)}" for process in found]
    for process in found:
        process.kill()
    psutil.wait_procs(found, KILL_S)
    return said


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _shown(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.NoSuchProcess:
        return "(ended meanwhile)"
