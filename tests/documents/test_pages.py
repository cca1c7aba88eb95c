"""The command blocks that are marked as run are run: page by page, in their order, as a person would type them.

In a copy of this checkout with a local cloud of its own; only .venv is the same. What a page shows as a block's output
is held against what the block printed.
"""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.documents.blocks import BLOCKS, ROOT, Block

TUTORIAL = "docs/tutorial.md"  # first, as it begins with nothing
RUN = {page: list(blocks) for page, blocks in groupby((b for b in BLOCKS if b.kind == "run"), lambda block: block.page)}
ORDER = [TUTORIAL, *sorted(page for page in RUN if page != TUTORIAL)]
# what the page says that has been typed before it
BEFORE = 'make --silent up > /dev/null\neval "$(make -s env)"\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of what git knows, or would take up."""
    copy = tmp_path_factory.mktemp("documents") / "landfall"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    os.utime(copy / "requirements.lock", (0, 0))  # or make would install anew
    yield copy
    bash("make down", copy)


def bash(script: str, checkout: Path) -> str:
    """Run a script in the copy, and give what it printed, whatever it ended with."""
    kept = {
        name: value for name, value in os.environ.items() if not re.match("COVERAGE|PYTEST|LANDFALL|PREFECT|MAKE", name)
    }
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    printed = checkout.parent / "printed"
    with printed.open("wb") as file, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            ["bash", "-c", script],
            cwd=checkout,
            env={
                **kept,
                "HOME": str(home),
                "COLUMNS": "160",
                "PYTHONPATH": str(checkout),  # the installed package is the checkout that was copied
                **dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9"),  # no host but this one
                "no_proxy": "127.0.0.1,localhost",
            },
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=500,
            check=False,
        )
    return printed.read_text(encoding="utf-8")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", ORDER)
def test_a_pages_commands_do_what_it_says(page: str, checkout: Path) -> None:
    blocks = RUN[page]
    before = "" if page == TUTORIAL else BEFORE
    script = "".join(f"echo '@@@ {index}'\n{block.commands}" for index, block in enumerate(blocks))
    said = bash(f"set -e\n{before}{script}echo '@@@ end'\n", checkout)
    printed = re.split(r"^@@@ .*\n", said, flags=re.MULTILINE)
    reached = len(printed) - 2
    assert reached == len(blocks), f"{blocks[reached].where} failed:\n{said}"
    for block, output in zip(blocks, printed[1:], strict=False):
        assert missing(block, output) == [], f"{block.where} printed:\n{output}"


def missing(block: Block, printed: str) -> list[str]:
    """Give the lines that the page shows below a block and that were not printed, in this order.

    `...` stands for anything, and so does the time since something. How wide a gap is says nothing.
    """
    rest, absent = [" ".join(line.split()) for line in printed.splitlines()], []
    for line in block.output.splitlines():
        text = re.escape(" ".join(line.split())).replace(r"\.\.\.", ".*")
        shown = re.compile(re.sub(r"[\d.]+\\ s\\ ago", r"[\\d.]+ (s|min) ago", text))
        found = next((index for index, printed_line in enumerate(rest) if shown.fullmatch(printed_line)), None)
        if found is None:
            absent.append(line)
        else:
            rest = rest[found + 1 :]
    return absent
