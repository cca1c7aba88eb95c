import datetime as dt
import io
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from flows.etl import formats
from flows.etl.contract import Column, Contract, Dialect, Drift
from flows.etl.errors import BadFile
from flows.etl.formats import records
from flows.etl.partition import Partition
from tests.etl import agreed as agreed_on

contract_of = partial(agreed_on.contract_of, format="jsonl")
MONTH = Partition.parse("month", "2021-01")
ID = Column(name="id", type="INT64")
X = Column(name="x", type="STRING")


def read(data: bytes, agreed: Contract) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the rows that land, and each bad row with its place and reason."""
    with formats.read(io.BytesIO(data), agreed, MONTH, "file") as reader:
        batches = list(reader)
    rows = [row for batch in batches for row in batch.table.to_pylist()]
    bad = [str(each) for batch in batches for each in batch.bad]
    assert reader.total == len(rows) + len(bad)
    return rows, bad


def test_keys_go_by_name_without_case_and_one_that_a_row_lacks_is_null() -> None:
    agreed = contract_of(Column(name="id", type="INT64", aliases=["number"]), X)
    assert read(b'\xef\xbb\xbf{"ID": 1, "x": "a"}\r\n\r\n{"X": null}\n{"number": 3}', agreed) == (
        [{"id": 1, "x": "a"}, {"id": None, "x": None}, {"id": 3, "x": None}],
        [],
    )


@pytest.mark.parametrize(
    ("column", "written", "value"),
    [
        ("INT64", "9007199254740993", 2**53 + 1),
        ("INT64", "264.0", 264),
        ("INT64", '"264"', 264),
        ("NUMERIC", "0.1", Decimal("0.1")),
        ("NUMERIC", "12345678901234567890123456789.123456789", Decimal("12345678901234567890123456789.123456789")),
        ("FLOAT64", "1E2", 100.0),
        ("BOOL", "true", True),
        ("STRING", '"\\u00e9"', "é"),
        ("DATE", '"31.01.2021"', dt.date(2021, 1, 31)),
        ("TIMESTAMP", '"2021-01-31T07:08:09Z"', dt.datetime(2021, 1, 31, 7, 8, 9, tzinfo=dt.UTC)),
    ],
)
def test_a_json_value_lands_as_its_declared_type(column: Any, written: str, value: object) -> None:
    agreed = contract_of(Column(name="x", type=column), dialect=Dialect(timestamp_formats=["%d.%m.%Y"]))
    assert read(f'{{"x": {written}}}\n'.encode(), agreed) == ([{"x": value}], [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"id": 1.5}', ", column id: found '1.5', expected INT64"),
        (b'{"id": true}', ", column id: found true, expected INT64"),
        (b'{"id": [1]}', ", column id: found a list, expected INT64"),
        (b'{"x": {"a": 1}}', ", column x: found an object, expected STRING"),
        (b'{"x": 5}', ", column x: found the number 5, expected STRING"),
        (b'{"x": "\\ud800"}', ", column x: found '\\ud800', expected STRING"),
        (b'{"x": "\\u0000"}', ", column x: found '\\x00', expected STRING"),
        (b'{"id": 1, "ID": 1}', ": found the key 'ID' twice, expected it once"),
        (b"\xff", ": found bytes that are not utf-8, expected a JSON object"),
        (b"[1]", ": found '[1]', expected a JSON object"),
    ],
)
def test_a_row_that_does_not_fit_is_put_aside_with_its_line(line: bytes, why: str) -> None:
    data = b'{"id": 1, "x": "a"}\n\n' + line + b'\n{"id": 2, "x": "b"}\n'
    assert read(data, contract_of(ID, X)) == ([{"id": 1, "x": "a"}, {"id": 2, "x": "b"}], [f"line 3{why}"])


@pytest.mark.parametrize("line", [b'{"id": NaN}', b"nope", b"[" * 100_000, b'{"id": 1'])
def test_a_line_that_is_no_json_is_put_aside(line: bytes) -> None:
    rows, bad = read(b'{"id": 1}\n' + line + b"\n", contract_of(ID))
    assert rows == [{"id": 1}]
    assert len(bad) == 1
    assert bad[0].startswith("line 2: found ")
    assert len(bad[0]) < 250


def test_a_key_that_the_contract_lacks_is_refused_left_out_or_added_as_text() -> None:
    data = b'{"id": 1, "new": 5.50}\n{"id": 2, "New": true}\n'
    with pytest.raises(BadFile, match=r"'new' is not in the contract;[\s\S]*nothing was written"):
        read(data, contract_of(ID))
    assert read(data, contract_of(ID, drift=Drift(new_column="ignore"))) == ([{"id": 1}, {"id": 2}], [])
    assert read(data, contract_of(ID, drift=Drift(new_column="add"))) == (
        [{"id": 1, "new": "5.50"}, {"id": 2, "new": "true"}],
        [],
    )


def test_a_new_key_after_the_first_rows_is_refused_unless_it_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_BYTES", 10)
    data = b'{"id": 1}\n{"id": 2}\n{"id": 3, "new": 5}\n'
    with pytest.raises(BadFile, match="'new' is not in the contract"):
        read(data, contract_of(ID))
    with pytest.raises(BadFile, match="line 3 and on: found the key 'new', which no earlier row has"):
        read(data, contract_of(ID, drift=Drift(new_column="add")))
    assert read(data, contract_of(ID, drift=Drift(new_column="ignore"))) == ([{"id": n} for n in (1, 2, 3)], [])


def test_a_column_that_no_row_of_the_first_block_has_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_BYTES", 10)
    data = b'{"id": 1}\n{"id": 2, "x": "late"}\n'
    with pytest.raises(BadFile, match="'x' is missing"):
        read(data, contract_of(ID, X))
    rows, _ = read(data, contract_of(ID, X, drift=Drift(missing_column="null")))
    assert rows == [{"id": 1, "x": None}, {"id": 2, "x": "late"}]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "file: found no record, expected JSON lines"),
        (b"id,x\n1,a\n", "file: line 1: found 'id,x', expected a JSON object"),
        (b'[{"id": 1}]', "file: line 1: found '\\[{\"id\": 1}\\]', expected a JSON object"),
        (b'{"id": 1}\n"' + b"y" * (17 << 20), "file: line 2: found a record longer than 16 MiB"),
        (
            b"".join(b'{"%d": 1}\n' % n for n in range(10_001)),
            "file: found more than 10,000 keys",
        ),
    ],
)
def test_a_file_that_holds_no_json_lines_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFile, match=f"{why}.*nothing was written"):
        read(data, contract_of(ID))
