"""docs/local-cloud.md says what the cases and their outcomes say."""

import subprocess
import sys

import pytest

from tests.conformance.page import PAGE, Case, Outcomes, page
from tests.conformance.promises import Promise

EMPTY = "".join(
    f"<!-- {name}: generated -->\nold\n<!-- {name}: end -->\n"
    for name in ("summary", "storage cases", "bigquery cases", "clients cases", "methods")
)


def test_the_page_is_as_the_generator_writes_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance.page", "--print"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=PAGE.parents[1],
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == PAGE.read_text(), "stale: write it with `python -m tests.conformance.page`"


def test_a_case_is_a_row_with_its_words_and_how_it_ended_where() -> None:
    quoted = Promise("a | b *<c>", "https://cloud.google.com/storage/docs/x#y", quoted=True)
    ours = Promise("the client retries", "google/cloud/storage/batch.py", quoted=False)
    node = "tests/conformance/storage/test_x.py::test_one_is_one"
    cases = [
        Case("storage", node, (f"{node}[1]", f"{node}[2]"), (quoted, ours)),
        Case("storage", "t.py::test_two", ("t.py::test_two",), (quoted,)),
        Case("bigquery", "t.py::test_three", ("t.py::test_three",), (ours,)),
    ]
    local = Outcomes("local", "", {f"{node}[1]": "passed", f"{node}[2]": "passed", "t.py::test_two": "failed"})
    stock = Outcomes("gcp-storage-emulator", "1.2", {f"{node}[1]": "passed", f"{node}[2]": "hung"})
    none = Outcomes("bqemulator", "", {})

    text = page(EMPTY, cases, [local, stock, none], {"storage.objects.get": True, "storage.objects.move": False})

    first = (
        '| "a \\| b \\*&lt;c>"<br>the client retries | [one is one](../tests/conformance/storage/test_x.py) | yes '
        "| 1 of 2 | [x](https://cloud.google.com/storage/docs/x#y)<br>`batch.py` |"
    )
    assert first in text.splitlines()
    tallies = "| Storage | 3 | 2 passed, 1 failed | gcp-storage-emulator 1.2: 1 passed, 1 hung, 1 not run |"
    assert tallies in text.splitlines()
    assert " | [two](../t.py) | no | not run | " in text
    assert "- **Storage**, 1 of 2 methods: `objects` (get)." in text.splitlines()
    assert "  With 501: `objects` (move)." in text.splitlines()
    assert "old" not in text


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was written"):
        page("# A page", [], [Outcomes(name, "", {}) for name in ("local", "gcp-storage-emulator", "bqemulator")], {})
