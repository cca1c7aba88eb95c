"""What is wrong with a declaration, or with what it needs."""

from typing import Any


class DeclarationError(Exception):
    """A deployment cannot be registered as it is declared; nothing was written."""


def expect(holds: object, message: str) -> None:
    """Refuse a declaration unless this holds.

    Raises:
        DeclarationError: it does not.
    """
    if not holds:
        raise DeclarationError(f"{message}; nothing was written")


def expect_keys(raw: Any, known: set[str], where: str) -> None:
    """Refuse what is no mapping, or has a key that Prefect would ignore.

    Raises:
        DeclarationError: so it is.
    """
    expect(isinstance(raw, dict), f"{where}: found {raw!r}, expected a mapping")
    unknown = sorted(str(key) for key in raw if key not in known)
    expect(not unknown, f"{where}: found the key {', '.join(unknown)}, expected one of {', '.join(sorted(known))}")
