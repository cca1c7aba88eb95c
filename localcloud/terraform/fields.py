"""How a resource's attributes and the fields of Google's REST APIs say the same.

Reading back compares in the API's terms and leaves an attribute as it was where nothing has changed: Terraform has
several spellings of one setting (null, false, an empty block), and a plan would show each of them as a change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.terraform.rest import Refused
from localcloud.terraform.values import UNKNOWN, Value

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute or block, and where the API keeps it; the two functions return None for what is not set."""

    name: str
    path: tuple[str, ...]
    to_api: Callable[[Any], Any] = lambda value: value
    from_api: Callable[[Any], Any] = lambda value: value


def plain(name: str, *path: str) -> Field:
    """Say that both have the same value."""
    return Field(name, path)


def number(name: str, *path: str) -> Field:
    """Say that the API writes the number as a string."""
    return Field(
        name,
        path,
        lambda value: None if value is None else str(int(value)),
        lambda value: None if value is None else int(value),
    )


def body(fields: tuple[Field, ...], value: Value, before: Value | None = None) -> Body:
    """Return what to send: what is set, or with `before` what has changed, null where it no longer is set."""
    sent: Body = {}
    for field in fields:
        new = _api(field, value)
        old = None if before is None else _api(field, before)
        if new == old:
            continue
        *outer, last = field.path
        place = sent
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = False if new is None and old is True else new  # a switch is turned off, not removed
    return sent


def read(fields: tuple[Field, ...], value: Value, found: Body) -> Value:
    """Return the value with what the API says now."""
    made = dict(value)
    for field in fields:
        now: Any = found
        for key in field.path:
            now = (now or {}).get(key)
        if _api(field, value) != (now or None):
            made[field.name] = field.from_api(now)
    return made


def refuse_others(kind: str, value: Value, known: frozenset[str], inert: Mapping[str, Any]) -> None:
    """Refuse what is set and would be dropped in silence.

    Raises:
        Refused: nothing was sent.
    """
    for name, given in value.items():
        if name not in known and given and given not in (UNKNOWN, inert.get(name)):
            raise Refused(
                f"{kind}: the stand-in does not send {name}",
                f"It is set to {given!r}. Leave it out on the local cloud; nothing was made or changed.",
            )


def _api(field: Field, value: Value) -> Any:
    given = value.get(field.name)
    return (field.to_api(None if given is UNKNOWN else given)) or None
