"""Each contract against small files in the shape of the real ones: what lands is what an independent reader finds.

A fixture is `fixtures/<contract>_<period>.<format>`, plain text also where the publisher compresses it. A new contract
needs one, and no line here.
"""

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from flows.etl import arrow, contract, convert, formats
from flows.etl.contract import Column, ColumnType, Contract
from flows.etl.decode import decompress
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine

CONTRACTS = Path(__file__).parents[2] / "flows" / "contracts"
FIXTURES = sorted((Path(__file__).parent / "fixtures").iterdir())


def contract_of(fixture: Path) -> tuple[Contract, Partition]:
    name, _, period = fixture.stem.rpartition("_")
    agreed = contract.read(CONTRACTS, name)
    return agreed, agreed.period(period)


def published(fixture: Path, compression: str) -> bytes:
    """Give the fixture as its publisher sends it."""
    data = fixture.read_bytes()
    match compression:
        case "gzip":  # in two members, as some tools write it
            return gzip.compress(data[:100], mtime=0) + gzip.compress(data[100:], mtime=0)
        case "zip":
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr(fixture.name, data)
            return archive.getvalue()
        case _:
            return data


def landed(fixture: Path) -> tuple[pa.Table, int]:
    """Read a fixture as a landing would, the clean hook left out: what is in it, and the count from its bytes."""
    agreed, period = contract_of(fixture)
    body: Any = io.BytesIO(published(fixture, agreed.compression))
    with decompress(body, agreed, "file") as stream, formats.read(stream, agreed, period, "file") as reader:
        plain = agreed.model_copy(update={"clean": None})
        tables = list(convert.tables(reader, plain, period, Quarantine(agreed.quarantine, "file")))
        return pa.concat_tables(tables), reader.total


def independent(fixture: Path, agreed: Contract) -> Iterator[dict[str, Any]]:
    """Read a fixture with other people's code: pandas for text, DuckDB for Parquet. Names in lower case."""
    match agreed.format:
        case "csv":
            dialect = agreed.dialect
            frame = pd.read_csv(
                fixture,
                dtype=str,
                keep_default_na=False,
                sep=dialect.delimiter,
                quotechar=dialect.quote or '"',
                quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
                encoding=dialect.encoding,
                header=0 if dialect.header else None,
                names=None if dialect.header else [column.name for column in agreed.columns],
            )
            for row in frame.to_dict("records"):
                yield {str(name).lower(): None if text in dialect.null_values else text for name, text in row.items()}
        case "jsonl":
            for line in fixture.read_text().splitlines():
                yield {name.lower(): value for name, value in json.loads(line).items()}
        case "parquet":
            found = duckdb.connect().execute("SELECT * FROM read_parquet($1)", [str(fixture)])
            names = [str(each[0]).lower() for each in found.description or []]
            for values in found.fetchall():
                yield dict(zip(names, values, strict=True))


READ: dict[ColumnType, Callable[[str], object]] = {
    "STRING": str,
    "INT64": lambda text: int(Decimal(text)),
    "FLOAT64": float,
    "NUMERIC": Decimal,
    "BOOL": lambda text: {"true": True, "false": False}[text.lower()],
    "DATE": dt.date.fromisoformat,
    "TIME": dt.time.fromisoformat,
    "DATETIME": dt.datetime.fromisoformat,
    "TIMESTAMP": lambda text: dt.datetime.fromisoformat(text).astimezone(dt.UTC),
}


def expected(row: dict[str, Any], column: Column) -> object:
    """Read a row's value as the column's type, with Python's own parsers."""
    names = [name.lower() for name in (column.name, *column.aliases)]
    value = next((row[name] for name in names if name in row), None)
    return (
        None if value is None else READ[column.type](str(value) if column.type == "STRING" else str(value).strip(" \t"))
    )


@pytest.mark.parametrize("name", contract.names(CONTRACTS))
def test_what_was_proposed_of_a_contract_has_been_looked_at_by_a_person(name: str) -> None:
    text = (CONTRACTS / f"{name}.toml").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if "# review:" in line or '"TODO' in line] == []


def test_every_contract_has_a_fixture_and_every_fixture_a_contract() -> None:
    assert {fixture.stem.rpartition("_")[0] for fixture in FIXTURES} == set(contract.names(CONTRACTS))


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_what_lands_of_a_fixture_is_what_an_independent_reader_finds(fixture: Path) -> None:
    agreed, period = contract_of(fixture)
    table, total = landed(fixture)
    rows = list(independent(fixture, agreed))
    assert 1 <= len(rows) <= 20
    assert total == len(rows)
    in_period = {period.column: period.value} if period.column else {}
    assert table.to_pylist() == [{c.name: expected(row, c) for c in agreed.columns} | in_period for row in rows]
    assert table.schema.equals(arrow.schema(agreed.columns, period))


@pytest.mark.parametrize("name", contract.names(CONTRACTS))
def test_a_contract_says_what_it_is_about_and_what_no_name_tells(name: str) -> None:
    agreed = contract.read(CONTRACTS, name)
    assert agreed.description
    assert agreed.owner
    assert [c.name for c in agreed.columns if c.type in {"DATETIME", "TIMESTAMP"} and not c.description] == []
