"""Each command block says what becomes of it, and those that are not run are commands that their programs take."""

import shutil

import pytest

from tests.documents import programs
from tests.documents.blocks import BLOCKS, HOME, read, with_counts


def test_each_block_says_whether_it_is_run() -> None:
    assert [block.where for block in BLOCKS if block.kind is None] == []


@pytest.mark.parametrize("mark", ["", "<!-- runs -->\n", "<!-- shown -->\n", "<!-- run: why -->\n", "<!-- run -->\n\n"])
def test_a_block_without_a_mark_or_with_another_one_is_told(mark: str) -> None:
    (block,) = read("page.md", f"# Page\n\n{mark}```sh\nmake\n```\n")
    assert block.kind is None
    assert block.commands == "make\n"


def test_of_a_console_only_what_is_typed_counts() -> None:
    (block,) = read("page.md", "<!-- cloud-only -->\n```console\n$ make a \\\n    b\nmade\n$ c  # why\n```\n")
    assert (block.kind, block.line) == ("cloud-only", 2)
    assert programs.parts(block.commands + "d 'x | y' | e && f=1 g")[2:] == ["d 'x | y'", "e", "f=1 g"]
    assert programs.parts(block.commands) == ["make a b", "c"]


def test_the_numbers_on_the_home_page_are_those_of_now() -> None:
    home = HOME.read_text(encoding="utf-8")
    assert home == with_counts(home), "stale: write it with `python -m tests.documents.blocks`"


PARSED = [
    pytest.param(part, id=f"{block.where} {part}")
    for block in BLOCKS
    if block.kind in ("cloud-only", "shown")
    for part in programs.parts(block.commands)
]


@pytest.mark.parametrize("command", PARSED)
def test_what_is_not_run_is_what_its_program_takes(command: str) -> None:
    programs.check(command)


@pytest.mark.parametrize(
    "command",
    [
        "make aply ENV=dev",
        "landfall runn flights",
        "landfall status --pgn status.png",
        "prefect deployment runn a/b",
        "python -m localcloud upp",
        "python -m localcloud terraform -- aply",
        "python flows/web_to_bigqery.py flights",
        "terraform -chdir=infra plan -var-file=envs/nowhere.tfvars",
        "teraform plan",
        'eval "$(make -s environment)"',
        pytest.param(
            "gcloud storage buckets creat gs://a",
            marks=pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not on the PATH"),
        ),
    ],
)
def test_a_misspelled_command_is_noticed(command: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        programs.check(command)
