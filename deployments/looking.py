"""Look for flows in files, modules and specs; what cannot be loaded is an outcome, and stops none of the others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deployments import finding, loading, spec, storage
from deployments.errors import DeclarationError, expect
from deployments.finding import Candidate
from deployments.found import Found
from deployments.storage import Storage
from flows.etl.address import shown

GUARD = '`if __name__ == "__main__":`'

What = Literal["registered", "updated", "unchanged", "removed", "left over", "skipped", "failed", "note"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a flow, or of a file."""

    what: What
    name: str
    why: str = ""
    differences: list[str] = field(default_factory=list)
    is_minor: bool = False
    """A file without flows that nobody named: it is counted and not listed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which flows."""

    paths: Sequence[str] = ()
    modules: Sequence[str] = ()
    specs: Sequence[str] = ()
    names: Sequence[str] = ()
    """Of flows; none means all."""


@dataclass(slots=True)
class Looked:
    """What was found, and what was looked into to find it."""

    here: Path
    """The folder that runs begin in, and entry points are relative to."""
    found: list[tuple[Found, Path, Storage | None]] = field(default_factory=list)
    """Each with the folder that its runs begin in, and the storage that its spec names."""
    outcomes: list[Outcome] = field(default_factory=list)
    before_names: set[tuple[str, str]] = field(default_factory=set)
    """Flow and deployment of all that was found, also if it was not asked for by name."""
    loaded: dict[str, Path] = field(default_factory=dict)
    """Files and modules, as entry points name them, with the folder that they are in."""
    skipped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Files that were not loaded, and the names in them."""


def look(wanted: Wanted, kind: Storage) -> Looked:
    """Load all flows that are wanted, from where the storage has their code on this machine."""
    looked = Looked(here := storage.root_of(kind, Path.cwd()))
    seen: set[Path] = set()
    for path in wanted.paths:
        with _said(path, looked):
            for each in finding.candidates(path):
                if each.file.resolve() not in seen:
                    seen.add(each.file.resolve())
                    with _said(str(each.file), looked):
                        _look_into(each, here, kind, looked)
    for module in wanted.modules:
        with _said(module, looked):
            looked.found += [(each, here, None) for each in loading.from_module(module, here)]
            if finding.module_file(module, here):
                looked.loaded[module] = here
    for place in wanted.specs:
        with _said(shown(place), looked):
            read = spec.read(place)
            looked.found += [(each, here, read.storage) for each in read.flows]
    looked.before_names = {(each.flow, each.name) for each, _, _ in looked.found}
    _choose(looked, wanted.names)
    return looked


@contextmanager
def _said(name: str, looked: Looked) -> Iterator[None]:
    """Make an outcome of an error."""
    try:
        yield
    except DeclarationError as error:
        looked.outcomes.append(failed(name, error))


def failed(name: str, error: Exception) -> Outcome:
    """Say what failed, its name once."""
    why = str(error).removesuffix("; nothing was written")
    why = why.removeprefix("deployment ").removeprefix(name).removeprefix(": ").removeprefix(", ")
    return Outcome("failed", name, why)


def _look_into(candidate: Candidate, here: Path, kind: Storage, looked: Looked) -> None:
    """Read a file's text, and load it if it holds flows.

    Raises:
        DeclarationError: it cannot be loaded.
    """
    file = candidate.file
    name, is_inside = str(file), file.resolve().is_relative_to(here.resolve())
    root = here if is_inside else file.resolve().parent
    entry = file.resolve().relative_to(root.resolve()).as_posix()
    text = finding.read(file)
    if not text.is_guarded:
        why = f"found no line {GUARD} in it, by which a file says that it has flows to register"
        is_minor = not candidate.is_named and not text.uses_prefect
        looked.outcomes.append(Outcome("skipped", name, why, is_minor=is_minor))
        looked.skipped[entry] = text.names
        return
    if not text.uses_prefect:  # what such a file does when it is imported is nobody's wish
        why = "found no import of Prefect in it, and so no flow"
        looked.outcomes.append(Outcome("skipped", name, why, is_minor=not candidate.is_named))
        looked.skipped[entry] = text.names
        return
    expect(
        not text.prefect_1,
        f"{name}: found {text.prefect_1}, which is Prefect 1's, expected a function with @flow;"
        " docs/coming-from-prefect-1.md has the counterparts",
    )
    expect(
        is_inside or (kind.kind == "local" and not kind.place),
        f"{name}: found it outside of {here}, in which runs begin, expected it below; run this in another folder",
    )
    found = loading.from_file(file, root)
    if not found:
        looked.outcomes.append(Outcome("skipped", name, "found no flow in it", is_minor=not candidate.is_named))
    looked.loaded[entry] = root
    looked.found += [(each, root, None) for each in found]


def _choose(looked: Looked, names: Sequence[str]) -> None:
    """Keep the flows of these names, and none that is there twice."""
    known = sorted({each.flow for each, _, _ in looked.found})
    for name in names:
        if not any(name in (each.flow, each.variable) for each, _, _ in looked.found):
            expected = f"expected one of {', '.join(known)}" if known else "and no other"
            why = f"found no flow of that name, {expected}"
            looked.outcomes.append(Outcome("failed", name, why))
    chosen = [each for each in looked.found if not names or {each[0].flow, each[0].variable} & {*names}]
    places: dict[tuple[str, str], list[str]] = {}
    for each, _, _ in chosen:
        places.setdefault((each.flow, each.name), []).append(each.entrypoint)
    for (flow, name), entrypoints in places.items():
        if len(entrypoints) > 1:
            why = f"found it in {' and '.join(entrypoints)}, expected each name once in a project"
            looked.outcomes.append(Outcome("failed", f"{flow}/{name}", why))
    looked.found = [each for each in chosen if len(places[each[0].flow, each[0].name]) == 1]
