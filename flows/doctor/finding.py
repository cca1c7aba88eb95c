"""What a check says: a verdict, what it found, and what to do."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found. `what_to_do` is empty where nothing is to be done; neither holds a secret."""

    verdict: Verdict
    found: str
    what_to_do: str = ""


def ok(found: str) -> Finding:
    """Say that it is as it should be."""
    return Finding("ok", found)


def warning(found: str, what_to_do: str) -> Finding:
    """Say that runs work, and that something will cost, surprise or end."""
    return Finding("warning", found, what_to_do)


def problem(found: str, what_to_do: str) -> Finding:
    """Say that runs fail, or will."""
    return Finding("problem", found, what_to_do)


def skipped(why: str, what_to_do: str = "") -> Finding:
    """Say that it could not be looked at, or need not."""
    return Finding("skipped", why, what_to_do)
