"""Python, and whether what is installed is what the locks name."""

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from flows.doctor.finding import Finding, ok, problem, skipped, warning
from flows.doctor.seen import Seen

OLDEST = (3, 11)
RUN, EVERYTHING = "requirements-run.lock", "requirements.lock"
INSTALL = "python -m pip install --no-deps --require-hashes -r"
_PIN = re.compile(r"^(?P<requirement>[A-Za-z0-9][^\\\n]*==[^\\\n]*?)\s*\\?$", re.MULTILINE)
_SHOWN = 5


def python(_seen: Seen) -> Finding:
    """Look at the interpreter."""
    found = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return problem(
            f"{found}, expected {wanted} or newer", f"install Python {wanted}; make -B PYTHON=python{wanted}"
        )
    return ok(found)


def lock(seen: Seen) -> Finding:
    """Compare what is installed with the locks: of runs, and of everything."""
    run, everything = (pinned(seen.root / name) for name in (RUN, EVERYTHING))
    if not run and not everything:
        return skipped(f"neither {RUN} nor {EVERYTHING} in {seen.root}: no checkout of Landfall")
    wanted = everything | run
    installed = {name: _installed(name) for name in wanted}
    differ = [
        f"{name} {installed[name]}, expected {wanted[name]}"
        for name in wanted
        if installed[name] not in (None, wanted[name])
    ]
    missing = [name for name in run or everything if installed[name] is None]
    if differ or missing:
        parts = [f"{len(differ)} of another version ({_few(differ)})"] if differ else []
        parts += [f"{len(missing)} missing ({_few(missing)})"] if missing else []
        file = EVERYTHING if everything else RUN
        needed = any(line.split()[0] in run for line in differ) or missing
        say = problem if needed else warning
        return say(f"{' and '.join(parts)} of the {len(wanted)} that the locks name", f"{INSTALL} {file}")
    absent = sum(found is None for found in installed.values())
    tools = f"; {absent} for development are not installed" if absent else ""
    return ok(f"{len(wanted) - absent} as locked{tools}")


def pinned(file: Path) -> dict[str, str]:
    """Read a lock: versions by name, of those lines whose marker holds for this Python; nothing if there is no file."""
    if not file.is_file():
        return {}
    requirements = (Requirement(found["requirement"]) for found in _PIN.finditer(file.read_text(encoding="utf-8")))
    return {
        str(canonicalize_name(each.name)): str(each.specifier).removeprefix("==")
        for each in requirements
        if each.marker is None or each.marker.evaluate()
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _few(lines: list[str]) -> str:
    more = len(lines) - _SHOWN
    return ", ".join(lines[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
