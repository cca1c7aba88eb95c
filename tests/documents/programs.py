"""Whether a command is one that its program knows: parsed, not run."""

import itertools
import re
import runpy
import shlex
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from cyclopts import CycloptsError
from prefect.cli._app import _app as prefect_command  # parses without running; Prefect shows no other

from flows.cli.main import app
from localcloud import __main__ as localcloud

ROOT = Path(__file__).parents[2]
# none of ours, and none that says what it takes without being run
OTHERS = {"bq", "cd", "curl", "docker", "export", "gh", "git", "jq", "pip", "printf", "psql", "read", "sudo", "$EDITOR"}
TERRAFORM = {"apply", "destroy", "import", "init", "output", "plan", "providers", "state", "test"}


def parts(commands: str) -> list[str]:
    """Give the single commands of a block: without comments, continued lines joined, pipes taken apart."""
    found: list[str] = []
    for line in re.sub(r"\\\n\s*", "", commands).splitlines():
        read = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        read.whitespace_split = True
        for between, words in itertools.groupby(read, lambda word: set(word) <= set("|&;")):
            if not between:
                found.append(shlex.join(words))
    return found


def check(part: str) -> str:
    """Hold one command to what its program knows, and give the program's name. Fails the test that calls it."""
    filled = part.replace("<id>", "00000000-0000-0000-0000-000000000000")
    words = list(itertools.dropwhile(re.compile(r"\w+=").match, shlex.split(filled)))
    program, *rest = words
    match program.removeprefix(".venv/bin/"), rest:
        case "make", _:
            _make(rest)
        case "landfall", _:
            _landfall(rest)
        case "prefect", _:
            _prefect(rest)
        case "python", _:
            _python(rest)
        case "terraform", _:
            _terraform(rest)
        case "gcloud", _:
            if shutil.which("gcloud"):
                _gcloud(rest)
        case "eval", [inner]:
            return check(inner.removeprefix("$(").removesuffix(")"))
        case _:
            assert program in OTHERS, f"{part}: a program that this test does not know"
    return program


def _python(words: list[str]) -> None:
    match words:
        case ["-m", "localcloud", *rest]:
            _localcloud(rest)
        case ["-m", module, *_]:
            file = ROOT / module.replace(".", "/")
            assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), f"{module}: no such module"
        case ["-c", code]:
            compile(code, "-c", "exec")
        case [script, *_]:
            assert (ROOT / script).is_file(), f"{script}: no such script"


def _make(words: list[str]) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in [word for word in words if not word.startswith("-") and "=" not in word]:
        assert re.search(rf"^{target}:", text, re.MULTILINE), f"make {target}: no such target"


def _landfall(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    context, name, rest = None, "landfall", list(words)
    try:
        while True:
            context = command.make_context(name, rest, parent=context)
            if not hasattr(command, "commands"):
                return
            rest = [*context._protected_args, *context.args]  # noqa: SLF001 - what is left for the command below
            name, command, rest = command.resolve_command(context, rest)
    except Exception as error:  # noqa: BLE001 - whatever it is, the command is not one that landfall takes
        if str(error).startswith("file ") and str(error).endswith(" does not exist."):
            return  # the command before it makes it
        pytest.fail(f"landfall {shlex.join(words)}: {error!r}")


def _prefect(words: list[str]) -> None:
    try:
        prefect_command.parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        pytest.fail(f"prefect {shlex.join(words)}: {error}")


def _localcloud(words: list[str]) -> None:
    try:
        options = localcloud._parser().parse_args(words)  # noqa: SLF001 - parses without running
    except SystemExit:
        pytest.fail(f"python -m localcloud {shlex.join(words)}: it does not take this")
    if words[0] == "terraform":
        _terraform(options.arguments)


def _terraform(words: list[str]) -> None:
    verb, *rest = [word for word in words if not word.startswith("-chdir=")]
    assert verb in TERRAFORM, f"terraform {verb}: no such command"
    for word in rest:
        if word.startswith("-var-file="):
            assert (ROOT / "infra" / word.removeprefix("-var-file=")).is_file(), word


def _gcloud(words: list[str]) -> None:
    """Hold a command to what gcloud completes: its groups, its verb, its options."""
    tree = _gcloud_commands()
    known = set(tree["flags"])
    rest = list(words)
    while rest and rest[0] in tree["commands"]:
        tree = tree["commands"][rest.pop(0)]
        known |= set(tree["flags"])
    assert not tree["commands"], f"gcloud {shlex.join(words)}: {rest[0]} is no command"
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert options <= known, f"gcloud {shlex.join(words)}: {options - known} are no options"


@cache
def _gcloud_commands() -> dict[str, Any]:
    root = Path(str(shutil.which("gcloud"))).resolve().parents[1]
    completions = runpy.run_path(str(root / "data" / "cli" / "gcloud_completions.py"))
    tree: dict[str, Any] = completions["STATIC_COMPLETION_CLI_TREE"]
    return tree
