import datetime as dt
import io
from typing import Any

import pytest

from flows.etl import convert, formats
from flows.etl.contract import Column, Contract, Dialect, Drift
from flows.etl.errors import BadFile, Unequal
from flows.etl.formats import records, text
from flows.etl.formats.batch import Batch
from flows.etl.formats.csv import CsvReader
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine
from tests.etl.agreed import contract_of

MONTH = Partition.parse("month", "2021-01")
ID = Column(name="id", type="INT64")
X = Column(name="x", type="STRING")


def batches(data: bytes, agreed: Contract) -> list[Batch]:
    reader = CsvReader(io.BytesIO(data), agreed, MONTH, "file")
    found = list(reader)
    assert reader.total == sum(batch.table.num_rows + len(batch.bad) for batch in found)
    return found


def rows(found: list[Batch]) -> list[dict[str, Any]]:
    return [row for batch in found for row in batch.table.to_pylist()]


def bad(found: list[Batch]) -> list[tuple[int, int | None, str | None, str, str]]:
    return [
        (each.place.record, each.place.line, each.column, each.reason, each.place.raw)
        for batch in found
        for each in batch.bad
    ]


def lands(data: bytes, dialect: Dialect) -> list[dict[str, Any]]:
    found = batches(data, contract_of(ID, X, dialect=dialect))
    assert bad(found) == []
    return rows(found)


@pytest.mark.parametrize(
    ("data", "dialect", "x"),
    [
        (b"id;x\n1;a,b\n", Dialect(delimiter=";"), "a,b"),
        (b"id\tx\n1\ta\n", Dialect(delimiter="\t"), "a"),
        (b"id|x\n1|a\n", Dialect(delimiter="|"), "a"),
        (b"id,x\n1,'a,''\n'\n", Dialect(quote="'"), "a,'\n"),
        (b'id,x\n1,"a\n', Dialect(quote=""), '"a'),
        (b"1,a\n", Dialect(header=False), "a"),
        (b"\xef\xbb\xbf1,a\n", Dialect(header=False), "a"),
        (b"\xef\xbb\xbfid,x\n1,\xc3\xa9\n", Dialect(), "é"),
        (b"id,x\n1,\xe9\x80\n", Dialect(encoding="latin-1"), "é\x80"),
        (b"id,x\n1,\xe9\x80\n", Dialect(encoding="cp1252"), "é€"),
        (b"id,x\n1,NA\n", Dialect(null_values=["NA", "-"]), None),
        (b"id,x\n1,-\n", Dialect(null_values=["NA", "-"]), None),
        (b'id,x\n1,"NA"\n', Dialect(null_values=["NA"]), "NA"),
        (b"id,x\n1,\n", Dialect(null_values=["NA"]), ""),
        (b"id,x\r\n1,a\r\n\r\n", Dialect(), "a"),
        (b'\n\r\nid,"x"\n\n1,"a\rb"', Dialect(), "a\rb"),
        (b'id,x\n1,"a"b"c"\n', Dialect(), 'ab"c"'),
        (b'id,x\n"1",', Dialect(), None),
    ],
)
def test_a_dialect_is_read_as_the_contract_says(data: bytes, dialect: Dialect, x: str | None) -> None:
    assert lands(data, dialect) == [{"id": 1, "x": x}]


