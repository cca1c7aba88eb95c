"""Writes docs/contracts.md from the contract's models and from what the readers say of themselves.

python docs/contracts.py

What a key means stands in its model, what a reader does in the reader's own docstring: here is only what binds them.
"""

import inspect
import io
import json
import re
import tempfile
import tomllib
import typing
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.etl import clean, contract, convert, drafting, errors, formats, quarantine
from flows.etl.contract import Column, Contract, Dialect, Drift, Quarantine, checks
from flows.etl.errors import LandfallError
from flows.etl.formats import casting, jsonl, records, text
from flows.etl.formats import parquet as parquet_format

PAGE = Path(__file__).with_suffix(".md")
CONTRACTS = Path(__file__).parents[1] / "flows" / "contracts"

EXAMPLE = """\
revision = 1
description = "Where taxi zones are"
owner = "data-team"
source = "https://example.org/zones_{yyyy}-{mm}.csv.gz"
format = "csv"
compression = "gzip"
partition = "month"
first_partition = "2024-01"
clustering = ["borough"]
columns = [
    { name = "zone_id", type = "INT64", nullable = false },
    { name = "borough", type = "STRING", description = "Of New York City" },
    { name = "area_km2", type = "FLOAT64" },
]

[dialect]
null_values = ["", "N/A"]

[quarantine]
max_rows = 100
max_fraction = 0.001

[[checks]]
check = "row_count"
min = 265
"""
FILE = "zone_id,borough,area_km2\n1,EWR,7.9\ntwo,Queens,9.6\n"
BASES: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
}


def page() -> str:
    """Give the whole page."""
    return "\n\n".join(
        [
            "# Contracts",
            "<!-- written by docs/contracts.py (make docs): change the models' descriptions and docstrings -->",
            (
                "A contract says what one data set is: where its files are, what is in them, and what they may"
                " get wrong."
                " It is one file, `flows/contracts/<name>.toml`, and the name is the table's. Reading is strict:"
                " an unknown"
                " key, or a value of another type, is refused with its place in the file."
            ),
            f"```toml\n{EXAMPLE}```",
            *_proposed(),
            *_keys(),
            *_columns(),
            *_records(),
            *_wrong(),
            *_cleaning(),
            *_errors(),
        ]
    )


def _proposed() -> list[str]:
    return [
        "## A contract from a file",
        (
            "`landfall new contract URL` writes one from a file's first rows, with its fixture, and marks `# review:`"
            " what a person must decide: a test fails while a mark is left ([why so](decisions/0024-proposals.md))."
        ),
        doc(drafting, skip=1),
    ]


def _keys() -> list[str]:
    return [
        "## Keys of a contract",
        "Keys without a default must be there. `name` is not written: the file's name gives it.",
        table(Contract, leave_out=("name",)),
        "### `columns`",
        doc(Column),
        table(Column),
        "### `dialect`",
        doc(Dialect),
        table(Dialect),
    ]


def _columns() -> list[str]:
    return [
        "## Types",
        (
            "Types are declared and never inferred: a column that is empty in one file, or holds `1.0` where it"
            " held `1`,"
            " has the same type in all. A value that does not fit makes its row a bad row; it is never changed to fit."
        ),
        "### As text: CSV, JSON lines",
        doc(text, skip=1),
        "### In Parquet",
        doc(casting, skip=2),
        doc(parquet_format, skip=1),
    ]


def _records() -> list[str]:
    return [
        "## What a record is",
        "### CSV",
        doc(records, skip=1),
        "### JSON lines",
        doc(jsonl, skip=0),
        "### Parquet",
        "A row. In messages it has a number, where text has the line that it begins on.",
        "### The period",
        (
            "The period's column (`file_hour`, `file_date`, `file_month` or `file_year`) is added to every row from"
            " the file's address, not from the row: dates outside a file's period are normal."
        ),
    ]


def _wrong() -> list[str]:
    kinds = typing.get_args(typing.get_args(checks.Check)[0])
    return [
        "## When a file is not as agreed",
        (
            "Three things can differ, and a contract has an answer to each: the file's columns (`drift`), single rows"
            " (`quarantine`), and the rows as a whole (`checks`). Without an answer the file is refused, and"
            " what landed"
            " before stands."
        ),
        "### `drift`: other columns",
        doc(Drift),
        table(Drift),
        (
            "Names compare without case and in any order; `aliases` and `since` of a column say which differences are"
            " none. A refusal holds the lines to write into the contract."
        ),
        "### `quarantine`: bad rows",
        doc(Quarantine),
        table(Quarantine),
        (
            "A row is bad if a value is not of its column's type, if it lacks a value that the contract wants,"
            " if it has"
            " too few or too many fields, or if it is not text of the file's encoding."
        ),
        doc(quarantine, skip=1),
        "### `checks`: the rows as a whole",
        doc(checks, skip=0)
        + " They are counted while the file is converted, before anything is visible; a contract whose checks alone"
        " changed has its landed periods checked again by a query, and nothing lands again.",
        *(part for kind in kinds for part in _check(kind)),
    ]


def _check(kind: type[BaseModel]) -> list[str]:
    (name,) = typing.get_args(kind.model_fields["check"].annotation)
    return [f"#### `{name}`", doc(kind), table(kind, leave_out=("check",))]


