"""Defects that a test plants into a run's process before it starts."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from google.cloud.bigquery import SchemaField

from flows import settings
from flows.etl import table
from flows.etl.contract import ColumnType, Contract
from flows.etl.destination import Destination
from flows.etl.formats.csv import CsvReader


def other_contracts() -> None:
    """Let the run read the contracts of another folder: another version of this code."""
    settings.CONTRACTS = Path(os.environ["OTHER_CONTRACTS"])


def narrow_first_schema() -> None:
    """Let the first load know no column but the contract's, as if another run added one while it was sent."""
    other_contracts()
    honest, calls = table.ensure, []

    def narrow(destination: Destination, contract: Contract, added: Mapping[str, ColumnType]) -> list[SchemaField]:
        fields = honest(destination, contract, added)
        calls.append(fields)
        return fields if len(calls) > 1 else table.schema(contract, {})

    table.ensure = narrow


def drop_a_row() -> None:
    """Let the converter lose the last row of each block."""
    whole = CsvReader._table  # noqa: SLF001 - the defect is deep inside, or it would be no defect

    def lossy(*arguments: Any) -> pa.Table:
        table = whole(*arguments)
        return table.slice(0, table.num_rows - 1)

    CsvReader._table = lossy  # type: ignore[method-assign,assignment] # noqa: SLF001