def test_each_row_that_does_not_fit_is_put_aside_with_its_place_and_the_others_keep_their_order() -> None:
    data = b"\n".join(
        [
            b"id,x",
            b"1,a",
            b"",
            b'2,"two\nlines"',
            b"three,b",
            b"4",
            b"5,b,c",
            b"6,\xff",
            b"7,a\0b",
            b"8,a\rb",
            b"9,z",
        ]
    )
    found = batches(data, contract_of(ID, X))
    assert rows(found) == [{"id": 1, "x": "a"}, {"id": 2, "x": "two\nlines"}, {"id": 9, "x": "z"}]
    assert bad(found) == [
        (3, 6, "id", "found 'three', expected INT64", "three,b"),
        (4, 7, None, "found 1 fields, expected 2", "4"),
        (5, 8, None, "found 3 fields, expected 2", "5,b,c"),
        (6, 9, None, "found bytes that are not utf-8, expected text in the contract's encoding", "6,\\xff"),
        (7, 10, None, "found a NUL byte, expected text", "7,a\0b"),
        (
            8,
            11,
            None,
            "found a carriage return alone, expected lines that end with a line feed, or with both",
            "8,a\rb",
        ),
    ]
    places = [(place.record, place.line, place.raw) for place in map(found[0].place, range(3))]
    assert places == [(1, 2, "1,a"), (2, 4, '2,"two\nlines"'), (9, 12, "9,z")]


def test_a_byte_that_cp1252_does_not_have_makes_a_bad_row() -> None:
    found = batches(b"id,x\n1,\x81\n2,\x80\n", contract_of(ID, X, dialect=Dialect(encoding="cp1252")))
    assert rows(found) == [{"id": 2, "x": "€"}]
    assert bad(found)[0][:3] == (1, 2, None)


def test_a_bad_rows_text_is_cut() -> None:
    found = batches(b"id,x\nx," + "é".encode() * 5000 + b"\n", contract_of(ID, X))
    assert bad(found)[0][4] == "x," + "é" * 998


def test_a_file_of_bad_rows_alone_gives_each_of_them() -> None:
    found = batches(b"id,x\n\xff\n1\n", contract_of(ID, X))
    assert (rows(found), len(bad(found))) == ([], 2)


def test_a_mark_of_byte_order_in_the_middle_of_a_file_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_BYTES", 4)
    found = batches("x,id\na,1\n\ufeffb,2\n\ufeffc,3\n".encode(), contract_of(ID, X))
    assert [row["x"] for row in rows(found)] == ["a", "\ufeffb", "\ufeffc"]


@pytest.mark.parametrize("stray", [b"1,2\r3,4\n\r\r\n", b"1,2\r3,4\n", b"\r\n\r\r\n1,2\n", b"1,2\r"])
def test_a_carriage_return_alone_ends_no_record_and_loses_none(stray: bytes) -> None:
    # pyarrow takes it for the end of a line: it finds a row more, or an empty line less
    found = batches(b"id,x\n" + stray, contract_of(ID, X))
    assert len(bad(found)) >= 1


def test_a_header_of_an_old_mac_is_refused() -> None:
    with pytest.raises(BadFile, match="file: line 1: found a carriage return inside the header"):
        batches(b"id,x\r1,a\r2,b\r", contract_of(ID, X))


def test_columns_that_are_written_otherwise_are_read_at_once_from_their_second_block_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "BLOCK_BYTES", 64)
    agreed = contract_of(ID, Column(name="y", type="INT64"), Column(name="t", type="DATETIME"))
    lines = "".join(f"{n},{n}.0,2021-01-31 07:08:09.123456000\n" for n in range(100))
    reader = CsvReader(io.BytesIO(f"id,y,t\n{lines}".encode()), agreed, MONTH, "file")
    seen = []
    by_record = reader._by_record  # noqa: SLF001 - how often a block is read is what this is about

    def noted(block: records.Block) -> Batch:
        seen.append(block.first)
        return by_record(block)

    monkeypatch.setattr(reader, "_by_record", noted)
    moment = dt.datetime(2021, 1, 31, 7, 8, 9, 123456)
    assert rows(list(reader)) == [{"id": n, "y": n, "t": moment} for n in range(100)]
    assert len(seen) == 2  # once for each of the two columns


