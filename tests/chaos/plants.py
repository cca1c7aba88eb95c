"""What a scenario's process is given before it runs: the data set's contract, small upload parts, short waits.

No fault is planted here. Waits that the shipped code and Google's clients keep for minutes are shortened alike, so that
a line that stays silent, or refuses for ever, is given up within seconds.
"""

import os
import time
import types
from pathlib import Path
from typing import Any

import requests.adapters
from google.api_core.retry import retry_base, retry_unary
from prefect import Task
from prefect.context import refresh_global_settings_context

from flows import settings, tasks
from flows.etl import jobs, request, upload

PART_BYTES = 256 << 10  # the smallest that the protocol allows
QUICKER = 100  # how many times shorter waits are
STALL_AT_LEAST_S = 3.0  # a busy machine is not a silent line


def landing() -> None:
    """Read the scenarios' contract, and send small parts: a month is more than one."""
    settings.CONTRACTS = Path(os.environ["CHAOS_CONTRACTS"])
    upload.PART_BYTES = PART_BYTES
    refresh_global_settings_context()  # the address of Prefect's API is this scenario's


def elsewhere() -> None:
    """Follow the address of Prefect's API that the order gives, and not the runner's own."""
    refresh_global_settings_context()


def hurried() -> None:
    """As `landing`, with all waits shortened."""
    landing()
    quick: Any = types.SimpleNamespace(monotonic=_monotonic, sleep=_sleep)
    for module in (retry_unary, retry_base, upload, request):
        vars(module)["time"] = quick
    jobs.pause_before = lambda attempt: _sleep(min(2**attempt, 30))
    patient = requests.adapters.HTTPAdapter.send

    def send(self: Any, prepared: Any, stream: bool = False, timeout: Any = None, **more: Any) -> Any:
        return patient(self, prepared, stream=stream, timeout=_shorter(timeout), **more)

    requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign,assignment]
    for each in vars(tasks).values():
        if isinstance(each, Task) and each.retries:
            each.retry_delay_seconds = [0.1] * each.retries


def small_disk() -> None:
    """As `landing`, on a disk that is full after CHAOS_DISK_BYTES."""
    import resource  # noqa: PLC0415 - of this plant alone

    landing()
    limit = int(os.environ["CHAOS_DISK_BYTES"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def _monotonic() -> float:
    return time.monotonic() * QUICKER


def _sleep(seconds: float) -> None:
    time.sleep(seconds / QUICKER)


def _shorter(timeout: Any) -> Any:
    """Shorten a timeout; none at all stays none: then a silent line is waited for, for ever."""
    match timeout:
        case None:
            return None
        case (connect, read):
            return _shorter(connect), _shorter(read)
        case _:
            return max(float(timeout) / QUICKER, STALL_AT_LEAST_S)
