"""How a publisher writes text files."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from flows.etl.contract.part import Part

Encoding = Literal["utf-8", "latin-1", "cp1252"]


class Dialect(Part):
    """How the publisher writes CSV; JSON lines have `timestamp_formats` alone of it."""

    delimiter: Annotated[str, StringConstraints(pattern=r"^[\t !#-/:-@\[-^{-~]$")] = Field(
        ",", description="between two fields", examples=[";"]
    )
    quote: Annotated[str, StringConstraints(pattern=r"^[\"']?$")] = Field(
        '"', description="around a field, doubled inside it; empty: no field is quoted", examples=["'"]
    )
    header: bool = Field(
        True,
        description="false: the first line is a record, and columns come in the contract's order",
        examples=[False],
    )
    encoding: Encoding = Field(
        "utf-8", description="of the file's text; a byte order mark is skipped in utf-8", examples=["cp1252"]
    )
    null_values: list[str] = Field(
        [""], description="what an unquoted field holds when it has no value", examples=[["", "N/A"]]
    )
    decimal: Literal[".", ","] = Field(".", description="between a number's whole and its fraction", examples=[","])
    timestamp_formats: list[str] = Field(
        [],
        description="how dates and times are written, in strptime's codes, tried in order; empty: ISO 8601",
        examples=[["%d.%m.%Y %H:%M"]],
    )

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if self.delimiter == self.quote:
            raise ValueError(f"delimiter: found {self.delimiter!r} as the quote too, expected two characters")
        if self.delimiter == self.decimal:
            raise ValueError(f"decimal: found {self.decimal!r} as the delimiter too, expected two characters")
        return self
