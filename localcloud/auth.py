"""The Prefect server's auth string: one for each data folder, random, readable by its owner alone."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

USER = "local"
_RANDOM_BYTES = 24


def auth_file(data: Path) -> Path:
    """Name the file that keeps it."""
    return data / "prefect" / "auth-string"


def auth_string(data: Path) -> str:
    """Return what a client of the data folder's Prefect server says, `user:password`; it is made at the first asking.

    The file is there whole or not at all, with mode 0600, and of two processes that make it at once both return the
    same.
    """
    file = auth_file(data)
    with suppress(FileNotFoundError):
        return file.read_text().strip()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # Prefect's database beside it holds blocks' secrets
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as text:
        text.write(f"{USER}:{secrets.token_urlsafe(_RANDOM_BYTES)}\n")
    with suppress(FileExistsError):  # made by another since
        os.link(draft, file)
    draft.unlink()
    return file.read_text().strip()
