"""What a container's processes hold in memory, as a cgroup would count it: shared pages once, files in memory too."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_ON_LINUX = sys.platform == "linux"


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


def used_bytes(pids: Iterable[int], scratch: Path) -> int:
    """Return what the processes and the files that they wrote take.

    Processes count with their proportional share of each page (PSS), so that shared ones count once. On Cloud Run the
    file system is memory, so `scratch`, where a container writes its files, counts as well; also files there that have
    no name any more but are still open. Elsewhere than on Linux each process counts with what is resident.
    """
    processes = list(pids)
    files = dict(_named_files(scratch))
    for pid in processes:
        files |= _open_files(pid, scratch)
    return sum(map(_process_bytes, processes)) + sum(files.values())


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):  # gone
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  # 20 times a second: no objects for names
            with suppress(OSError):
                yield from map(int, _read(f"/proc/{pid}/task/{thread}/children").split())


def _by_psutil(leader: int) -> list[int]:
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(leader).children(recursive=True)]
    return []


def _process_bytes(pid: int) -> int:
    if not _ON_LINUX:
        with suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0
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
