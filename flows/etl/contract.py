"""What a data set is: one TOML file, read strictly, and the fingerprint of what a change of it would change."""

import datetime as dt
import hashlib
import json
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from flows.etl.errors import ContractError
from flows.etl.partition import STYLES, Grain, Partition, latest_complete

CONVERTER = 1  # raised whenever the same source and contract would give other Parquet rows than before

ColumnType = Literal["STRING", "INT64", "FLOAT64", "NUMERIC", "BOOL", "DATE", "TIME", "DATETIME", "TIMESTAMP"]

# BigQuery's own rules: https://cloud.google.com/bigquery/docs/schemas#column_names and .../labels-intro
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,299}$")]
LabelText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]
RESERVED = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")
PARTITIONS = 10_000  # in one table: https://cloud.google.com/bigquery/quotas#partitioned_tables
CONTRACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Part(BaseModel):
    """A part of a contract: unknown keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Column(Part):
    """A column as the warehouse shows it; its name is also its name in the file."""

    name: ColumnName
    type: ColumnType
    nullable: bool = Field(True, description="false: a row without a value refuses the file")
    description: str = ""


class Dialect(Part):
    """How the publisher writes CSV."""

    delimiter: Annotated[str, StringConstraints(pattern=r"^[^\r\n\"]$")] = ","
    null_values: list[str] = Field([""], description="what an unquoted field holds when it has no value")


class Contract(Part):
    """One data set: where its files are, what is in them, and how the table is laid out."""

    name: str
    revision: Annotated[int, Field(ge=1, description="raised with each change of what lands")]
    description: str
    owner: str
    source: str = Field(description="the file's address: {yyyy} {mm} {dd} {hh} and {publisher} are filled in")
    format: Literal["csv"]
    compression: Literal["none", "gzip"] = "none"
    partition: Grain
    first_partition: str | None = None
    last_partition: str | None = Field(None, description="for a data set that has ended")
    expires_after_days: Annotated[int, Field(ge=1)] | None = Field(
        None, description="BigQuery drops a partition when its period is this old; an hourly contract must say"
    )
    clustering: Annotated[list[ColumnName], Field(max_length=4)] = []
    labels: dict[LabelText, LabelText] = {}
    dialect: Dialect = Dialect()
    columns: Annotated[list[Column], Field(min_length=1)]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        known = [column.name.lower() for column in self.columns]
        for name in known:
            if known.count(name) > 1:
                raise ValueError(f"columns: {name!r} is there twice (BigQuery compares names without case)")
            if name.startswith(RESERVED):
                raise ValueError(f"columns: {name!r} begins with a prefix that BigQuery reserves")
        for name in self.clustering:
            if name.lower() not in known:
                raise ValueError(f"clustering: {name!r} is not a column of this contract")
        self._check_periods(known)
        return self

    def _check_periods(self, columns: list[str]) -> None:
        needed = frozenset() if self.partition == "none" else STYLES[self.partition].placeholders
        found = set(PLACEHOLDER.findall(self.source)) - {"publisher"}
        if missing := sorted(needed - found):
            raise ValueError(f"source: no {{{missing[0]}}} in the address, which a partition by {self.partition} needs")
        if unknown := sorted(found - needed):
            raise ValueError(f"source: {{{unknown[0]}}} cannot be filled in for a partition by {self.partition}")
        if self.partition == "none":
            if self.first_partition or self.last_partition or self.expires_after_days:
                raise ValueError("first_partition: a snapshot has no periods, and none that expires")
            return
        if self.partition == "hour" and (self.expires_after_days or PARTITIONS) * 24 >= PARTITIONS:
            raise ValueError(
                f"expires_after_days: found {self.expires_after_days or 'none'}, expected one for a partition by hour:"
                f" a table holds {PARTITIONS:,} partitions, which is {PARTITIONS // 24} days"
            )
        if STYLES[self.partition].column in columns:
            raise ValueError(f"columns: {STYLES[self.partition].column!r} is the column that Landfall adds")
        if self.first_partition is None:
            raise ValueError("first_partition: missing, expected the first period that the publisher serves")
        first = Partition.parse(self.partition, self.first_partition)
        if self.last_partition and Partition.parse(self.partition, self.last_partition) < first:
            raise ValueError(f"last_partition: {self.last_partition} lies before {self.first_partition}")

    @cached_property
    def fingerprint(self) -> str:
        """Hash what decides a row's content: a landing under another fingerprint lands again.

        The converter's version comes first, so that a run of older code can be told from a changed contract.
        """
        deciding = {
            "columns": [[column.name, column.type, column.nullable] for column in self.columns],
            "format": [self.format, self.compression],
            "dialect": self.dialect.model_dump(),
            "partition": self.partition,
        }
        digest = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
        return f"{CONVERTER}-{digest[:16]}"

    def period(self, text: str) -> Partition:
        """Read one period, and hold it against the contract's first and last.

        Raises:
            ContractError: another grain, or a period that the publisher does not serve.
        """
        try:
            partition = Partition.parse(self.partition, text)
        except ContractError as error:
            raise ContractError(f"{self.name}: {error}; nothing was written") from error
        first, last = self.first_partition or text, self.last_partition or text
        if not Partition.parse(self.partition, first) <= partition <= Partition.parse(self.partition, last):
            raise ContractError(
                f"{self.name}: found the period {partition}, expected one from the contract's first_partition {first}"
                f" to its last_partition {self.last_partition or '(none)'}; nothing was written"
            )
        return partition

    def periods(self, first: str | None, last: str | None, now: dt.datetime) -> list[Partition]:
        """List the periods from *first* to *last*: one if only *first* is given, all that are over if neither is.

        Raises:
            ContractError: a period of another grain, outside the contract, or in the wrong order.
        """
        if self.partition == "none":
            return [self.period(text) for text in {first or "all", last or "all"}]
        if first is None:
            start = Partition.parse(self.partition, str(self.first_partition))
            end = self.period(last or self.last_partition or str(latest_complete(self.partition, now)))
        else:
            start = self.period(first)
            end = self.period(last or first)
        if end < start:
            raise ContractError(f"{self.name}: found {start} to {end}, expected the earlier first; nothing was written")
        return list(start.through(end))

    def address(self, partition: Partition, publisher: str | None) -> str:
        """Fill in the address of one period's file.

        Raises:
            ContractError: the address names a publisher and none was given.
        """
        if "{publisher}" in self.source and not publisher:
            raise ContractError(
                f"{self.name}: the source is {self.source!r} and no publisher is set, expected its address;"
                " set LANDFALL_PUBLISHER (on a laptop: make env), nothing was written"
            )
        return partition.fill(self.source).replace("{publisher}", (publisher or "").rstrip("/"))


def names(folder: Path) -> list[str]:
    """List the contracts of a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def read(folder: Path, name: str) -> Contract:
    """Read the contract *name* from its file.

    Raises:
        ContractError: there is none of that name, or the file does not hold; it says where, in the file's words.
    """
    path = folder / f"{name}.toml"
    if not CONTRACT_NAME.fullmatch(name) or not path.is_file():
        raise ContractError(
            f"contract: found {name!r}, expected one of {', '.join(names(folder))}; nothing was written"
        )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        return Contract.model_validate({**found, "name": name})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: not TOML: {error}; nothing was written") from error
    except ValidationError as error:
        raise ContractError("\n".join(_say(path, found, each) for each in error.errors())) from error
    except ContractError as error:
        raise ContractError(f"{path}: {error}; nothing was written") from error


def _say(path: Path, found: dict[str, Any], error: Any) -> str:
    """Word one of pydantic's findings: which place in which file, what is there, what should be."""
    place = ".".join(str(part) for part in error["loc"])
    match error["loc"]:
        case ("columns", int(index), *_) if isinstance(found["columns"][index], dict):
            place += f" (column {found['columns'][index].get('name', 'without a name')!r})"
    message = error["msg"].removeprefix("Value error, ")
    seen = "" if error["type"] in ("value_error", "missing") else f": found {error['input']!r}"
    return f"{path}{': ' if place else ''}{place}{seen}: {message}; nothing was written"
