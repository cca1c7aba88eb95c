"""Python and the lock."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from flows.doctor import installed
from flows.doctor.finding import Finding, ok, problem, skipped, warning
from flows.doctor.seen import Seen

PREFECT, PYTEST = version("prefect"), version("pytest")


def look(folder: Path, **locks: str) -> Finding:
    for name, text in locks.items():
        file = {"run": installed.RUN, "everything": installed.EVERYTHING}[name]
        (folder / file).write_text(text)
    return installed.lock(Seen(folder, folder, {}))


def test_what_is_installed_as_locked_is_ok(tmp_path: Path) -> None:
    run = f"prefect=={PREFECT} \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"
    assert look(tmp_path, run=run, everything=f"{run}pytest=={PYTEST}\n") == ok("2 as locked")


def test_another_version_of_what_runs_need_is_a_problem(tmp_path: Path) -> None:
    locked = "prefect==3.0.0 \\\n    --hash=sha256:00\n"
    assert look(tmp_path, run=locked, everything=locked) == problem(
        f"1 of another version (prefect {PREFECT}, expected 3.0.0) of the 1 that the locks name",
        "python -m pip install --no-deps --require-hashes -r requirements.lock",
    )


def test_a_package_that_is_missing_is_a_problem_if_runs_need_it(tmp_path: Path) -> None:
    locked = "".join(f"no-such-{n}==1.0\n" for n in range(7))
    assert look(tmp_path, run=locked) == problem(
        "7 missing (no-such-0, no-such-1, no-such-2, no-such-3, no-such-4 and 2 more) of the 7 that the locks name",
        "python -m pip install --no-deps --require-hashes -r requirements-run.lock",
    )
    assert look(tmp_path, run=f"prefect=={PREFECT}\n", everything=f"{locked}prefect=={PREFECT}\n") == ok(
        "1 as locked; 7 for development are not installed"
    )


def test_another_version_of_what_only_development_needs_is_a_warning(tmp_path: Path) -> None:
    run = f"prefect=={PREFECT}\n"
    assert look(tmp_path, run=run, everything=f"{run}pytest==1.0\n") == warning(
        f"1 of another version (pytest {PYTEST}, expected 1.0) of the 2 that the locks name",
        "python -m pip install --no-deps --require-hashes -r requirements.lock",
    )


def test_a_package_for_another_system_is_not_expected(tmp_path: Path) -> None:
    locked = (
        f"pywin32==312 ; sys_platform == 'win32' \\\n    --hash=sha256:00\nPyTest=={PYTEST} ; python_version > '3'\n"
    )
    assert look(tmp_path, run=locked) == ok("1 as locked")


def test_without_a_lock_nothing_is_compared(tmp_path: Path) -> None:
    assert look(tmp_path) == skipped(
        f"neither requirements-run.lock nor requirements.lock in {tmp_path}: no checkout of Landfall"
    )


def test_an_older_python_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(tmp_path, tmp_path, {})
    assert installed.python(seen) == ok(f"{sys.version.split()[0]} at {sys.executable}")
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert installed.python(seen).verdict == "problem"
    assert installed.python(seen).what_to_do == "install Python 3.11; make -B PYTHON=python3.11"
