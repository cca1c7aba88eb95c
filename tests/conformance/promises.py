"""What a case holds: a sentence of Google's, or a line of Google's client that relies on something.

Sources, each to be opened without a search engine:
- `https://...`: a page of Google's documentation, and the words are quoted from it;
- a file of an installed package, `googleapiclient/discovery_cache/documents/storage.v1.json`: the words are in it,
  and `test_promises.py` looks.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import google.cloud.bigquery
import google.cloud.storage
import googleapiclient
import pytest

STORAGE_API = "googleapiclient/discovery_cache/documents/storage.v1.json"
BIGQUERY_API = "googleapiclient/discovery_cache/documents/bigquery.v2.json"

_PACKAGES = {
    "googleapiclient": Path(googleapiclient.__file__).parents[1],
    "google": Path(google.cloud.storage.__file__).parents[3],
}


@dataclass(frozen=True, slots=True)
class Promise:
    """One case's reason: words and where they stand; `quoted` is False where the words are ours."""

    words: str
    source: str
    quoted: bool


def promise(words: str, source: str) -> pytest.MarkDecorator:
    """Mark a case with Google's own words, quoted exactly, and the page's address or an installed file."""
    return pytest.mark.promise(Promise(words, source, quoted=True))


def relied_on(what: str, source: str) -> pytest.MarkDecorator:
    """Mark a case for which no sentence exists with what Google's client, in this installed file, relies on."""
    return pytest.mark.promise(Promise(what, source, quoted=False))


def held_by(item: pytest.Item) -> list[Promise]:
    """Return a case's promises, those of its own before those of its module.

    Raises:
        pytest.UsageError: it has none, or one that names no source that can be opened.
    """
    found = [argument for mark in item.iter_markers("promise") for argument in mark.args]
    if not found:
        raise pytest.UsageError(f"{item.nodeid}: no promise, expected @promise(words, source); nothing was run")
    for each in found:
        if not isinstance(each, Promise) or not each.words.strip() or not openable(each.source):
            raise pytest.UsageError(
                f"{item.nodeid}: {each!r}, expected words and an https address or a file of an installed package; "
                "nothing was run"
            )
    return found


def openable(source: str) -> bool:
    """Say whether a reader of this can look the source up."""
    return source.startswith("https://") or installed(source).is_file()


def installed(source: str) -> Path:
    """Return where a package's file lies."""
    return _PACKAGES.get(source.partition("/")[0], Path("nowhere")) / source


def stands_in(words: str, source: str) -> bool:
    """Say whether the installed file holds the words; white space and JSON's escapes do not count."""
    return " ".join(words.split()) in _text(installed(source))


@cache
def _text(path: Path) -> str:
    text = path.read_text()
    if path.suffix == ".json":
        text = json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"').replace("\\n", " ")
    return " ".join(text.split())
