"""Writes what the cases and their outcomes say into docs/local-cloud.md, between its markers; the prose stays.

python -m tests.conformance.page            writes the page
python -m tests.conformance.page --print    prints it; a test compares
"""

import contextlib
import io
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import targets
from tests.conformance.calls import Http
from tests.conformance.promises import BIGQUERY_API, STORAGE_API, Promise, held_by, installed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "local-cloud.md"
OUTCOMES = Path(__file__).parent / "outcomes"
# by the folder of its cases: a section's name, and the stock emulators that are held beside ours
SECTIONS = {
    "storage": ("Storage", ("gcp-storage-emulator",)),
    "bigquery": ("BigQuery", ("bqemulator",)),
    "clients": ("Clients that nobody here wrote", targets.STOCK),
}
APIS = {"Storage": STORAGE_API, "BigQuery": BIGQUERY_API}
_NOT_IMPLEMENTED = 501


@dataclass(frozen=True, slots=True)
class Case:
    """One test function with its parameters' node ids, and why it is there."""

    section: str
    name: str
    nodes: tuple[str, ...]
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How the cases ended on a target; empty until somebody recorded them. A skipped case has no outcome."""

    target: str
    version: str
    by_node: Mapping[str, str]


def main(arguments: Sequence[str]) -> None:
    """Write the page, or print it."""
    text = page(PAGE.read_text(), collected(), [recorded(name) for name in ("local", *targets.STOCK)], answered())
    if "--print" in arguments:
        sys.stdout.write(text)
    else:
        PAGE.write_text(text)


def page(text: str, cases: Sequence[Case], outcomes: Sequence[Outcomes], methods: Mapping[str, bool]) -> str:
    """Return the page with its generated parts made anew.

    Args:
        text: the page as it is.
        cases: of all sections.
        outcomes: of the local cloud and of each stock emulator.
        methods: every method of both APIs, and whether it is implemented here.
    """
    by_target = {each.target: each for each in outcomes}
    parts = {"summary": _summary(cases, by_target), "methods": _methods(methods)}
    for section, (_, stock) in SECTIONS.items():
        chosen = [case for case in cases if case.section == section]
        parts[f"{section} cases"] = _table(chosen, by_target["local"], [by_target[name] for name in stock])
    for name, lines in parts.items():
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{PAGE.name}: no {begin.strip()!r} with its end, expected both; nothing was written")
        text = f"{before}{begin}\n" + "\n".join(lines) + f"\n\n{end}{after}"
    return text


def collected() -> list[Case]:
    """Ask pytest for the cases, in their order."""
    collector = _Collector()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main(["--collect-only", "-q", "-p", "no:xdist", str(Path(__file__).parent)], plugins=[collector])
    if code:
        raise RuntimeError(said.getvalue())
    return [_case(list(items)) for _, items in groupby(collector.items, key=lambda item: item.nodeid.partition("[")[0])]


def recorded(target: str) -> Outcomes:
    """Read what `--record` wrote."""
    path = OUTCOMES / f"{target}.json"
    if not path.exists():
        return Outcomes(target, "", {})
    found = json.loads(path.read_text())
    return Outcomes(target, found["version"], found["outcomes"])


def answered() -> dict[str, bool]:
    """Ask a local cloud for every method of the discovery documents: whether it is implemented at one of its paths."""
    with tempfile.TemporaryDirectory() as folder, targets.local(Path(folder) / "cloud") as target:
        http = Http(target)
        try:
            return {
                name: any(_answered(http, verb, path) for path in paths)
                for api in APIS.values()
                for name, verb, paths in methods_of(api)
            }
        finally:
            http.close()


def methods_of(api: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each method of a discovery document: its name, its verb, and its paths with names filled in."""
    document = json.loads(installed(api).read_text())
    for method in _walk(document):
        paths = [f"/{document['servicePath']}{method.get('flatPath', method['path'])}"]
        if upload := method.get("mediaUpload"):
            paths.append(upload["protocols"]["simple"]["path"])
        yield method["id"], method["httpMethod"], [re.sub(r"\{[^}]+\}", "x", path) for path in paths]


