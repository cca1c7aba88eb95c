"""Which files are looked into, what their text says, and which others they need: nothing is run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments import finding, watching
from deployments.errors import DeclarationError

GUARD = 'if __name__ == "__main__":\n    pass\n'


def write(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(path: str) -> list[str]:
    return [str(each.file) for each in finding.candidates(path)]


def test_a_folder_is_its_own_files_and_a_pattern_all_but_those_that_are_nobodys_flows(here: Path) -> None:
    write(here, "a.py", "notes.md", "f/b.py", "f/g/c.py", "f/.hidden/d.py", "f/__pycache__/e.py")
    write(here, "venv/pyvenv.cfg", "venv/lib/h.py", "node_modules/i.py")
    assert found("f/") == ["f/b.py"]
    assert found("**/*") == ["a.py", "f/b.py", "f/g/c.py"]
    assert found("f/*") == ["f/b.py", "f/g/c.py"]  # a folder that it matches is its own files, as in Prefect 1
    assert found(str(here / "f" / "**" / "*.py")) == [str(here / "f/b.py"), str(here / "f/g/c.py")]
    assert [(str(each.file), each.is_named) for each in finding.candidates("a.py")] == [("a.py", True)]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nope.py", "nope.py: found no Python file, expected a Python file, a folder with some, or a pattern such as "),
        ("notes.md", "notes.md: found a file that is not Python's, expected one that ends with .py"),
        ("deep/", "; for folders below it: 'deep/**/*'"),
    ],
)
def test_a_path_without_python_files_says_what_to_write(here: Path, path: str, said: str) -> None:
    write(here, "notes.md", "deep/er/a.py")
    with pytest.raises(DeclarationError) as refused:
        finding.candidates(path)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        (GUARD, True),
        ("if '__main__' == __name__:\n    pass\n", True),
        ("", False),
        ("# " + GUARD.splitlines()[0], False),
        (f'TEXT = """{GUARD}"""', False),
        ("if __name__ != '__main__':\n    pass\n", False),
        ("def f():\n    if __name__ == '__main__':\n        pass\n", False),
    ],
)
def test_a_guard_is_a_statement_at_the_files_top(here: Path, text: str, guarded: bool) -> None:
    write(here, "a.py", text=text)
    assert finding.read(here / "a.py").is_guarded is guarded


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("with Flow('x') as flow: ...", "`with Flow(...)` in line 1"),
        ("import prefect\nwith prefect.Flow('x', schedule=s) as flow: ...", "`with Flow(...)` in line 2"),
        ("from prefect.run_configs import LocalRun", "the module prefect.run_configs"),
        ("from prefect.storage import GitHub", "the module prefect.storage"),
        ("from prefect.schedules.clocks import CronClock", "the module prefect.schedules.clocks"),
        ("from prefect.schedules import Cron", None),
        ("from prefect import flow, task", None),
    ],
)
def test_what_is_prefect_1s_is_told_from_what_is_not(here: Path, text: str, what: str | None) -> None:
    write(here, "a.py", text=text)
    assert finding.read(here / "a.py").prefect_1 == what


def test_a_files_own_names_are_not_those_that_it_imports_nor_those_under_its_guard(here: Path) -> None:
    lines = [
        "from x import theirs",
        "a = b = 1",
        "c: int = 2",
        "def d(): ...",
        "async def e(): ...",
        "if a:",
        "    f = 1",
    ]
    write(here, "a.py", text="\n".join([*lines, 'if __name__ == "__main__":', "    g = 1"]))
    assert finding.read(here / "a.py").names == ("a", "b", "c", "d", "e", "f")


def test_what_a_flow_needs_is_found_beside_it_in_the_working_directory_and_inside_functions(here: Path) -> None:
    write(here, "f/flow.py", text="import beside\nfrom lib.part import thing\ndef f():\n    import late\nimport json\n")
    write(here, "f/beside.py", text="from . import cousin\nimport missing\n")
    write(here, "f/cousin.py", "f/late.py", "lib/__init__.py", "f/other.py")
    write(here, "lib/part.py", text="from ..f import nothing\nfrom .deeper import x\n")
    write(here, "lib/deeper.py", text="def (")
    names = [str(each.relative_to(here)) for each in finding.sources(here / "f" / "flow.py", here)]
    assert names == [
        *("f/beside.py", "f/cousin.py", "f/flow.py", "f/late.py"),
        *("lib/__init__.py", "lib/deeper.py", "lib/part.py"),
    ]


def test_a_fingerprint_changes_with_what_is_needed_and_with_nothing_else(here: Path) -> None:
    write(here, "flow.py", text="import lib")
    write(here, "lib.py", "other.py")
    first = finding.fingerprint(here / "flow.py", here)
    write(here, "other.py", text="# more")
    assert finding.fingerprint(Path("flow.py"), Path()) == first
    write(here, "lib.py", text="# more")
    assert finding.fingerprint(here / "flow.py", here) != first


def test_the_same_files_elsewhere_have_the_same_fingerprint(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder, "flow.py", text="import lib")
        write(tmp_path / folder, "lib.py")
    first, second = (finding.fingerprint(tmp_path / each / "flow.py", tmp_path / each) for each in ("one", "two"))
    assert first == second


@pytest.mark.parametrize(
    ("path", "file", "covered"),
    [
        ("f/", "f/a.py", True),
        ("f/", "f/g/a.py", False),
        ("f/a.py", "f/a.py", True),
        ("f/b.py", "f/a.py", False),
        ("**/*", "a.py", True),
        ("f/**/*", "f/g/a.py", True),
        ("f/**/*", "g/a.py", False),
    ],
)
def test_a_path_covers_a_file_that_is_gone_if_it_would_have_named_it(
    here: Path, path: str, file: str, covered: bool
) -> None:
    assert finding.covers(path, here / file) is covered


def test_a_change_of_a_helper_a_new_file_and_a_lost_one_are_each_seen_once(here: Path) -> None:
    write(here, "f/flow.py", text="import lib")
    write(here, "lib.py", "unrelated.py")
    steps: Iterator[Callable[[], None]] = iter(
        [
            lambda: write(here, "unrelated.py", text="# more"),
            lambda: write(here, "lib.py", text="# more"),
            lambda: None,
            lambda: write(here, "f/new.py"),
            lambda: None,
            (here / "f" / "flow.py").unlink,
            lambda: None,
        ]
    )
    seen = watching.changes(["f/"], [], sleep=lambda _: next(steps)())
    assert [[each.name for each in next(seen)] for _ in range(4)] == [[], ["lib.py"], ["new.py"], ["flow.py"]]
