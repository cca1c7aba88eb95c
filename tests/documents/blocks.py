"""The command blocks of the documents, and what the comment above each says about it.

`<!-- run -->`: a test executes it, in the page's order. `<!-- cloud-only -->`: it needs a real project.
`<!-- shown: why -->`: it needs a person, a second terminal or minutes. The last two are parsed.

python -m tests.documents.blocks      writes their numbers into docs/index.md; a test compares
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

ROOT = Path(__file__).parents[2]
HOME = ROOT / "docs" / "index.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {"docs/runbook.md"}  # tests/test_runbook.py runs each block in the situation that it is about

Kind = Literal["run", "cloud-only", "shown"]

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>sh|bash|shell|console)\n(?P<text>.*?)^```$"
    r"(?:\n\n```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"(?P<kind>run|cloud-only|shown)(?:: (?P<why>.+))?")
_COUNTS = re.compile(r"^Of the \d+ .* documents.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One block: where it stands, its comment, its commands without prompts and output, and the output shown below."""

    page: str
    line: int
    mark: str | None
    commands: str
    output: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def kind(self) -> Kind | None:
        """What its comment makes of it; None if it has none that says."""
        found = _MARK.fullmatch(self.mark or "")
        if found is None or (found["kind"] == "shown") != (found["why"] is not None):
            return None
        return next(kind for kind in get_args(Kind) if kind == found["kind"])


def read(page: str, text: str) -> list[Block]:
    """Give a page's blocks, in its order."""
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start("text")),
            mark=found["mark"],
            commands=_typed(found["text"]) if found["language"] == "console" else found["text"],
            output=found["output"] or "",
        )
        for found in _FENCE.finditer(text)
    ]


def _typed(console: str) -> str:
    """Give what is typed: what follows a prompt, with the lines that a backslash continues."""
    typed: list[str] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            typed.append(line.removeprefix("$ "))
        elif typed and typed[-1].endswith("\\"):
            typed.append(line)
    return "\n".join(typed) + "\n"


BLOCKS = [
    block
    for page in PAGES
    if (name := str(page.relative_to(ROOT))) not in ELSEWHERE
    for block in read(name, page.read_text(encoding="utf-8"))
]


def counts() -> str:
    """Say how many there are of each kind."""
    of = Counter(block.kind for block in BLOCKS)
    return (
        f"Of the {len(BLOCKS)} command blocks in these documents a test runs {of['run']} as they stand;"
        f" {of['cloud-only']} need Google Cloud and {of['shown']} a person or minutes: their commands are parsed."
    )


def with_counts(home: str) -> str:
    """Give the home page with the numbers of now."""
    text, places = _COUNTS.subn(counts(), home)
    assert places == 1, f"{HOME}: found {places} lines that count the blocks, expected one"
    return text


if __name__ == "__main__":
    HOME.write_text(with_counts(HOME.read_text(encoding="utf-8")), encoding="utf-8")
