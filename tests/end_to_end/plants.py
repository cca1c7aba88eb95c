"""Defects that a test plants into a run's process before it starts."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows import settings
from flows.etl.formats.csv import CsvReader


def other_contracts() -> None:
    """Let the run read the contracts of another folder: another version of this code."""
    settings.CONTRACTS = Path(os.environ["OTHER_CONTRACTS"])


def drop_a_row() -> None:
    """Let the converter lose the last row of each block."""
    whole = CsvReader._table  # noqa: SLF001 - the defect is deep inside, or it would be no defect

    def lossy(*arguments: Any) -> pa.Table:
        table = whole(*arguments)
        return table.slice(0, table.num_rows - 1)

    CsvReader._table = lossy  # type: ignore[method-assign,assignment] # noqa: SLF001
