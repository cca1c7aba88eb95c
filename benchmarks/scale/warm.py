"""Containers that need not import anything: what a Cloud Run job runs is a fork of one process that has imported it.

    python -m benchmarks.scale.warm SOCKET

serves them. `command` writes a program named `prefect` for an image: the local Cloud Run starts that in place of
Prefect's own, as the container's process; it hands over the container's environment and log, and ends with the fork's
exit code. The fork is `python -m prefect.engine`, which is what `prefect flow-run execute` starts for the flow.

So two processes of Prefect's are left out of each container, which prepare its folder and listen for its cancellation.
"""

import array
import atexit
import contextlib
import importlib
import json
import os
import runpy
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

# what a run imports, also when it is under way
MODULES = ("flows.web_to_bigquery", "prefect._internal.metrics", "prefect.flow_engine", "prefect.task_engine",
           "prefect.concurrency._sync", "anyio._backends._asyncio", "google.auth.compute_engine")  # fmt: skip

# in its own words, and without what site-packages would cost
PROGRAM = """#!{python} -ISE
import array, json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({socket!r})
order = json.dumps([os.getcwd(), sys.argv, dict(os.environ)]).encode()
line.sendmsg([len(order).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1, 2]))])
line.sendall(order)
code = line.recv(1)
sys.exit(code[0] if code else 1)
"""


def command(folder: Path, address: Path) -> None:
    """Write the program `prefect` into a folder of an image's PATH."""
    folder.mkdir(parents=True)
    program = folder / "prefect"
    program.write_text(PROGRAM.format(python=sys.executable, socket=str(address)))
    program.chmod(0o755)


def serve(address: str) -> NoReturn:
    """Import what runs need, and fork one for each that asks."""
    for name in MODULES:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("serving", flush=True)
        while True:
            line, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _be(line)
            line.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _be(line: socket.socket) -> NoReturn:
    """Be a container's process until its end."""
    code = 1
    try:
        descriptors = array.array("i")
        length, ancillary, *_ = line.recvmsg(4, socket.CMSG_LEN(2 * descriptors.itemsize))
        descriptors.frombytes(ancillary[0][2])
        for number, descriptor in enumerate(descriptors, 1):
            os.dup2(descriptor, number)
        folder, _arguments, environment = json.loads(_read(line, int.from_bytes(length, "big")))
        threading.Thread(target=_end_with, args=(line,), daemon=True).start()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["prefect.engine", environment["PREFECT__FLOW_RUN_ID"]]
        runpy.run_module("prefect.engine", run_name="__main__")
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the fork must not go on as the server
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - as at the end of any process: Prefect sends its last logs then
        sys.stdout.flush()
        sys.stderr.flush()
        with contextlib.suppress(OSError):  # the container has been ended
            line.sendall(bytes([code]))
        os._exit(code)


def _read(line: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        found += line.recv(length - len(found))
    return found


def _end_with(line: socket.socket) -> None:
    """End when the container is ended."""
    if not line.recv(1):
        os._exit(137)


if __name__ == "__main__":
    serve(sys.argv[1])
