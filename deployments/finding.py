"""Python files that may hold flows: which they are, what their text says, and which other files they need.

Nothing here runs a file, and nothing imports Prefect: files are read as text.
"""

import ast
import glob
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

from deployments.errors import DeclarationError

ELSEWHERE = {"__pycache__", "site-packages", "node_modules"}
"""Folders whose files are nobody's flows; so are those whose name begins with a dot, and virtual environments."""

PREFECT_1 = (
    *("prefect.run_configs", "prefect.storage", "prefect.executors", "prefect.environments", "prefect.engine"),
    *("prefect.schedules.clocks", "prefect.backend", "prefect.core", "prefect.triggers", "prefect.case"),
)
"""Modules of Prefect 1 that are gone."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Python file to look into."""

    file: Path
    is_named: bool
    """By itself, and not by a folder or a pattern that it lies in."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a file's text says, without running it."""

    is_guarded: bool
    """There is a line `if __name__ == "__main__"`."""
    uses_prefect: bool
    prefect_1: str | None
    """What in it is Prefect 1's, with its line."""
    names: tuple[str, ...]
    """What the file itself defines at its top, in its order; what it imports is not among them."""


def candidates(path: str) -> list[Candidate]:
    """List the Python files of a path: a file, a folder (those in it, not those below), or a pattern as `**/*`.

    Raises:
        DeclarationError: there is none.
    """
    given = Path(path)
    if given.is_file():
        _expect_python(given)
        return [Candidate(given, is_named=True)]
    if given.is_dir():
        found = sorted(file for file in given.glob("*.py") if file.is_file())
    else:
        # pathlib's takes no absolute pattern, and goes into folders whose names begin with a dot
        matched = (Path(each) for each in sorted(glob.glob(path, recursive=True)))  # noqa: PTH207
        found = [file for each in matched for file in (sorted(each.glob("*.py")) if each.is_dir() else [each])]
        found = [file for file in dict.fromkeys(found) if file.suffix == ".py" and _is_ours(file)]
    if not found:
        expected = "a Python file, a folder with some, or a pattern such as '**/*'"
        hint = f"; for folders below it: '{path.rstrip('/')}/**/*'" if given.is_dir() else ""
        raise DeclarationError(f"{path}: found no Python file, expected {expected}{hint}")
    return [Candidate(file, is_named=False) for file in found]


def covers(path: str, file: Path) -> bool:
    """Tell whether a path would have named a file that is not there any more."""
    given = Path(path).absolute()
    if any(sign in path for sign in "*?["):
        return fnmatch(str(file), str(given).replace("**/", "*"))  # a * goes over folders too
    return given in (file, file.parent)


def read(file: Path) -> Text:
    """Read what a file's text says.

    Raises:
        DeclarationError: it cannot be read, or is no Python.
    """
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        raise DeclarationError(f"{file}, line {error.lineno}: {error.msg}, expected Python") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte
        raise DeclarationError(f"{file}: {error}, expected Python") from error
    imported = [*_imported(tree)]
    return Text(
        any(_is_guard(statement) for statement in tree.body),
        any(name.partition(".")[0] == "prefect" for name, _ in imported),
        _prefect_1(tree, imported),
        tuple(dict.fromkeys(_defined(tree.body))),
    )


def module_file(name: str, root: Path) -> Path | None:
    """Find a module's file below a folder, or where it is installed; None if there is no such module."""
    if found := _resolve(name, [root]):
        return found
    try:
        spec = find_spec(name) if name.replace(".", "").isidentifier() else None
    except (ImportError, ValueError):  # a part of its name is no package
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def sources(file: Path, root: Path) -> list[Path]:
    """List a file and the files of the project that it imports, wherever in its text it does, and those that they do.

    A module is looked for as Python does when the flow runs: beside the file, then in the working directory. What is
    imported under a name that is made at run time is not found, nor are data files.
    """
    folders = [file.parent.resolve(), root.resolve()]
    found, left = {file.resolve()}, [file.resolve()]
    while left:
        here = left.pop()
        try:
            tree = ast.parse(here.read_bytes())
        except (SyntaxError, ValueError):
            continue  # whoever imports it says so
        for name, level in _imported(tree):
            base = [here.parents[level - 1]] if level else folders
            parts = name.split(".")
            for count in range(1, len(parts) + 1):
                needed = _resolve(".".join(parts[:count]), base)
                if needed and needed not in found:
                    found.add(needed)
                    left.append(needed)
    return sorted(found)


def fingerprint(file: Path, root: Path) -> str:
    """Give a hash of a flow's file and of those that it needs; the same on each machine."""
    total = hashlib.sha256()
    for each in sources(file, root):
        name = each.relative_to(root.resolve()) if each.is_relative_to(root.resolve()) else Path(each.name)
        total.update(f"{name.as_posix()}\0{each.stat().st_size}\0".encode() + each.read_bytes())
    return f"source:{total.hexdigest()[:16]}"


def _expect_python(file: Path) -> None:
    if file.suffix != ".py":
        raise DeclarationError(f"{file}: found a file that is not Python's, expected one that ends with .py")


def _is_ours(file: Path) -> bool:
    return not any(
        folder.name in ELSEWHERE
        or (folder.name.startswith(".") and folder.name not in {".", ".."})
        or (folder / "pyvenv.cfg").is_file()
        for folder in file.parents
        if folder != Path() and folder not in Path.cwd().parents and folder != Path.cwd()
    )


def _is_guard(statement: ast.stmt) -> bool:
    """Tell `if __name__ == "__main__"`, in either order."""
    if not isinstance(statement, ast.If):
        return False
    test = statement.test
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, *test.comparators]
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in sides) and any(
        isinstance(each, ast.Constant) and each.value == "__main__" for each in sides
    )


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give the modules that a text imports, anywhere in it, each with the dots before its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = f"{node.module}." if node.module else ""
            # whether a name is a module or something in one, the files say
            yield from ((f"{base}{alias.name}", node.level) for alias in node.names)


def _prefect_1(tree: ast.Module, imported: Sequence[tuple[str, int]]) -> str | None:
    for node in ast.walk(tree):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and _last_name(call.func) == "Flow":
                    return f"`with Flow(...)` in line {node.lineno}"
    for name, _ in imported:
        for old in PREFECT_1:
            if f"{name}.".startswith(f"{old}."):
                return f"the module {old}"
    return None


def _last_name(node: ast.expr) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def _defined(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Give the names that statements bind, but for imports; what stands under a guard is not run."""
    for each in body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield each.name
        elif isinstance(each, ast.Assign):
            yield from (name.id for target in each.targets for name in ast.walk(target) if isinstance(name, ast.Name))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id
        elif not _is_guard(each):
            inner = (getattr(each, part, []) for part in ("body", "orelse", "handlers", "finalbody"))
            yield from _defined([statement for part in inner for statement in part])


def _resolve(name: str, folders: Sequence[Path]) -> Path | None:
    """Find a module's file in folders; a folder without __init__.py has none."""
    for folder in folders:
        place = folder.joinpath(*name.split("."))
        for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if file.is_file() and "site-packages" not in file.parts:
                return file.resolve()
    return None
