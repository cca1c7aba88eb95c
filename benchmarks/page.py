"""The page docs/performance.md: a section for each part, which that part alone writes anew."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
# modules of this package, in the page's order: each can be run, measures, and puts its own section here
PARTS = ("conversion", "landing")
TOP = """# Performance

<!-- Written by `make bench`: run it again instead of editing. -->

What Landfall costs, measured beside what one would take instead. `make bench` measures everything anew and writes this
page; `make bench OPTIONS="--only conversion --quick"` shows one part, from fewer runs, and writes nothing. Each
section says when and on what machine it was measured.
"""


def put(part: str, section: str, page: Path = PAGE) -> None:
    """Write a part's section, in Markdown from its heading on; the others stay as they are."""
    written = page.read_text(encoding="utf-8") if page.exists() else ""
    sections = {name: found for name in PARTS if (found := _section(written, name))}
    sections[part] = section.strip()
    marked = [f"{_begin(name)}\n\n{sections[name]}\n\n{_end(name)}\n" for name in PARTS if name in sections]
    page.write_text("\n".join([TOP, *marked]), encoding="utf-8")


def _section(written: str, part: str) -> str:
    found = re.search(f"{re.escape(_begin(part))}(.*?){re.escape(_end(part))}", written, re.DOTALL)
    return found[1].strip() if found else ""


def _begin(part: str) -> str:
    return f"<!-- {part}: by benchmarks/{part}.py -->"


def _end(part: str) -> str:
    return f"<!-- end of {part} -->"
