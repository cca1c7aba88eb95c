"""A flow's folder from the template beside this package: plain replacement of the template's name."""

import keyword
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from flows.etl.errors import Terminal

TEMPLATE = Path(__file__).parents[1] / "template"
NAME = "example_flow"
LETTERS = 30  # so that lines stay lines
# a flow's file is found before others of its name: what it imports would be itself
OUR_OWN = frozenset({"flows", "scripts", "tests", NAME})


class TemplateError(Terminal):
    """A flow's name that cannot be one, or a folder that is there already."""


def make(name: str, to: Path) -> list[Path]:
    """Write the folder of a new flow and give its files, relative to it.

    Raises:
        TemplateError: the name or the folder does not do; nothing was written.
    """
    check_name(name)
    if to.exists() or to.is_symlink():
        raise TemplateError(
            f"{to}: found it there already, expected no such folder; choose another with --to, nothing was written"
        )
    rendered = dict(_rendered(name, to))
    try:
        for path, text in rendered.items():
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            (to / path).write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(to, ignore_errors=True)
        raise TemplateError(
            f"{to}: cannot be written ({error.strerror or error}), expected a folder with room; nothing was written"
        ) from error
    return list(rendered)


def check_name(name: str) -> None:
    """Refuse a name that is none, or that another module has, which the flow's own file would stand in front of.

    Raises:
        TemplateError: it says why.
    """
    wanted = f"a Python identifier in lower case, such as my_flow, of at most {LETTERS} letters"
    if not re.fullmatch(rf"[a-z][a-z0-9_]{{0,{LETTERS - 1}}}", name) or keyword.iskeyword(name):
        raise TemplateError(f"name: found {name!r}, expected {wanted}; nothing was written")
    if name in OUR_OWN or name in sys.stdlib_module_names or name in packages_distributions():
        raise TemplateError(
            f"name: found {name!r}, which is the name of a module, expected another: {name}.py would be imported in its"
            " place; nothing was written"
        )


def _rendered(name: str, to: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(TEMPLATE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8")
            for old, new in ((NAME, name), (NAME.replace("_", "-"), name.replace("_", "-")), ("FOLDER", to.as_posix())):
                text = text.replace(old, new)
            yield Path(path.relative_to(TEMPLATE).as_posix().replace(NAME, name)), text
