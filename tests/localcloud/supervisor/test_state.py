"""A process is told from every other, whatever the wall clock says."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from localcloud.state import Identity

linux = pytest.mark.skipif(sys.platform != "linux", reason="the clock is set in a copy of /proc")


@linux
def test_a_process_is_known_again_after_the_wall_clock_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Identity.of(os.getpid())
    set_by_an_hour = re.sub(
        r"(?<=btime )\d+", lambda seconds: str(int(seconds[0]) + 3600), Path("/proc/stat").read_text()
    )
    (tmp_path / "stat").write_text(set_by_an_hour)
    (tmp_path / str(os.getpid())).symlink_to(f"/proc/{os.getpid()}")

    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))

    process = before.process()
    assert process is not None
    assert process.pid == os.getpid()


def test_a_later_process_with_the_same_pid_is_another() -> None:
    mine = Identity.of(os.getpid())
    assert replace(mine, started=mine.started - 60).process() is None
