"""Where and with what a benchmark was measured, for its page."""

import datetime as dt
import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path


def described(libraries: Iterable[str]) -> str:
    """Give the date, the machine, Python and the libraries with their versions, in one sentence."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}{_model()},"
        f" {os.cpu_count()} CPUs, {memory_gb:.0f} GB; Python {platform.python_version()},"
        f" {', '.join(f'{name} {version(name)}' for name in libraries)}."
    )


def _model() -> str:
    told = Path("/proc/cpuinfo")
    if sys.platform != "linux" or not told.exists():
        return ""
    lines = told.read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f" ({model})" if model else ""
