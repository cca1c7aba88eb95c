"""A change that a plan found, and what it needs when it is made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from blocks.server import Server

Action = Literal["create", "update", "keep", "remove"]


@dataclass(slots=True)
class Known:
    """The server, and the ids of blocks by name: those that are made are added, for those that refer to them."""

    server: Server
    blocks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of Prefect's, what is to be done to it, and why."""

    action: Action
    name: str
    kind: str
    differences: list[str]
    make: Callable[[Known], None]
