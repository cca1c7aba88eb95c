"""The documentation site builds strictly, without the network, and what would mislead a reader fails the build."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OTHERS = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//[^\"]*\"[^>]*>")


def build(config: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """Build a site strictly; no request could leave, as the proxy that it would take is not there."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", config, "--site-dir", into],
        env={**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_site_builds_strictly_and_its_pages_load_nothing_from_another_host(tmp_path: Path) -> None:
    built = build(ROOT / "mkdocs.yml", tmp_path)
    assert built.returncode == 0, built.stderr
    pages = {page.relative_to(tmp_path): page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.html")}
    assert len(pages) > len(list((ROOT / "docs").glob("*.md")))
    loaded = {
        str(page): found for page, text in pages.items() for found in OTHERS.findall(text) if "canonical" not in found
    }
    assert loaded == {}
    assert [
        page for page, text in pages.items() if 'data-md-component="source"' in text
    ] == []  # which asks GitHub's API


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A site of two pages with the real settings."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[0]
    (tmp_path / "mkdocs.yml").write_text(f"{settings}\nnav: [index.md, other.md]\n", encoding="utf-8")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "site").symlink_to(ROOT / "docs" / "site")
    (docs / "index.md").write_text("# Home\n\n[There](other.md#a-heading)\n", encoding="utf-8")
    (docs / "other.md").write_text("# Other\n\n## A heading\n", encoding="utf-8")
    return tmp_path


def test_each_place_that_leads_a_reader_nowhere_fails_the_build(small: Path) -> None:
    page = small / "docs" / "index.md"
    page.write_text(
        page.read_text(encoding="utf-8").replace("#a-heading", "#a-headline") + "[x](another.md#y) ![x](gone.png)\n",
        encoding="utf-8",
    )
    settings = small / "mkdocs.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("other.md]", "gone.md]"), encoding="utf-8")
    built = build(settings, small / "out")
    said = re.sub(r"\x1b\[\d+m", "", built.stderr)
    assert built.returncode == 1
    for complaint in (
        "does not contain an anchor '#a-headline'",
        "index.md links to another.md, which is not there",
        "index.md links to gone.png, which is not there",
        'not included in the "nav" configuration:\n  - other.md',
        "A reference to 'gone.md' is included in the 'nav'",
    ):
        assert complaint in said


def test_a_site_without_such_mistakes_is_built(small: Path) -> None:
    built = build(small / "mkdocs.yml", small / "out")
    assert built.returncode == 0, built.stderr
    assert 'href="other.html#a-heading"' in (small / "out" / "index.html").read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_link_of_the_readme_leads_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith("https://")]
    assert len(links) > 20
    for link in links:
        path, _, anchor = link.partition("#")
        target = ROOT / path if path else ROOT / "README.md"
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link
