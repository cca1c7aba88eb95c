"""What a data set is: one TOML file, read strictly."""

from flows.etl.contract.checks import Check
from flows.etl.contract.column import COLUMN_TYPES, Column, ColumnType
from flows.etl.contract.contract import CONVERTER, Contract
from flows.etl.contract.dialect import Dialect
from flows.etl.contract.policy import Drift, Quarantine
from flows.etl.contract.reading import names, read

__all__ = [
    "COLUMN_TYPES",
    "CONVERTER",
    "Check",
    "Column",
    "ColumnType",
    "Contract",
    "Dialect",
    "Drift",
    "Quarantine",
    "names",
    "read",
]
