"""The process that keeps one execution's container: `python -m localcloud.run.keeper`, started by the API.

It is a process of its own so that an execution goes on while the API is restarted, as on Cloud Run. What it is to do
comes as JSON on its standard input, because secrets are in it; what comes of it is in the execution's folder.
"""

import json
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from localcloud.run.container import Command, Container, NotStarted, adopt_orphans
from localcloud.run.memory import Meter
from localcloud.run.order import Order
from localcloud.run.outcome import (
    CANCELLED,
    EXITED,
    MEMORY,
    NOT_FOUND,
    STOPPED,
    SUCCEEDED,
    TIMEOUT,
    Attempt,
    Outcome,
    cancelled,
    deleted,
    write_outcome,
)
from localcloud.state import Identity, Record, State

STOP_GRACE_S = 5.0  # when the local cloud stops: less than it gives its own processes
_LOOK_S = 0.025  # how often memory is measured
_MEBIBYTE = 1 << 20


class _Stop:
    """Whether the local cloud wants the end."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True


def main() -> None:
    """Run the ordered container to its end, and write down what came of it."""
    order = Order(**json.load(sys.stdin))
    stop = _Stop()
    adopt_orphans()
    state, me = State(Path(order.data)), Identity.of(os.getpid())
    record = Record(f"execution-{order.execution}", me, {}, None)
    state.write(record)
    outcome = Outcome(keeper=me, started=time.time())
    try:
        write_outcome(Path(order.folder), outcome)
        outcome = _attempts(order, outcome, state, stop)
    finally:
        write_outcome(Path(order.folder), replace(outcome, ended=time.time(), container=None))
        state.forget(record)
        if deleted(Path(order.folder)):
            shutil.rmtree(order.folder, ignore_errors=True)


def _attempts(order: Order, outcome: Outcome, state: State, stop: _Stop) -> Outcome:
    """Try until one attempt succeeds, none is left, or somebody wants the end."""
    for number in range(order.attempts):
        attempt, outcome = _attempt(order, number, outcome, state, stop)
        outcome = replace(
            outcome,
            attempts=number + 1,
            reason=attempt.reason,
            exit_code=attempt.exit_code,
            peak_bytes=max(outcome.peak_bytes, attempt.peak_bytes),
        )
        if attempt.reason in {SUCCEEDED, CANCELLED, STOPPED, NOT_FOUND}:
            break
    return outcome


def _attempt(order: Order, number: int, outcome: Outcome, state: State, stop: _Stop) -> tuple[Attempt, Outcome]:
    scratch = Path(order.folder) / "files"
    for folder in ("home", "tmp"):
        (scratch / folder).mkdir(parents=True, exist_ok=True)
    environment = {
        **order.environment,
        "CLOUD_RUN_TASK_ATTEMPT": str(number),
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
    }
    began = time.monotonic()
    try:
        container = Container(Command(order.arguments, Path(order.working_folder), environment, Path(order.log)))
    except NotStarted as error:
        _say(order, f"attempt {number}: {error}")
        return Attempt(NOT_FOUND, 127, 0), outcome
    record = Record(f"container-{order.execution}", Identity.of(container.pid), {}, None)
    state.write(record)
    outcome = replace(outcome, container=record.identity)
    write_outcome(Path(order.folder), outcome)
    container.go()
    try:
        attempt = _watch(order, container, scratch, stop)
    finally:
        container.kill()  # a container ends with its first process
        state.forget(record)
        shutil.rmtree(scratch, ignore_errors=True)
    _say(
        order,
        f"attempt {number}: {attempt.reason}; exit code {attempt.exit_code}; peak memory "
        f"{attempt.peak_bytes / _MEBIBYTE:.1f} of {order.memory_bytes / _MEBIBYTE:.1f} MiB; "
        f"{time.monotonic() - began:.1f} s",
    )
    return attempt, outcome


def _watch(order: Order, container: Container, scratch: Path, stop: _Stop) -> Attempt:
    """Wait for the container's end, and bring it about where it must be."""
    deadline, kill_at = time.monotonic() + order.timeout_s, None
    meter, peak, reason = Meter(scratch), 0, ""
    while (code := container.exit_code()) is None:
        now = time.monotonic()
        used = meter.used_bytes(container.processes())
        peak = max(peak, used)
        if used > order.memory_bytes:
            container.kill()
            return Attempt(MEMORY, container.exit_code() or 0, peak)
        if not reason:
            reason = _wanted_end(order, now > deadline, stop)
            if reason:
                container.terminate()
                kill_at = now + min(order.grace_s, STOP_GRACE_S if reason == STOPPED else order.grace_s)
        if kill_at is not None and now > kill_at:
            container.kill()
        time.sleep(_LOOK_S)
    return Attempt(reason or (EXITED if code else SUCCEEDED), code, peak)


def _wanted_end(order: Order, late: bool, stop: _Stop) -> str:  # one of three reasons
    folder = Path(order.folder)
    if cancelled(folder) or not folder.is_dir():  # somebody may have removed the data folder
        return CANCELLED
    if stop.asked:
        return STOPPED
    return TIMEOUT if late else ""


def _say(order: Order, line: str) -> None:
    with Path(order.log).open("a") as log:
        log.write(f"localcloud: {line}\n")


if __name__ == "__main__":
    main()
