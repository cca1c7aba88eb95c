"""Commands as a user types them, each with a log of its own, and ended with all that they started."""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcloud import groups
from localcloud.signals import handled_by
from rehearsal.frame import StepFailed

TIMEOUT_S = 300.0
GRACE_S = 20.0
_POLL_S = 0.1

# What would lead a command elsewhere than to the rehearsal's own cloud, or change what it does.
_FOREIGN = ("CLOUDSDK_", "GCE_", "GOOGLE_", "LANDFALL_", "MAKE", "MFLAGS", "PREFECT_", "TF_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def surroundings(base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which nothing of the user's matters, and in which HTTP ends on this machine."""
    kept = {name: value for name, value in base.items() if not name.startswith(_FOREIGN)}
    local = "127.0.0.1,localhost"
    return kept | dict.fromkeys(_PROXIES, "http://127.0.0.1:1") | {"NO_PROXY": local, "no_proxy": local}


@dataclass(frozen=True, slots=True)
class Shell:
    """Where commands run, with which environment, and the folder of their logs."""

    folder: Path
    environment: Mapping[str, str]
    logs: Path

    def run(self, log: str, command: Sequence[str], timeout_s: float = TIMEOUT_S, **more: str) -> str:
        """Run a command to its end and return what it said.

        Raises:
            StepFailed: it ended with an error, or did not end in time; it is gone with all of its group.
        """
        with self.started(log, command, **more) as child:
            deadline = time.monotonic() + timeout_s
            while (code := child.poll()) is None:
                if time.monotonic() > deadline:
                    raise StepFailed(f"`{_shown(command)}` did not end within {timeout_s:.0f} s", self.log(log))
                time.sleep(_POLL_S)
        if code:
            raise StepFailed(f"`{_shown(command)}` ended with {code}", self.log(log))
        return self.log(log).read_text(errors="replace")

    @contextmanager
    def started(self, log: str, command: Sequence[str], **more: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Have a command running in a session of its own, and end what is left of it at the end of the `with`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log(log).open("wb") as output:
            child = subprocess.Popen(
                list(command),
                cwd=self.folder,
                env={**self.environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield child
        finally:
            with handled_by(signal.SIG_IGN):
                groups.signal_group(child.pid, signal.SIGTERM)
                _reap(child)
                groups.end_group(child.pid, GRACE_S)

    def log(self, name: str) -> Path:
        """Name a command's log."""
        return self.logs / f"{name}.log"


def _reap(child: "subprocess.Popen[bytes]") -> None:
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        groups.signal_group(child.pid, signal.SIGKILL)
        child.wait()


def _shown(command: Sequence[str]) -> str:
    return " ".join(command)