def _cleaning() -> list[str]:
    hook = (CONTRACTS / "weather.py").read_text(encoding="utf-8")
    return [
        "## The clean hook",
        doc(clean, skip=0),
        doc(clean.Clean.__call__, skip=1).split("\n\nArgs:")[0],
        (
            "It gives the same rows back: as many, in their order, with the same columns. It sees good rows only, and"
            " runs before `nullable` and the checks are looked at. Its bytes and pandas' version are part of"
            " what landed:"
            " another hook needs a raised `revision`, a newer pandas lands the periods again by itself. What it imports"
            " beyond pandas is not seen, so leave it at that. This is the one of `weather`:"
        ),
        f"```python\n{hook}```",
    ]


def _errors() -> list[str]:
    said = [
        ("A contract that does not hold", refusal(EXAMPLE.replace('"INT64"', '"INTEGER"'))),
        (
            "A row that is bad, where none may be",
            refusal(EXAMPLE.replace("max_rows = 100\nmax_fraction = 0.001\n", "")),
        ),
        ("A column that is not in the contract", refusal(EXAMPLE, FILE.replace("area_km2", "area_sqmi"))),
    ]
    terminal = (kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, LandfallError))
    return [
        "## Refusals",
        doc(errors, skip=1) + " It ends with what was not done. These are real:",
        *(f"{what}:\n\n```text\n{message}\n```" for what, message in said),
        "| error | means |\n|---|---|\n"
        + "\n".join(f"| `{kind.__name__}` | {doc(kind)} |" for kind in terminal if kind is not LandfallError)
        + "\n",
    ]


def refusal(toml: str, file: str = FILE) -> str:
    """Give what Landfall says of a contract, or of a file under it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "zones.toml").write_text(toml, encoding="utf-8")
        try:
            agreed = contract.read(Path(folder), "zones")
            url = agreed.address(period := agreed.period("2024-02"), None)
            with formats.read(io.BytesIO(file.encode()), agreed, period, url) as reader:
                aside = quarantine.Quarantine(agreed.quarantine, url)
                for _ in convert.tables(reader, agreed, period, aside):
                    pass
        except LandfallError as error:
            return str(error).replace(folder, "flows/contracts")
    raise ValueError(f"nothing was refused of {toml!r} and {file!r}")


def doc(thing: ModuleType | type | typing.Callable[..., Any], skip: int = 0) -> str:
    """Give a docstring's paragraphs from number *skip* on, as Markdown."""
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")[skip:]
    return "\n\n".join(
        paragraph.split("\n\nRaises:")[0] for paragraph in paragraphs if not paragraph.startswith("Raises:")
    )


def table(model: type[BaseModel], leave_out: Iterable[str] = ()) -> str:
    """Give a model's keys as a table: name, type in words, default, meaning and an example."""
    lines = ["| key | value | default | what it says | example |", "|---|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name not in leave_out:
            cells = (
                f"`{name}`",
                _words(field.annotation, field.metadata),
                _default(field),
                _sentence(field),
                _example(name, field),
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _sentence(field: FieldInfo) -> str:
    return re.sub(r"(?<!`)(\{[a-z]+\})(?!`)", r"`\1`", field.description or "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its keys' defaults"
    return "none" if value is None else f"`{_toml(value)}`"


def _example(name: str, field: FieldInfo) -> str:
    if not field.examples:
        return ""
    example = f"{name} = {_toml(field.examples[0])}"
    tomllib.loads(example)  # or it is none
    return f"`{example}`"


def _toml(value: object) -> str:
    if value and isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


def _words(kind: Any, limits: Iterable[Any] = ()) -> str:
    """Say a type in words; `limits` are pydantic's, of the value itself."""
    arguments = typing.get_args(kind)
    match typing.get_origin(kind):
        case typing.Annotated:
            said = _words(arguments[0], [*arguments[1:], *limits])
        case origin if origin is Literal:
            said = ", ".join(f"`{each}`" for each in arguments)
        case origin if origin in (typing.Union, UnionType) and not any(map(_is_model, arguments)):
            said = " or ".join(dict.fromkeys(_words(each, limits) for each in arguments if each is not NoneType))
        case origin if origin is list:
            said = f"list of {_words(arguments[0])}".replace("list of table", "list of tables") + _limits(limits)
        case origin if origin is dict:
            said = f"table of {_words(arguments[0])} to {_words(arguments[1])}"
        case None if not _is_model(kind):
            said = BASES.get(kind, "date or time") + _limits(limits)
        case _:
            said = "table, see below"
    return said


def _is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)


def _limits(limits: Iterable[Any]) -> str:
    said = []
    for limit in limits:
        for each in limit.metadata if isinstance(limit, FieldInfo) else [limit]:
            match each:
                case Ge():
                    said.append(f"at least {each.ge}")
                case Gt():
                    said.append(f"more than {each.gt}")
                case Le():
                    said.append(f"at most {each.le}")
                case MinLen():
                    said.append(f"at least {each.min_length}")
                case MaxLen():
                    said.append(f"at most {each.max_length}")
                case _ if pattern := getattr(each, "pattern", None):
                    said.append(f"matching `{pattern}`")
    return f", {', '.join(said)}" if said else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
