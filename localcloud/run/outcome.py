"""What came of an execution so far, in its folder: written by its keeper alone, read by the API.

`cancel` and `deleted` in the same folder are what the API wants of the keeper.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localcloud.state import Identity, read_json, replace_json

# why an attempt ended
SUCCEEDED = "succeeded"
EXITED = "exited"
MEMORY = "memory"
TIMEOUT = "timeout"
CANCELLED = "cancelled"
NOT_FOUND = "no such program"
STOPPED = "stopped with the local cloud"
LOST = "lost"  # the keeper died


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of the container: why it ended, its exit code, and the most memory that it had."""

    reason: str
    exit_code: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """An execution so far; times in seconds since 1970. `reason` and `exit_code` are the last attempt's."""

    keeper: Identity
    started: float
    container: Identity | None = None
    ended: float | None = None
    attempts: int = 0
    reason: str = ""
    exit_code: int = 0
    peak_bytes: int = 0


def read_outcome(folder: Path) -> Outcome | None:
    """Return what the keeper has written, or None if it has not begun."""
    fields = read_json(folder / "outcome.json")
    return None if fields is None else _outcome(fields)


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Write it down; a folder that has been removed stays away."""
    if folder.is_dir():
        replace_json(folder / "outcome.json", asdict(outcome))


def cancel(folder: Path) -> None:
    """Ask the keeper to end the container."""
    (folder / "cancel").touch()


def cancelled(folder: Path) -> bool:
    """Say whether that was asked for."""
    return (folder / "cancel").exists()


def delete(folder: Path) -> None:
    """Let the execution be gone; the keeper removes the folder when the container has ended."""
    (folder / "deleted").touch()


def deleted(folder: Path) -> bool:
    """Say whether it is gone."""
    return (folder / "deleted").exists()


def _outcome(fields: dict[str, Any]) -> Outcome:
    container = fields["container"]
    return Outcome(
        **{
            **fields,
            "keeper": Identity(**fields["keeper"]),
            "container": Identity(**container) if container else None,
        }
    )
