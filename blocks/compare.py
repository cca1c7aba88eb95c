"""What differs between what is there and what should be, without showing a secret."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

_HIDDEN = "(a secret)"


@dataclass(frozen=True, slots=True)
class Reference:
    """Another block, by name: no secret, whatever that block holds."""

    name: str

    def __repr__(self) -> str:
        return f"the block {self.name}"


def differences(found: Any, wanted: Any, secrets: Collection[str] = (), path: str = "") -> list[str]:
    """List the values that differ, each as `path: found -> wanted`.

    Args:
        found: what is there.
        wanted: what should be there.
        secrets: paths whose values, and all below them, are not shown; `info.*` says the same as `info`.
        path: where the two are.
    """
    if found == wanted:
        return []
    if isinstance(found, dict) and isinstance(wanted, dict):
        return [
            line
            for name in sorted({*found, *wanted})
            for line in differences(found.get(name), wanted.get(name), secrets, f"{path}.{name}" if path else name)
        ]
    if any(_overlap(path, secret.removesuffix(".*")) for secret in secrets):
        return [f"{path}: {_hide(found)} -> {_hide(wanted)}"]
    return [f"{path}: {found!r} -> {wanted!r}"]


def _overlap(path: str, secret: str) -> bool:
    """Tell whether one of the two is, or is within, the other."""
    return f"{path}.".startswith(f"{secret}.") or f"{secret}.".startswith(f"{path}.")


def _hide(value: Any) -> str:
    return repr(value) if value is None or isinstance(value, Reference) else _HIDDEN