class _Collector:
    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = [item for item in session.items if item.path.parent.name in SECTIONS]


def _walk(resource: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _walk(inner)


def _answered(http: Http, verb: str, path: str) -> bool:
    """Say whether the method is known; a 501 that does not name the path refuses a field of one that is."""
    answer = http.send(verb, path, {} if verb in {"POST", "PUT", "PATCH"} else None)
    return answer.status != _NOT_IMPLEMENTED or f"{verb} {path}" not in answer.data.decode()


def _case(items: Sequence[pytest.Item]) -> Case:
    first = items[0]
    nodes = tuple(item.nodeid for item in items)
    promises = tuple(dict.fromkeys(promise for item in items for promise in held_by(item)))
    return Case(first.path.parent.name, nodes[0].partition("[")[0], nodes, promises)


def _summary(cases: Sequence[Case], outcomes: Mapping[str, Outcomes]) -> list[str]:
    lines = ["| | cases | local cloud | stock emulator |", "|---|---:|---:|---|"]
    for section, (title, names) in SECTIONS.items():
        nodes = [node for case in cases if case.section == section for node in case.nodes]
        stock = [f"{f'{name} {outcomes[name].version}'.strip()}: {_tally(nodes, outcomes[name])}" for name in names]
        lines.append(f"| {title} | {len(nodes)} | {_tally(nodes, outcomes['local'])} | {'<br>'.join(stock)} |")
    return lines


def _tally(nodes: Sequence[str], outcomes: Outcomes) -> str:
    ends = Counter(outcomes.by_node.get(node, "not run") for node in nodes)
    others = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()) if end != "passed")
    return f"{ends['passed']} passed" + (f", {others}" if others else "")


def _table(cases: Iterable[Case], local: Outcomes, stock: Sequence[Outcomes]) -> list[str]:
    heads = ("promise", "held by the case", "local", *(each.target for each in stock), "source")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for case in cases:
        words = "<br>".join(f'"{_plain(each.words)}"' if each.quoted else _plain(each.words) for each in case.promises)
        sources = "<br>".join(dict.fromkeys(_source(each.source) for each in case.promises))
        ends = (_outcome(case, each) for each in (local, *stock))
        cells = (words, _sentence(case.name), *ends, sources)
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return lines


def _outcome(case: Case, outcomes: Outcomes) -> str:
    ends = [outcomes.by_node[node] for node in case.nodes if node in outcomes.by_node]
    if not ends:
        return "not run"
    if len(set(ends)) == 1:
        return {"passed": "yes", "failed": "no", "hung": "hangs"}[ends[0]]
    return f"{ends.count('passed')} of {len(ends)}"


def _sentence(node: str) -> str:
    path, _, name = node.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"


def _source(source: str) -> str:
    if source.startswith("https://"):
        return f"[{source.removeprefix('https://').split('#')[0].rstrip('/').rpartition('/')[2]}]({source})"
    return f"`{source.rpartition('/')[2]}`"


def _plain(words: str) -> str:
    """Write words so that Markdown shows them as they are."""
    return re.sub(r"[*\[\]<]", lambda found: {"<": "&lt;"}.get(found[0], f"\\{found[0]}"), words)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _methods(methods: Mapping[str, bool]) -> list[str]:
    lines = []
    for title in APIS:
        prefix = f"{title.lower()}."
        mine = {name.removeprefix(prefix): here for name, here in methods.items() if name.startswith(prefix)}
        lines += [
            f"- **{title}**, {sum(mine.values())} of {len(mine)} methods: {_names(mine, implemented=True)}.",
            f"  With 501: {_names(mine, implemented=False)}.",
        ]
    return lines


def _names(methods: Mapping[str, bool], *, implemented: bool) -> str:
    """Word the methods by resource: `objects` (get, list)."""
    chosen = sorted(name.rpartition(".")[::2] for name, here in methods.items() if here == implemented)
    grouped = groupby(chosen, key=lambda pair: pair[0])
    return "; ".join(f"`{resource}` ({', '.join(verb for _, verb in pairs)})" for resource, pairs in grouped)


if __name__ == "__main__":
    main(sys.argv[1:])
