"""A column as a contract declares it."""

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from flows.etl.contract.part import Part

ColumnType = Literal["STRING", "INT64", "FLOAT64", "NUMERIC", "BOOL", "DATE", "TIME", "DATETIME", "TIMESTAMP"]
COLUMN_TYPES: tuple[ColumnType, ...] = get_args(ColumnType)

# BigQuery's own rules: https://cloud.google.com/bigquery/docs/schemas#column_names
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,299}$")]
RESERVED = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")


class Column(Part):
    """A column: its name in the table, which without `aliases` is also its name in the file, and its type."""

    name: ColumnName = Field(
        description="the column's name in the table; names compare without case", examples=["zone_id"]
    )
    type: ColumnType = Field(
        description="the column's type in BigQuery; it is declared, never inferred", examples=["INT64"]
    )
    nullable: bool = Field(True, description="false: a row without a value here is a bad row", examples=[False])
    description: str = Field("", description="shown in BigQuery", examples=["Of New York City"])
    aliases: list[str] = Field([], description="other names that files give this column", examples=[["LocationID"]])
    since: str | None = Field(
        None,
        description="the first period whose file has the column: before it, its absence is no drift",
        examples=["2025-01"],
    )
