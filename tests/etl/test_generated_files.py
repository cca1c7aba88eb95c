"""Files generated from contracts, held against what the standard library reads in them, values and all."""

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.etl import convert, formats
from flows.etl.contract import COLUMN_TYPES, Column, ColumnType, Contract, Dialect
from flows.etl.contract import Quarantine as Threshold
from flows.etl.formats import records
from flows.etl.formats.batch import BadRow
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine

MONTH = Partition.parse("month", "2021-01")
ENCODINGS = {"utf-8": "aé€\u2028\U0001f600", "latin-1": "aé\x85", "cp1252": "aé€"}
VALUES: dict[ColumnType, st.SearchStrategy[Any]] = {
    "INT64": st.integers(-(2**63), 2**63 - 1),
    "FLOAT64": st.floats(allow_nan=False, allow_infinity=False),
    "NUMERIC": st.decimals(-(10**28), 10**28, places=9),
    "BOOL": st.booleans(),
    "DATE": st.dates(),
    "TIME": st.times(),
    "DATETIME": st.datetimes(),
    "TIMESTAMP": st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1)).map(
        lambda each: each.replace(tzinfo=dt.UTC)
    ),
}
# how the standard library reads each type
READERS: dict[ColumnType, Any] = {
    "STRING": str,
    "INT64": int,
    "FLOAT64": float,
    "NUMERIC": Decimal,
    "BOOL": lambda text: {"true": True, "false": False}[text.lower()],
    "DATE": dt.date.fromisoformat,
    "TIME": dt.time.fromisoformat,
    "DATETIME": dt.datetime.fromisoformat,
    "TIMESTAMP": dt.datetime.fromisoformat,
}


class Remembering(Quarantine):
    def __init__(self) -> None:
        super().__init__(Threshold(max_rows=10**9), "file")
        self.bad: list[BadRow] = []

    def add(self, bad: list[BadRow]) -> None:
        self.bad += bad


def contract_of(kinds: list[ColumnType], written: str, dialect: Dialect) -> Contract:
    return Contract(
        name="trips",
        revision=1,
        description="",
        owner="",
        source="https://publisher.test/{yyyy}{mm}",
        format=written,  # type: ignore[arg-type]
        partition="month",
        first_partition="2021-01",
        columns=[Column(name=f"c{n}", type=kind) for n, kind in enumerate(kinds)],
        dialect=dialect,
    )


def read(
    data: bytes, agreed: Contract, block_bytes: int
) -> tuple[list[list[Any]], list[tuple[int | None, str | None]]]:
    """Give the rows that land, and the line and column of each that does not."""
    quarantine = Remembering()
    with pytest.MonkeyPatch().context() as patched:
        patched.setattr(records, "BLOCK_BYTES", block_bytes)
        with formats.read(io.BytesIO(data), agreed, MONTH, "file") as reader:
            tables = list(convert.tables(reader, agreed, MONTH, quarantine))
    landed = [list(row.values()) for table in tables for row in table.to_pylist()]
    assert all(row.pop() == dt.date(2021, 1, 1) for row in landed)
    assert reader.total == len(landed) + len(quarantine.bad)
    return landed, [(each.place.line, each.column) for each in quarantine.bad]


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    decimal: Literal[".", ","] = draw(st.sampled_from([".", ","]))
    return Dialect(
        delimiter=draw(st.sampled_from([";", "\t", "|"] if decimal == "," else [",", ";", "\t", "|"])),
        quote=draw(st.sampled_from(['"', "'"])),
        header=draw(st.booleans()),
        encoding=draw(st.sampled_from(["utf-8", "latin-1", "cp1252"])),
        null_values=draw(st.sampled_from([[""], ["NA"], ["NA", "-", ""]])),
        decimal=decimal,
    )


def written(value: Any, dialect: Dialect) -> str:
    if isinstance(value, (float, Decimal)):
        return str(value).replace(".", dialect.decimal)
    return str(value)


KINDS = st.lists(st.sampled_from(COLUMN_TYPES), min_size=2, max_size=5)


def texts(encoding: str) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(ENCODINGS[encoding] + ",;\t|'\"\r\n NA-0"), max_size=6)


@dataclass
class Written:
    """A CSV file under the pen: what should land of it, and the lines and columns of what should not."""

    kinds: list[ColumnType]
    dialect: Dialect
    end: str
    text: str = ""
    rows: list[list[Any]] = field(default_factory=list)
    bad: list[tuple[int | None, str | None]] = field(default_factory=list)

    def add(self, fields: list[str]) -> None:
        self.text += self.dialect.delimiter.join(fields) + self.end

    def quoted(self, text: str) -> str:
        quote = self.dialect.quote
        return quote + text.replace(quote, quote * 2) + quote

    def add_row(self, data: st.DataObject, *, spoiled: bool) -> None:
        """Write a row of drawn values; a spoiled one has a value that is of no type but STRING."""
        row: list[Any] = []
        fields = []
        for kind in self.kinds:
            if data.draw(st.integers(0, 4)) == 0:
                row.append(None)
                fields.append(data.draw(st.sampled_from(self.dialect.null_values)))
            else:
                row.append(data.draw(texts(self.dialect.encoding) if kind == "STRING" else VALUES[kind]))
                fields.append(self.quoted(written(row[-1], self.dialect)))
        typed = [n for n, kind in enumerate(self.kinds) if kind != "STRING"]
        if spoiled and typed:
            column = data.draw(st.sampled_from(typed))
            fields[column] = self.quoted("?")
            self.bad.append((1 + self.text.count("\n"), f"c{column}"))
        else:
            self.rows.append(row)
        self.add(fields)

    def add_misshapen(self, fields: int) -> None:
        self.bad.append((1 + self.text.count("\n"), None))
        self.add([self.quoted("1\n")] * fields)


