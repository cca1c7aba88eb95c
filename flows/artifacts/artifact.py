"""One artifact before it is sent, and what goes into one safely."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flows.etl.address import printable

Kind = Literal["table", "markdown", "image"]
Record = dict[str, str | int | float | None]

SHOWN = 500  # rows of a table: a page with more of them is slow, and Prefect reads them all to list them


@dataclass(frozen=True, slots=True)
class Artifact:
    """What Prefect shows under a key, with its history: each run's newest comes on top.

    `about` tells one run's artifacts apart: `rows`, `summary`, `chart`.
    """

    about: str
    kind: Kind
    data: str | list[Record]
    description: str


def key(environment: str, subject: str, about: str) -> str:
    """Name an artifact: lower case, digits and hyphens are all that Prefect takes.

    The environment is in it, for one server may serve several.
    """
    return re.sub(r"[^a-z0-9]+", "-", f"landfall-{environment}-{subject}-{about}".lower())


def table(records: Sequence[Record], description: str) -> Artifact:
    """Give a table with a row for each record, at most SHOWN of them: the last ones."""
    left_out = len(records) - SHOWN
    more = f"\n\nThe last {SHOWN} rows of {len(records)}." if left_out > 0 else ""
    return Artifact("rows", "table", [*records[-SHOWN:]], code_free(description) + more)


def literal(text: str) -> str:
    """Write a text that others may have made as code in Markdown: no markup, no link, one line."""
    flat = " ".join(printable(text.replace("\n", " ")).replace("`", "'").split()) or " "
    return f"`{flat}`".replace("|", "\\|")


def code_free(text: str) -> str:
    """Write one of our own lines as plain Markdown: an underscore is one, and an asterisk too."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)


def cells(values: Sequence[str]) -> str:
    """Write one row of a Markdown table."""
    return f"| {' | '.join(values)} |"
