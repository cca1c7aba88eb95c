"""Writes docs/commands.md from the `landfall` command itself: its docstrings, arguments and options.

python docs/commands.py
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from flows.cli.main import app

PAGE = Path(__file__).with_suffix(".md")

HEAD = """\
# The `landfall` command

<!-- written by docs/commands.py (make docs): change the commands' docstrings and options -->

Everything here is also a function to call from Python; what acts on the warehouse is a flow as well, with the same
parameters, in Prefect's UI. `--json` prints one JSON object a row, for programs. `landfall --install-completion`
teaches your shell the commands, options and contracts' names.

Exit codes: 0 it is so, or it is done; 1 it is not so, or not all is done; 2 it could not be found out or begun, and
why is on standard error; 130 after Ctrl-C.
"""


def page() -> str:
    """Return the page as it must be."""
    root = typer.main.get_command(app)
    return "\n".join([HEAD, *(_section(command, where) for command, where in _commands(root, "landfall", None))])


def _commands(command: Any, name: str, parent: typer.Context | None) -> Iterator[tuple[TyperCommand, typer.Context]]:
    """Give each command that does something, with its context, in the help's order."""
    context = typer.Context(command, info_name=name, parent=parent)
    if isinstance(command, TyperGroup):
        for word, each in command.commands.items():
            yield from _commands(each, word, context)
    else:
        yield command, context


def _section(command: TyperCommand, context: typer.Context) -> str:
    what, _, examples = inspect.cleandoc(command.help or "").partition("Examples:")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}", _prose(what), f"```text\n{usage}\n```"]
    records = [record for each in command.params if (record := each.get_help_record(context))]
    if records:
        rows = [f"| `{_cell(name)}` | {_plain(meaning)} |" for name, meaning in records]
        parts.append("\n".join(["| | |", "|---|---|", *rows]))
    said = [line.strip() for line in examples.splitlines() if line.strip() not in ("", "\b")]
    if lines := [line if line.startswith("landfall ") else f"# {line}" for line in said]:
        parts.append("<!-- shown: examples from the command's help -->\n```sh\n" + "\n".join(lines) + "\n```")
    return "\n\n".join(parts) + "\n"


def _prose(text: str) -> str:
    """Give the docstring's paragraphs, each in one line."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\b", "").strip())
    return "\n\n".join(_plain(each) for each in paragraphs if each.strip())


def _plain(marked: str) -> str:
    """Give the text without Rich's marks, in one line, as a table's cell takes it."""
    return _cell(" ".join(Text.from_markup(marked).plain.split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
