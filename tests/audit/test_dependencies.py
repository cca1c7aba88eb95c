"""An audit that did not look is not a clean one; and what it looks at is locked to the byte."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.audit.dependencies import NotAudited, judge, locked

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
KNOWN: list[dict[str, Any]] = [{"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-2014-8"}]}]
CLEAN: list[dict[str, Any]] = [{"name": "A", "version": "1", "vulns": []}, {"name": "b", "version": "1", "vulns": []}]


def test_an_audit_that_looked_at_everything_and_found_nothing_is_clean() -> None:
    assert judge(CLEAN, {"a", "b"}, KNOWN) == {}


def test_a_vulnerability_is_told_by_package_and_number() -> None:
    found = [*CLEAN[:1], {"name": "b", "version": "1", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}]
    assert judge(found, {"a", "b"}, KNOWN) == {"b": ["CVE-1", "CVE-2"]}


@pytest.mark.parametrize(
    ("answer", "known", "why"),
    [
        ([], KNOWN, "found no answer for a, b, expected one for each of 2 packages"),
        (CLEAN[:1], KNOWN, "found no answer for b, expected"),
        ([*CLEAN[:1], {"name": "b", "skip_reason": "not found on PyPI"}], KNOWN, "found no answer for b, expected"),
        (CLEAN, [], "found no vulnerability in jinja2==2.4.1"),
        (CLEAN, [{"name": "jinja2", "skip_reason": "not found on PyPI"}], "found no vulnerability in jinja2==2.4.1"),
        (CLEAN, [{"name": "jinja2", "version": "2.4.1", "vulns": []}], "whoever answers does not know"),
    ],
)
def test_an_audit_that_did_not_look_at_everything_says_so(
    answer: list[dict[str, Any]], known: list[dict[str, Any]], why: str
) -> None:
    with pytest.raises(NotAudited) as refused:
        judge(answer, {"a", "b"}, known)
    assert why in str(refused.value)


def test_what_a_lock_pins_is_read_with_its_markers() -> None:
    text = 'A==1 \\\n    --hash=sha256:00\nb==2 ; sys_platform == "plan9" \\\n    --hash=sha256:00\n'
    assert locked(text) == {"a"}
    assert {"prefect", "urllib3", "pyarrow"} < locked((ROOT / "requirements.lock").read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=[path.name for path in LOCKS])
def test_a_lock_pins_every_package_by_version_and_hash_and_names_no_index(lock: Path) -> None:
    pinned, hashed = r"[a-z0-9][a-z0-9._-]*==[^ ;\\]+( ; [^\\\n]+)?", r"--hash=sha256:[0-9a-f]{64}"
    assert re.fullmatch(rf"({pinned}( \\\n    {hashed})+\n)+", lock.read_text())
