"""What a contract allows a file to get wrong: other columns, and bad rows."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flows.etl.contract.part import Part

Fraction = Annotated[float, Field(ge=0, le=1)]


class Drift(Part):
    """What happens when a file's columns are not the contract's."""

    new_column: Literal["fail", "ignore", "add"] = Field(
        "fail",
        description="a column that the contract lacks refuses the file, is left out, or is added to the table:"
        " under the type that Parquet gives it, as STRING otherwise; older partitions hold null",
        examples=["add"],
    )
    missing_column: Literal["fail", "null"] = Field(
        "fail",
        description="a column that the file lacks refuses the file, or holds null in this partition",
        examples=["null"],
    )
    ignore: list[str] = Field(
        [],
        description="names of columns that are left out whenever a file has them, whatever `new_column` says",
        examples=[["__index_level_0__"]],
    )


class Quarantine(Part):
    """How many bad rows a file may have; they are put aside, and the others land."""

    max_rows: Annotated[int, Field(ge=0)] = Field(
        0, description="more bad rows than this refuse the file", examples=[1000]
    )
    max_fraction: Fraction = Field(
        1.0, description="a greater share of bad rows than this refuses the file", examples=[0.001]
    )

    @model_validator(mode="after")
    def _allows_rows(self) -> Self:
        if self.max_fraction < 1 and not self.max_rows:
            raise ValueError(f"max_rows: found none beside max_fraction {self.max_fraction}, expected a number of rows")
        return self
