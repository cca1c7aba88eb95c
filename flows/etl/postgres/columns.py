"""A contract's columns and types in Postgres, without loss."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from flows.etl.contract import Column, ColumnType
from flows.etl.errors import DatabaseRefused
from flows.etl.partition import Partition

# in the words in which Postgres tells them again
TYPES: dict[ColumnType, str] = {
    "STRING": "text",
    "INT64": "bigint",
    "FLOAT64": "double precision",  # with NaN and the infinities
    "NUMERIC": "numeric(38,9)",
    "BOOL": "boolean",
    "DATE": "date",
    "TIME": "time without time zone",
    "DATETIME": "timestamp without time zone",
    "TIMESTAMP": "timestamp with time zone",
}
NAME_BYTES = 63  # Postgres would cut a longer one without a word
OWN = (
    "tableoid",
    "xmin",
    "cmin",
    "xmax",
    "cmax",
    "ctid",
)  # https://www.postgresql.org/docs/current/ddl-system-columns.html


def name(column: str) -> str:
    """Give a column's name in Postgres: in lower case, so that nobody needs to quote it; names compare without case."""
    return column.lower()


def types(columns: Iterable[Column], partition: Partition, where: str) -> dict[str, str]:
    """Give names and types of columns, and of the period's behind them.

    Raises:
        DatabaseRefused: a name cannot be one in Postgres.
    """
    found = {name(column.name): TYPES[column.type] for column in columns}
    if partition.column and partition.column_type:
        found[partition.column] = TYPES[partition.column_type]
    for each in found:
        if len(each) > NAME_BYTES or each in OWN:
            why = "a name that Postgres keeps for itself" if each in OWN else f"{len(each)} characters"
            raise DatabaseRefused(
                f"{where}: found the column {each!r}, {why}, expected another name of at most {NAME_BYTES}; name it"
                " otherwise in the contract, with this name as an alias; nothing was written"
            )
    return found


def unfit(table: pa.Table) -> Iterator[tuple[int, str, str]]:
    """Find the rows that Postgres cannot hold: its text has no NUL. Gives position, column and reason of each."""
    for field, values in zip(table.schema, table.columns, strict=True):
        if pa.types.is_string(field.type):
            for position in pc.indices_nonzero(pc.match_substring(values, "\0")).to_pylist():
                yield position, field.name, "found a NUL character, expected a text without: Postgres holds none"
