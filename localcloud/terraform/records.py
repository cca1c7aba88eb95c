"""The resources that the local cloud has no service for: kept in one file, so that a plan finds them again."""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.state import read_json, replace_json
from localcloud.terraform.values import Value


class Records:
    """What there is, by type and id; a second process waits for the first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, kind: str, identity: str) -> Value | None:
        """Return one, or None."""
        found: Value | None = (read_json(self._path) or {}).get(kind, {}).get(identity)
        return found

    def named(self, kind: str, name: str) -> bool:
        """Say whether there is one whose id is or ends with the name."""
        known = (read_json(self._path) or {}).get(kind, {})
        return any(identity == name or identity.endswith(f"/{name}") for identity in known)

    def serial(self) -> int:
        """Return the next number of a series that never repeats."""

        def next_number(kinds: dict[str, Any]) -> None:
            kinds["serial"] = kinds.get("serial", 0) + 1

        return int(self._change(next_number)["serial"])

    def put(self, kind: str, identity: str, value: Value) -> None:
        """Keep one."""
        self._change(lambda kinds: kinds.setdefault(kind, {}).update({identity: value}))

    def remove(self, kind: str, identity: str) -> None:
        """Forget one; it need not be there."""
        self._change(lambda kinds: kinds.get(kind, {}).pop(identity, None))

    def remove_below(self, kind: str, attribute: str, name: str) -> None:
        """Forget those of a kind whose attribute names a resource, by its last word."""

        def is_below(value: Value) -> bool:
            return isinstance(value[attribute], str) and value[attribute].rpartition("/")[2] == name

        def remove(kinds: dict[str, Any]) -> None:
            kinds[kind] = {key: each for key, each in kinds.get(kind, {}).items() if not is_below(each)}

        self._change(remove)

    def _change(self, change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        with self._locked():
            kinds = read_json(self._path) or {}
            change(kinds)
            replace_json(self._path, json.loads(json.dumps(kinds, sort_keys=True)))
            return kinds

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
