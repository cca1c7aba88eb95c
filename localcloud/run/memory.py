"""What a container's processes hold in memory, as a cgroup would count it: shared pages once, files in memory too."""

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_ON_LINUX = sys.platform == "linux"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_GROWN_BYTES = 1 << 20
_STALE_S = 1.0


def members(leader: int) -> list[int]:
    """Return the pids of all processes below one, without itself."""
    if not _ON_LINUX:
        return _by_psutil(leader)
    found: list[int] = []
    waiting = [leader]
    while waiting:
        children = list(_children(waiting.pop()))
        found += children
        waiting += children
    return found


class Meter:
    """Measures what a container's processes and the files that they wrote take.

    Processes count with their proportional share of each page (PSS), so that shared ones count once. On Cloud Run the
    file system is memory, so `scratch`, where a container writes its files, counts as well; also files there that have
    no name any more but are still open. Elsewhere than on Linux each process counts with what is resident.

    The kernel walks all pages for a PSS: 5 ms for 240 MiB. So it is only asked again when the resident size, which is
    at hand and not less, has grown, processes have come or gone, or a second has passed.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._pids: list[int] = []
        self._resident = self._shares = 0
        self._due = 0.0

    def used_bytes(self, pids: list[int]) -> int:
        """Return what the container takes now; `pids` are all its processes."""
        files = dict(_named_files(self._scratch))
        for pid in pids:
            files |= _open_files(pid, self._scratch)
        resident = sum(map(_resident_bytes, pids))
        if resident > self._resident + _GROWN_BYTES or pids != self._pids or time.monotonic() > self._due:
            self._shares = sum(map(_shared_bytes, pids)) if _ON_LINUX else resident
            self._pids, self._resident, self._due = pids, resident, time.monotonic() + _STALE_S
        return self._shares + sum(files.values())


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):  # gone
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  # 20 times a second: no objects for names
            with suppress(OSError):
                yield from map(int, _read(f"/proc/{pid}/task/{thread}/children").split())


def _by_psutil(leader: int) -> list[int]:
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(leader).children(recursive=True)]
    return []


def _resident_bytes(pid: int) -> int:
    with suppress(psutil.Error):
        if not _ON_LINUX:
            return int(psutil.Process(pid).memory_info().rss)
        with suppress(OSError):
            return int(_read(f"/proc/{pid}/statm").split()[1]) * _PAGE_BYTES
    return 0  # gone


def _shared_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0  # gone, or a zombie


def _named_files(scratch: Path) -> Iterator[tuple[tuple[int, int], int]]:
    for folder, _folders, names in os.walk(scratch):
        for name in names:
            with suppress(OSError):
                found = os.lstat(f"{folder}/{name}")
                yield (found.st_dev, found.st_ino), found.st_blocks * 512


def _open_files(pid: int, scratch: Path) -> dict[tuple[int, int], int]:
    """Return the open files below `scratch` that have been unlinked."""
    opened: dict[tuple[int, int], int] = {}
    if not _ON_LINUX:
        return opened
    with suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208  # as above
            with suppress(OSError):
                link = f"/proc/{pid}/fd/{descriptor}"
                found = os.stat(link)  # noqa: PTH116  # as above
                path = os.readlink(link)  # noqa: PTH115  # as above
                if stat.S_ISREG(found.st_mode) and not found.st_nlink and path.startswith(f"{scratch}/"):
                    opened[found.st_dev, found.st_ino] = found.st_blocks * 512
    return opened


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # as above
        return file.read()
