"""Files that flows come from, watched for changes by asking for their dates and sizes."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from deployments import finding
from deployments.errors import DeclarationError

EVERY_S = 0.5

Seen = dict[Path, tuple[int, int]]


def changes(
    paths: Sequence[str], modules: Sequence[str], sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Path]]:
    """Give the files that changed, whenever some did and then were still for a moment; at first, none.

    What is watched are the files of paths and modules and those that they import; new ones of a folder or pattern, too.
    Goes on for ever.
    """
    watched = _needed(_given(paths, modules))
    seen = _look(watched)
    yield []
    while True:
        sleep(EVERY_S)
        found = _look({*watched, *_given(paths, modules)})
        if found == seen:
            continue
        sleep(EVERY_S)  # an editor or a `git checkout` writes several files
        while (later := _look({*watched, *_given(paths, modules)})) != found:
            found = later
            sleep(EVERY_S)
        changed = sorted(file for file in {*seen, *found} if seen.get(file) != found.get(file))
        watched = _needed(_given(paths, modules))
        seen = _look(watched)
        yield changed


def _given(paths: Sequence[str], modules: Sequence[str]) -> set[Path]:
    """List the files of paths and modules, as far as there are some."""
    found: set[Path] = set()
    for path in paths:
        try:
            found |= {each.file.resolve() for each in finding.candidates(path)}
        except DeclarationError:
            continue  # it may come
    for module in modules:
        file = finding.module_file(module, Path.cwd()) or finding.module_file(module.rpartition(".")[0], Path.cwd())
        found |= {file.resolve()} if file else set()
    return found


def _needed(given: set[Path]) -> set[Path]:
    return {each for file in given for each in finding.sources(file, Path.cwd())}


def _look(files: set[Path]) -> Seen:
    seen = {}
    for file in files:
        try:
            state = file.stat()
        except FileNotFoundError:
            continue
        seen[file] = (state.st_mtime_ns, state.st_size)
    return seen
