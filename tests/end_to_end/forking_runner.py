"""Runs flows in processes of their own, quickly: what they import is imported once, and each run is a fork.

A line of JSON on standard input starts a run: {"argv": [flow or file, arguments...], "env": {...}, "log": path,
"plant": "module:function" or null}. A line on standard output says {"started": pid}, later {"ended": pid, "code": n}.
"""

import atexit
import contextlib
import faulthandler
import importlib
import json
import os
import runpy
import select
import signal
import sys
import traceback
from typing import Any

import flows.gcs_to_bigquery
import flows.reconcile
import flows.recover
import flows.sweep
import flows.web_to_bigquery
import flows.web_to_gcs
import flows.web_to_postgres
from blocks.__main__ import register
from blocks.outputs import Outputs
from flows import by_hand
from flows.cli import main as cli

FLOWS: dict[str, Any] = {
    "web_to_bigquery": flows.web_to_bigquery.web_to_bigquery,
    "web_to_gcs": flows.web_to_gcs.web_to_gcs,
    "web_to_postgres": flows.web_to_postgres.web_to_postgres,
    "gcs_to_bigquery": flows.gcs_to_bigquery.gcs_to_bigquery,
    "recover": flows.recover.recover,
    "reconcile": flows.reconcile.reconcile,
    "sweep": flows.sweep.sweep,
}

# what a run imports only when it is under way, some 120 modules: here once, for all
LATE = (
    "anyio._backends._asyncio",
    "fastapi",
    "google.auth.compute_engine",
    "google.oauth2.credentials",
    "prefect.concurrency._sync",
    "prefect.task_engine",
    "prefect.utilities.visualization",
    "rich._emoji_codes",
)


def _be(order: dict[str, Any]) -> None:
    """Become the run: in a child, which never returns from here."""
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    faulthandler.register(signal.SIGUSR1, file=2)  # shows where a run is that hangs
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(order["env"])
    if order.get("plant"):
        module, _, function = order["plant"].partition(":")
        getattr(importlib.import_module(module), function)()
    name, *arguments = order["argv"]
    if name.endswith(".py"):
        sys.argv = order["argv"]
        runpy.run_path(name, run_name="__main__")
        sys.exit(0)
    if name == "register":
        sys.exit(register(Outputs(*arguments)))
    if name == "landfall":
        sys.argv = order["argv"]
        cli.main()
    by_hand.run(FLOWS[name], arguments)


def _say(**what: int) -> None:
    os.write(3, json.dumps(what).encode() + b"\n")


def _start(line: bytes) -> int:
    """Fork a run; gives its pid to the parent, and nothing to the child, which ends as the run ends."""
    if pid := os.fork():
        return pid
    code = 70  # whatever else happens, the child must not go on as the runner
    try:
        _be(json.loads(line))
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()  # as the interpreter does at the end of any other process, and ends with 1
        code = 1
        raise
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - as at the end of any process: Prefect sends its last logs then
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(children: set[int]) -> None:
    for child in list(children):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            children.discard(pid)
            _say(ended=pid, code=os.waitstatus_to_exitcode(status))


def main() -> None:
    """Serve until standard input ends, then take the runs along."""
    for name in LATE:
        importlib.import_module(name)
    os.dup2(1, 3)  # the answers' own stream: what imports print cannot get among them
    os.dup2(2, 1)
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    children: set[int] = set()
    _say(started=0)
    pending = b""
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
            _reap(children)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                children.add(pid := _start(line))
                _say(started=pid)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
