"""MkDocs' hook: a link to a file of the repository that is no page leads to that file in the repository."""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")

log = logging.getLogger("mkdocs.hooks.links")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Rewrite the links of a page; one that leads to no file is a warning, which fails a strict build."""
    docs = Path(config["docs_dir"])
    here = posixpath.dirname(page.file.src_uri)

    def lead(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, found[1]))
        if files.get_file_from_path(target):
            return found[0]
        file = (docs / target).resolve()
        if not file.exists() or not file.is_relative_to(ROOT):
            log.warning("%s links to %s, which is not there", page.file.src_uri, found[1])
        kind = "tree" if file.is_dir() else "blob"
        return f"{config['repo_url']}/{kind}/main/{file.relative_to(ROOT)}{found[2] or ''}"

    return LINK.sub(lead, markdown)
