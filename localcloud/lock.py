"""One command at a time starts and stops things in a data folder."""

import fcntl
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from localcloud.state import Identity, LocalCloudError, read_json, replace_json

WAIT_S = 120.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who has the lock, for those who want it; `long` when it will not give it back soon."""

    identity: Identity
    doing: str
    long: bool


class Lock:
    """The lock of one data folder, held between `with` and its end, or until `release`.

    The system takes it from a holder that dies, however that comes about, and no child process inherits it.

    Args:
        folder: where the lock file is kept; made if it is absent.
        doing: what the holder does, for the message to others.
        wait_s: how long to wait for a holder that will soon be done.

    Raises:
        LocalCloudError: the folder cannot be made.
    """

    def __init__(self, folder: Path, doing: str, wait_s: float = WAIT_S) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LocalCloudError(
                f"{folder.parent}: cannot be written to ({error.strerror}), expected a folder or a place for one; "
                "name another with --data; nothing was started or stopped"
            ) from error
        self._folder = folder
        self._holder = folder / "holder"
        self._doing = doing
        self._wait_s = wait_s
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Wait for the lock and take it.

        Raises:
            LocalCloudError: its holder keeps it for long, or did not give it back in time.
        """
        self._descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait(self._descriptor)
        except BaseException:
            self.release()
            raise
        self._write_holder(long=False)
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    def keep(self) -> None:
        """Tell others not to wait."""
        self._write_holder(long=True)

    def release(self) -> None:
        """Give the lock back; nothing happens if that was done before."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _wait(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._wait_s
        while not _locked(descriptor):
            holder = self._read_holder()
            if time.monotonic() > deadline or (holder is not None and holder.long):
                raise LocalCloudError(self._refusal(holder))
            time.sleep(_POLL_S)

    def _write_holder(self, *, long: bool) -> None:
        replace_json(self._holder, asdict(_Holder(Identity.of(os.getpid()), self._doing, long)))

    def _read_holder(self) -> _Holder | None:
        fields = read_json(self._holder)
        if fields is None:
            return None
        holder = _Holder(Identity(**fields["identity"]), fields["doing"], fields["long"])
        # a dead one's word: the living holder has not yet written its own
        return holder if holder.identity.process() else None

    def _refusal(self, holder: _Holder | None) -> str:
        who = f"`{holder.doing}` (pid {holder.identity.pid})" if holder else "another command"
        return (
            f"{self._folder.parent}: in use by {who}; wait for its end, or take another folder with --data; "
            "nothing was started or stopped"
        )


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
