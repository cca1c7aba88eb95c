import gzip
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet
import pytest

from flows.etl import diff, head
from flows.etl.contract import Column, Contract
from flows.etl.diff import Comparison, Line
from flows.etl.errors import BadFile
from flows.etl.partition import Partition
from flows.etl.source import Source
from tests.etl.agreed import contract_of
from tests.publisher import Publisher


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as started:
        yield started


def compared(publisher: Publisher, data: bytes, agreed: Contract) -> Comparison:
    publisher.serve("/file", data)
    period = Partition.parse("month", "2021-02")
    return diff.compare(Source(agreed, period, f"{publisher.url}/file", reach=publisher.reach))


AGREED = (
    Column(name="id", type="INT64", nullable=False),
    Column(name="fee", type="FLOAT64"),
    Column(name="airport_fee", type="FLOAT64"),
    Column(name="zone", type="STRING"),
    Column(name="later", type="STRING", since="2021-03"),
)
TEXT_NOTE = "types of text are guesses from the first 2 rows; later rows may hold other values"


def test_a_csv_file_is_compared_column_by_column(publisher: Publisher) -> None:
    data = gzip.compress(b"id,Fee,airport fee,seen\n1,2,1.5,2021-01-31\n2,x,,2021-02-01\n")
    found = compared(publisher, data, contract_of(*AGREED, compression="gzip"))
    assert found == Comparison(
        columns=[
            Line("id", "INT64, not null", "like INT64", ""),
            Line("fee", "FLOAT64", "like STRING, as 'Fee'", "found 'x', expected FLOAT64: 1 bad of 2 rows"),
            Line("airport_fee", "FLOAT64", "", "missing: refuses the file"),
            Line("zone", "STRING", "", "missing: refuses the file"),
            Line("later", "STRING", "from 2021-03 on", ""),
            Line("airport fee", "", "like FLOAT64", "new: refuses the file"),
            Line("seen", "", "like DATE", "new: refuses the file"),
        ],
        lines=[
            'columns: { name = "airport_fee", type = "FLOAT64", aliases = ["airport fee"] },',
            'columns: { name = "seen", type = "DATE", since = "2021-02" },',
            '[drift] new_column = "ignore", or "add"',
            '[drift] missing_column = "null"',
            'columns: { name = "fee", type = "STRING" },',
        ],
        notes=[TEXT_NOTE],
    )
    assert not found.is_equal


def test_a_file_that_fits_is_equal(publisher: Publisher) -> None:
    found = compared(publisher, b"ID,zone,fee,airport_fee\n1,,2,NA\n2,x,,0.5\n", contract_of(*AGREED, dialect=DIALECT))
    assert (found.is_equal, found.lines, found.notes) == (True, [], [TEXT_NOTE])
    assert [line.file for line in found.columns] == [
        *("like INT64, as 'ID'", "like INT64", "like FLOAT64", "like STRING"),
        "from 2021-03 on",
    ]


DIALECT = {"null_values": ["", "NA"]}


def test_json_lines_are_compared_by_their_keys(publisher: Publisher) -> None:
    data = b'{"id": 1, "fee": 0.10, "zone": null}\n\n{"id": 2, "airport_fee": 1e2, "zone": "x", "legs": [1]}\n'
    found = compared(publisher, data, contract_of(*AGREED, format="jsonl"))
    assert [(line.column, line.file) for line in found.columns if line.what_to_do] == [("legs", "like STRING")]
    with pytest.raises(BadFile, match=r"found a line that is no JSON object \('\[1\]'\), expected one object a line"):
        compared(publisher, b"[1]\n", contract_of(*AGREED, format="jsonl"))


def test_a_parquet_file_is_compared_by_its_own_types(publisher: Publisher) -> None:
    sink = io.BytesIO()
    table = pa.table(
        {
            "id": pa.array([1], pa.int32()),
            "fee": ["1"],
            "airport_fee": pa.nulls(1),
            "zone": [[1]],
            "new": pa.array([0], pa.timestamp("ms")),
        }
    )
    pyarrow.parquet.write_table(table, sink)
    found = compared(publisher, sink.getvalue(), contract_of(*AGREED, format="parquet"))
    assert [(line.file, line.what_to_do) for line in found.columns] == [
        ("int32", ""),
        ("string", "another type: refuses the file"),
        ("null", ""),
        ("list<element: int64>", "another type: refuses the file"),
        ("from 2021-03 on", ""),
        ("timestamp[ms]", "new: refuses the file"),
    ]
    assert found.lines == [
        'columns: { name = "new", type = "DATETIME", since = "2021-02" },',
        '[drift] new_column = "ignore", or "add"',
        'columns: { name = "fee", type = "STRING" },',
    ]


def test_only_the_head_of_a_text_file_is_looked_at(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "ROWS", 2)
    agreed = contract_of(Column(name="id", type="INT64"))
    found = compared(publisher, b"id\n1\n2\n" + b"x\n" * 3_000_000, agreed)
    assert (found.is_equal, found.notes) == (True, [TEXT_NOTE])


def test_another_delimiter_is_said_and_nothing_else(publisher: Publisher) -> None:
    found = compared(publisher, b"id;fee\n1;2\n", contract_of(*AGREED))
    assert found.lines == ['[dialect] delimiter = ";"']


def test_a_line_of_json_ends_with_a_line_feed_and_nothing_else(publisher: Publisher) -> None:
    agreed = contract_of(Column(name="id", type="INT64"), Column(name="zone", type="STRING"), format="jsonl")
    data = '{"id": 1, "zone": "a\u2028b\x85"}\r\n{"id": 2, "zone": null}\n'.encode()
    assert compared(publisher, data, agreed).is_equal