def test_a_column_that_drift_leaves_out_is_not_read_and_one_that_it_adds_is_text() -> None:
    data = b"new,id\nnope,1\n7,2\n"
    left_out = batches(data, contract_of(ID, drift=Drift(new_column="ignore")))
    assert rows(left_out) == [{"id": 1}, {"id": 2}]
    added = batches(data, contract_of(ID, drift=Drift(new_column="add")))
    assert rows(added) == [{"id": 1, "new": "nope"}, {"id": 2, "new": "7"}]


def test_a_column_that_the_file_lacks_is_null_in_good_and_in_bad_blocks() -> None:
    agreed = contract_of(ID, X, drift=Drift(missing_column="null"))
    assert rows(batches(b"id\n1\n2\n", agreed)) == [{"id": 1, "x": None}, {"id": 2, "x": None}]
    assert rows(batches(b"id\n1\nz\n", agreed)) == [{"id": 1, "x": None}]


def test_a_header_that_names_no_column_is_refused_whatever_drift_allows() -> None:
    agreed = contract_of(ID, X, drift=Drift(new_column="ignore", missing_column="null"))
    with pytest.raises(BadFile, match="nothing was written"):
        batches(b"id;x\n1;a\n", agreed)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"id,x\xff\n1,a\n", "file: the header is not utf-8"),
        (b",".join(b"c%d" % n for n in range(10_001)) + b"\n", "file: found 10,001 columns, expected at most 10,000"),
        (b"x" * (5 << 20), "file: line 1: found a header longer than 4 MiB"),
        (b"id,x\n1,a\n" + b"y" * (50 << 20), "file: line 3: found a record longer than 16 MiB"),
        (b'id,x\n1,a\n\n2,"' + b"y\n" * (10 << 20), "file: line 4: found a record longer than 16 MiB"),
        (b'id,x\n1,"a\nb"\n2,"', "file: line 4: found a quote that is never closed"),
    ],
)
def test_a_file_that_is_out_of_bounds_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFile, match=f"{why}.*nothing was written"):
        batches(data, contract_of(ID, X))


def test_a_field_longer_than_a_value_may_be_is_a_bad_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "FIELD_BYTES", 20)
    found = batches(b"id,x\n1,a\n2," + b"y" * 21 + b"\n", contract_of(ID, X))
    assert rows(found) == [{"id": 1, "x": "a"}]
    assert bad(found)[0][:3] == (2, 3, "x")


def test_a_parser_that_disagrees_about_the_records_stops_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = CsvReader(io.BytesIO(b"id,x\n1,a\n2,b\n"), contract_of(ID, X), MONTH, "file")
    read = reader._read  # noqa: SLF001 - the fault is deep inside
    monkeypatch.setattr(reader, "_read", lambda *arguments: read(*arguments).slice(1))
    with pytest.raises(Unequal, match="found 1 rows by the parser, expected 2, which is what the bytes hold"):
        list(reader)


def test_the_line_of_a_bad_value_is_right_after_a_million_rows() -> None:
    count = 1_000_001
    body = b"id\n" + b"1234567\n" * (count - 2) + b'"\n7"\n\nx\n'
    found = batches(body, contract_of(ID))
    # a number in quotes may not have a line feed before it
    assert [each[:4] for each in bad(found)] == [
        (count - 1, count, "id", "found '\\n7', expected INT64"),
        (count, count + 3, "id", "found 'x', expected INT64"),
    ]


def test_a_missing_value_is_refused_with_its_line_and_the_row_as_written() -> None:
    agreed = contract_of(Column(name="id", type="INT64", nullable=False), X)
    with formats.read(io.BytesIO(b'id,x\n1,"\n"\n,a\n'), agreed, MONTH, "file") as reader:
        (batch,) = reader
    assert batch.place(1).raw == ",a"
    with (
        formats.read(io.BytesIO(b'id,x\n1,"\n"\n,a\n'), agreed, MONTH, "file") as reader,
        pytest.raises(BadFile, match="file: line 4, column id: found no value, expected INT64"),
    ):
        list(convert.tables(reader, agreed, MONTH, Quarantine(agreed.quarantine, "file")))