@settings(max_examples=150, deadline=None)
@given(st.data(), KINDS, dialects(), st.integers(1, 200), st.sampled_from(["\n", "\r\n"]))
def test_a_csv_file_of_any_contract_lands_as_it_was_written_and_its_bad_rows_have_their_lines(
    data: st.DataObject, kinds: list[ColumnType], dialect: Dialect, block_bytes: int, end: str
) -> None:
    agreed = contract_of(kinds, "csv", dialect)
    file = Written(kinds, dialect, end)
    if dialect.header:
        file.add([column.name for column in agreed.columns])
    for _ in range(data.draw(st.integers(0, 10))):
        match data.draw(st.sampled_from(["good", "good", "spoiled", "blank", "short", "long"])):
            case "blank":
                file.text += end
            case "short":
                file.add_misshapen(len(kinds) - 1)
            case "long":
                file.add_misshapen(len(kinds) + 1)
            case what:
                file.add_row(data, spoiled=what == "spoiled")
    file.add_row(data, spoiled=False)
    body = file.text if data.draw(st.booleans()) else file.text.removesuffix(end)
    mark = "\ufeff" if dialect.encoding == "utf-8" and data.draw(st.booleans()) else ""
    assert read((mark + body).encode(dialect.encoding), agreed, block_bytes) == (file.rows, file.bad)


@settings(max_examples=75, deadline=None)
@given(st.data(), KINDS, st.integers(1, 40))
def test_a_csv_file_reads_as_pythons_own_csv_reader_reads_it(
    data: st.DataObject, kinds: list[ColumnType], block_bytes: int
) -> None:
    agreed = contract_of(kinds, "csv", Dialect())
    rows = data.draw(
        st.lists(
            st.tuples(*(texts("utf-8") if kind == "STRING" else VALUES[kind] for kind in kinds)),
            min_size=1,
            max_size=8,
        )
    )
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([column.name for column in agreed.columns])
    writer.writerows(rows)
    _, *read_by_python = csv.reader(io.StringIO(file.getvalue(), newline=""))
    expected = [[READERS[kind](each) for kind, each in zip(kinds, row, strict=True)] for row in read_by_python]
    assert read(file.getvalue().encode(), agreed, block_bytes) == (expected, [])


@settings(max_examples=150, deadline=None)
@given(st.data(), KINDS, st.integers(1, 200))
def test_json_lines_of_any_contract_land_as_they_were_written(
    data: st.DataObject, kinds: list[ColumnType], block_bytes: int
) -> None:
    agreed = contract_of(kinds, "jsonl", Dialect())
    first = {f"C{n}": None for n in range(len(kinds))}  # with every key, so that no column is missing from the file
    lines = [json.dumps(first)]
    expected: list[list[Any]] = [[None] * len(kinds)]
    bad: list[tuple[int | None, str | None]] = []
    for _ in range(data.draw(st.integers(0, 12))):
        number = len(lines) + 1
        match data.draw(st.sampled_from(["good", "good", "good", "blank", "nested", "broken", "twice"])):
            case "blank":
                lines.append("")
            case "broken":
                lines.append(data.draw(st.sampled_from(['{"c0": ', "[]", "5", "{'c0': 1}", '{"c0": NaN}', "null"])))
                bad.append((number, None))
            case "twice":
                lines.append('{"c0": null, "C0": null}')
                bad.append((number, None))
            case "nested":
                lines.append('{"c1": ' + data.draw(st.sampled_from(["[]", "{}", '[{"a": 1}]'])) + "}")
                bad.append((number, "c1"))
            case _:
                row: list[Any] = []
                members = []
                for n, kind in enumerate(kinds):
                    value = None
                    if data.draw(st.integers(0, 4)):
                        text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
                        value = data.draw(text if kind == "STRING" else VALUES[kind])
                    row.append(value)
                    if value is not None or data.draw(st.booleans()):
                        members.append(f'"c{n}": {member(value)}')
                lines.append("{" + ", ".join(data.draw(st.permutations(members))) + "}")
                expected.append(row)
    body = "\n".join(lines)
    assert read(body.encode(), agreed, block_bytes) == (expected, bad)


def member(value: Any) -> str:
    """Write a value as JSON; a decimal as it is, which the json module cannot."""
    if isinstance(value, Decimal):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(str(value))
