"""What commands print: tables for people, JSON for programs, and plain lines that can be copied."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sized
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from flows.terminal import console

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from flows.etl.diff import Comparison


def print_table(table: Table) -> None:
    """Print a table, if it has rows."""
    if table.row_count:
        console().print(table)


def print_json(rows: Iterable[DataclassInstance | Mapping[str, Any]]) -> None:
    """Print one JSON object a row and line: no markup, no wrapping. Times are ISO 8601."""
    for row in rows:
        found = row if isinstance(row, Mapping) else dataclasses.asdict(row)
        print(json.dumps(found, default=_plain))


def counted(found: Sized, noun: str) -> str:
    """Say how many there are: a table's last line, also for scripts."""
    return f"{len(found)} {noun}{'' if len(found) == 1 else 's'}"


def _plain(value: object) -> str:
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (Decimal, Path)):
        return str(value)
    raise TypeError(f"found {value!r}, expected what JSON can hold")


def print_comparison(found: Comparison, title: str, file: str) -> None:
    """Print a contract's comparison with a file."""
    table = Table(title=Text(title), title_justify="left")
    for head in ("column", "contract", "file", "what to do"):
        table.add_column(head)
    for line in found.columns:
        table.add_row(*(Text(each) for each in (line.column, line.contract, line.file, line.what_to_do)))
    console().print(table)
    for note in found.notes:
        print(f"note: {note}")
    if found.is_equal:
        print("the contract fits the file")
        return
    print(f"the contract differs from the file; if the file is right, write into {file} and raise its revision:")
    for each in found.lines:
        print(f"  {each}")
