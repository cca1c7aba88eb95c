import base64
import datetime as dt
import io
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from pyarrow.parquet import encryption

from flows.etl import convert, formats
from flows.etl.contract import Column, Contract
from flows.etl.contract import Quarantine as Threshold
from flows.etl.errors import BadFile
from flows.etl.formats import footer, parquet
from flows.etl.formats.batch import BadRow, Place
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine
from tests.etl import agreed as agreed_on

contract_of = partial(agreed_on.contract_of, format="parquet")
MONTH = Partition.parse("month", "2021-02")
US = pa.timestamp("us")


def one(kind: Any, **more: Any) -> Contract:
    return contract_of(Column(name="x", type=kind), **more)


def file_of(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, **options)
    return sink.getvalue()


def column(values: Any, kind: pa.DataType, **options: Any) -> bytes:
    values = pa.array(values, kind) if isinstance(values, list) else values
    return file_of(pa.table({"x": values}), **options)


def read(data: bytes, agreed: Contract) -> tuple[list[dict[str, Any]], list[BadRow], int]:
    """Give the rows that land, the bad ones and the count."""
    with formats.read(io.BytesIO(data), agreed, MONTH, "file") as reader:
        batches = list(reader)
        rows = pa.concat_tables(batch.table for batch in batches).to_pylist()
        assert batches[0].table.schema.names == [each.name for each in reader.matched.landing]
        return rows, [bad for batch in batches for bad in batch.bad], reader.total


def landed(data: bytes, agreed: Contract) -> list[Any]:
    rows, bad, total = read(data, agreed)
    assert (bad, total) == ([], len(rows))
    return [row["x"] for row in rows]


def refusal(data: bytes, agreed: Contract) -> str:
    with pytest.raises(BadFile) as caught:
        read(data, agreed)
    said = str(caught.value)
    assert said.startswith(("file: found ", "file: column ")), said
    assert said.endswith("nothing was written"), said
    return said


@pytest.mark.parametrize(
    ("stored", "values", "declared", "expected"),
    [
        (pa.string(), ["a", None, ""], "STRING", ["a", None, ""]),
        (pa.large_string(), ["ü"], "STRING", ["ü"]),
        (pa.string_view(), ["ü"], "STRING", ["ü"]),
        (pa.binary(), ["ü".encode()], "STRING", ["ü"]),
        (pa.json_(), ["{}"], "STRING", ["{}"]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a", None], "STRING", ["a", "b", "a", None]),
        (pa.int32(), [1, None, -1], "INT64", [1, None, -1]),
        (pa.uint8(), [255], "INT64", [255]),
        (pa.uint64(), [2**63 - 1], "INT64", [2**63 - 1]),
        (pa.float64(), [1.0, None, -(2.0**60)], "INT64", [1, None, -(2**60)]),
        (pa.decimal128(5, 2), [Decimal("3.00")], "INT64", [3]),
        (pa.int64(), [2**53], "FLOAT64", [2.0**53]),
        (pa.float32(), [0.5], "FLOAT64", [0.5]),
        (pa.float16(), [0.5], "FLOAT64", [0.5]),
        (pa.decimal128(15, 2), [Decimal("9999999999999.99")], "FLOAT64", [9999999999999.99]),
        (pa.decimal128(5, 2), [Decimal("1.25")], "NUMERIC", [Decimal("1.25")]),
        (pa.decimal128(38, 10), [Decimal("1.1234567890")], "NUMERIC", [Decimal("1.123456789")]),
        (pa.int64(), [-(2**63)], "NUMERIC", [Decimal(-(2**63))]),
        (pa.bool_(), [True, None], "BOOL", [True, None]),
        (pa.date32(), [dt.date(1, 1, 1), dt.date(9999, 12, 31)], "DATE", [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
        (US, [dt.datetime(2021, 1, 31)], "DATE", [dt.date(2021, 1, 31)]),
        (pa.time32("s"), [dt.time(23, 59, 59)], "TIME", [dt.time(23, 59, 59)]),
        (pa.time64("ns"), [1000], "TIME", [dt.time(0, 0, 0, 1)]),
        (pa.timestamp("ms"), [dt.datetime(3019, 1, 1)], "DATETIME", [dt.datetime(3019, 1, 1)]),
        (pa.timestamp("ns"), [1000], "DATETIME", [dt.datetime(1970, 1, 1, 0, 0, 0, 1)]),
        (pa.date32(), [dt.date(2021, 1, 31)], "DATETIME", [dt.datetime(2021, 1, 31)]),
        (
            pa.timestamp("ms", "America/New_York"),
            [dt.datetime(2021, 1, 1, tzinfo=dt.UTC)],
            "TIMESTAMP",
            [dt.datetime(2021, 1, 1, tzinfo=dt.UTC)],
        ),
        # a column of nulls is one of any type: TLC's empty columns come as INT32, as double, and as no type at all
        (pa.null(), [None, None], "FLOAT64", [None, None]),
        (pa.int32(), [None, None], "STRING", [None, None]),
        (pa.float64(), [None, None], "DATETIME", [None, None]),
    ],
)
def test_a_stored_type_becomes_the_declared_one(
    stored: pa.DataType, values: list[Any], declared: Any, expected: list[Any]
) -> None:
    assert landed(column(values, stored), one(declared)) == expected


def test_nan_lands_as_it_is() -> None:
    first, second = landed(column([float("nan"), float("inf")], pa.float64()), one("FLOAT64"))
    assert (first != first, second) == (True, float("inf"))  # noqa: PLR0124 - only NaN differs from itself


@pytest.mark.parametrize(
    ("stored", "value", "good", "declared", "found"),
    [
        (pa.float64(), 1.5, 1.0, "INT64", "1.5"),
        (pa.float64(), float("nan"), 1.0, "INT64", "nan"),
        (pa.float64(), 2.0**63, 1.0, "INT64", "9.223372036854776e+18"),
        (pa.uint64(), 2**63, 1, "INT64", "9223372036854775808"),
        (pa.decimal128(5, 2), Decimal("1.50"), Decimal("1.00"), "INT64", "1.50"),
        (pa.int64(), 2**53 + 1, 1, "FLOAT64", "9007199254740993"),
        (pa.decimal128(38, 10), Decimal("0.0000000001"), Decimal(1), "NUMERIC", "1E-10"),
        (pa.decimal128(38, 0), Decimal(10**29), Decimal(1), "NUMERIC", "100000000000000000000000000000"),
        (pa.binary(), b"\xff", b"a", "STRING", r"b'\xff'"),
        (pa.date32(), -719_163, 0, "DATE", "0000-12-31"),
        (US, dt.datetime(2021, 1, 31, 5), dt.datetime(2021, 1, 31), "DATE", "2021-01-31 05:00:00.000000"),
        (pa.time64("ns"), 1, 0, "TIME", "00:00:00.000000001"),
        (pa.time64("us"), 86_400_000_000, 0, "TIME", "<value out of range: 86400000000>"),
        (pa.timestamp("ns"), 1, 0, "DATETIME", "1970-01-01 00:00:00.000000001"),
        (pa.timestamp("ms"), 253_402_300_800_000, 0, "DATETIME", "10000-01-01 00:00:00.000"),
        (pa.timestamp("s", "UTC"), -62_135_596_801, 0, "TIMESTAMP", "0000-12-31 23:59:59.000Z"),
    ],
)
def test_a_value_that_does_not_fit_is_a_bad_row_and_the_others_land(
    stored: pa.DataType, value: Any, good: Any, declared: Any, found: str
) -> None:
    agreed = contract_of(Column(name="n", type="INT64"), Column(name="x", type=declared))
    table = pa.table({"n": pa.array([1, 2, 3]), "x": pa.array([good, value, None], stored)})
    rows, bad, total = read(file_of(table), agreed)
    assert [row["n"] for row in rows] == [1, 3]
    assert bad == [BadRow(bad[0].place, "x", f"found {found}, expected {declared}")]
    assert str(bad[0]) == f"row 2, column x: found {found}, expected {declared}"
    assert bad[0].place == Place(2, None, f'{{"n": 2, "x": {found}}}')
    assert total == 3


def test_a_text_that_is_no_utf8_is_a_bad_value() -> None:
    # Parquet's own annotation says UTF8, and nobody looks: pyarrow writes it unseen, and reads it so
    damaged = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffa")]
    )
    rows, bad, _ = read(column(damaged, pa.string()), one("STRING"))
    assert rows == [{"x": "a"}]
    assert [str(each) for each in bad] == [r"row 1, column x: found b'\xff', expected STRING"]


def test_bad_rows_keep_their_numbers_and_positions_far_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 1000)
    values = [float(number) for number in range(5000)]
    values[17], values[3333], values[4999] = 0.5, 0.25, 1e300
    data = column(values, pa.float64(), row_group_size=1500)
    rows, bad, total = read(data, one("INT64"))
    assert [each.place.record for each in bad] == [18, 3334, 5000]
    assert [row["x"] for row in rows] == [number for number in range(5000) if number not in (17, 3333, 4999)]
    assert total == 5000
    with formats.read(io.BytesIO(data), one("INT64"), MONTH, "file") as reader:
        places = [batch.place(position) for batch in reader for position in range(batch.table.num_rows)]
    assert [place.record - 1 for place in places] == [row["x"] for row in rows]
    assert places[3000].raw == f'{{"x": {rows[3000]["x"]}.0}}'


def test_a_row_that_is_bad_twice_is_one_bad_row_and_long_ones_are_cut() -> None:
    agreed = contract_of(
        Column(name="a", type="INT64"), Column(name="b", type="INT64"), Column(name="c", type="STRING")
    )
    table = pa.table({"a": [0.5], "b": [0.5], "c": ["x" * 5000]})
    rows, (bad,), _ = read(file_of(table), agreed)
    assert (rows, bad.column) == ([], "a")
    assert bad.place.raw == '{"a": 0.5, "b": 0.5, "c": \'' + "x" * 99 + "...}"


def test_bad_rows_go_to_the_quarantine_up_to_the_contracts_threshold() -> None:
    data = column([1.0, 0.5, 2.0], pa.float64())

    def convert_with(allowed: int) -> pa.Table:
        agreed = one("INT64", quarantine=Threshold(max_rows=allowed))
        with formats.read(io.BytesIO(data), agreed, MONTH, "file") as reader:
            return pa.concat_tables(convert.tables(reader, agreed, MONTH, Quarantine(agreed.quarantine, "file")))

    assert convert_with(1)["x"].to_pylist() == [1, 2]
    with pytest.raises(BadFile, match=r"file: row 2, column x: found 0\.5, expected INT64"):
        convert_with(0)


@pytest.mark.parametrize(
    ("stored", "value", "declared", "line"),
    [
        (pa.string(), "a", "INT64", '{ name = "x", type = "STRING" },'),
        (pa.int64(), 1, "STRING", '{ name = "x", type = "INT64" },'),
        (pa.float64(), 0.5, "NUMERIC", '{ name = "x", type = "FLOAT64" },'),
        (pa.decimal128(16, 2), Decimal(1), "FLOAT64", '{ name = "x", type = "NUMERIC" },'),
        (pa.int64(), 1, "BOOL", '{ name = "x", type = "INT64" },'),
        (US, dt.datetime(2021, 1, 1), "TIMESTAMP", '{ name = "x", type = "DATETIME" },'),
        (pa.timestamp("us", "UTC"), dt.datetime(2021, 1, 1), "DATETIME", '{ name = "x", type = "TIMESTAMP" },'),
        (pa.timestamp("us", "UTC"), dt.datetime(2021, 1, 1), "DATE", '{ name = "x", type = "TIMESTAMP" },'),
        (pa.list_(pa.int64()), [1], "INT64", "no column type holds them"),
        (pa.struct({"a": pa.int64()}), {"a": 1}, "STRING", "no column type holds them"),
        (pa.decimal128(38, 20), Decimal(1), "FLOAT64", "no column type holds them"),
        (pa.uuid(), b"x" * 16, "STRING", "no column type holds them"),
        (pa.duration("us"), 1, "INT64", "no column type holds them"),
    ],
)
def test_a_column_of_another_kind_is_refused_with_the_line_to_write(
    stored: pa.DataType, value: Any, declared: Any, line: str
) -> None:
    said = refusal(column([None, value], stored), one(declared))
    assert said.startswith(
        f"file: column x: found values of the type {str(stored).replace('item', 'element')}, expected {declared}; "
    )
    assert line in said


def test_int96_says_more_than_any_unit_holds_and_nothing_of_it_is_lost_silently() -> None:
    def int96_of(*values: Any, unit: str = "us") -> bytes:
        return column(pa.array(values, pa.timestamp(unit)), US, use_deprecated_int96_timestamps=True)

    wide = [
        dt.datetime(1, 1, 1),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999),
        None,
        dt.datetime(3019, 1, 1, 0, 0, 0, 7),
    ]
    assert landed(int96_of(*wide), one("DATETIME")) == wide
    assert landed(int96_of(dt.datetime(2021, 1, 1)), one("TIMESTAMP")) == [dt.datetime(2021, 1, 1, tzinfo=dt.UTC)]

    rows, bad, total = read(int96_of(1001, 2000, -1, unit="ns"), one("DATETIME"))
    assert rows == [{"x": dt.datetime(1970, 1, 1, 0, 0, 0, 2)}]
    assert [str(each) for each in bad] == [
        "row 1, column x: found 1970-01-01 00:00:00.000001001, expected DATETIME",
        "row 3, column x: found 1969-12-31 23:59:59.999999999, expected DATETIME",
    ]
    assert total == 3
    rows, bad, _ = read(int96_of(253_402_300_800_000_000, 9_000_000_000_000_000_000, 0), one("TIMESTAMP"))
    assert rows == [{"x": dt.datetime(1970, 1, 1, tzinfo=dt.UTC)}]
    assert [each.reason for each in bad] == [
        "found 253402300800 seconds since 1970, expected TIMESTAMP",
        "found 9000000000000 seconds since 1970, expected TIMESTAMP",
    ]


def test_columns_go_by_name_without_case_and_only_those_of_the_contract_are_read() -> None:
    agreed = contract_of(
        Column(name="airport_fee", type="FLOAT64"),
        Column(name="pickup", type="DATETIME", aliases=["tpep_pickup_datetime"]),
        Column(name="request_source", type="STRING", since="2026-06"),
        drift={"new_column": "ignore"},
    )
    table = pa.table({"tpep_pickup_datetime": pa.array([0], US), "legs": [[1]], "Airport_fee": [1.25]})
    rows, bad, _ = read(file_of(table), agreed)
    assert rows == [{"airport_fee": 1.25, "pickup": dt.datetime(1970, 1, 1), "request_source": None}]
    assert bad == []


def test_a_column_that_may_not_be_null_is_null_in_files_of_before_it_began() -> None:
    agreed = contract_of(
        Column(name="x", type="INT64"), Column(name="fee", type="INT64", nullable=False, since="2021-03")
    )

    def land(data: bytes) -> list[dict[str, Any]]:
        with formats.read(io.BytesIO(data), agreed, MONTH, "file") as reader:
            parts = convert.tables(reader, agreed, MONTH, Quarantine(agreed.quarantine, "file"))
            rows: list[dict[str, Any]] = pa.concat_tables(parts).drop(["file_month"]).to_pylist()
        return rows

    assert land(file_of(pa.table({"x": [1]}))) == [{"x": 1, "fee": None}]
    with pytest.raises(BadFile, match="row 1, column fee: found no value, expected INT64"):
        land(file_of(pa.table({"x": [1], "fee": pa.nulls(1)})))


def test_drift_lines_have_the_files_own_types() -> None:
    table = pa.table({"x": [1], "airport_fee": [1.25], "at": pa.array([0], pa.timestamp("ms")), "none": pa.nulls(1)})
    said = refusal(file_of(table), one("INT64"))
    assert "'airport_fee' is not in the contract, 'at' is not in the contract, 'none' is not in the contract" in said
    assert '{ name = "airport_fee", type = "FLOAT64", since = "2021-02" },' in said
    assert '{ name = "at", type = "DATETIME", since = "2021-02" },' in said
    assert '{ name = "none", type = "STRING", since = "2021-02" },' in said


def test_added_columns_have_the_files_own_types_and_those_of_nulls_are_left_out() -> None:
    table = pa.table(
        {"x": [1], "fee": pa.array([1.25], pa.float32()), "none": pa.nulls(1), "int32": pa.array([None], pa.int32())}
    )
    rows, _, _ = read(file_of(table), one("INT64", drift={"new_column": "add"}))
    assert rows == [{"x": 1, "fee": 1.25}]
    said = refusal(file_of(pa.table({"x": [1], "legs": [[1]]})), one("INT64", drift={"new_column": "add"}))
    assert "'legs' is new, and of a type that cannot be added" in said
    assert said.endswith('\n  [drift] new_column = "ignore"\nnothing was written')


def test_a_file_without_any_of_the_contracts_columns_is_refused_whatever_the_policy() -> None:
    agreed = one("INT64", drift={"new_column": "ignore", "missing_column": "null"})
    assert refusal(file_of(pa.table({"y": [1]})), agreed) == (
        "file: found none of the columns of the contract trips, expected some; is it a file of another data set?"
        " check the contract's source, nothing was written"
    )


def test_a_column_twice_is_refused() -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "X"])
    assert "'x' is there twice" in refusal(file_of(twice), one("INT64"))


GOOD = file_of(pa.table({"x": pa.array(range(1000))}), compression="none", use_dictionary=False)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "found a file that begins with b'', expected Parquet, which begins with b'PAR1'"),
        (b"<html>", "found a file that begins with b'<htm', expected Parquet"),
        (b"PAR1", "found a Parquet file of 4 bytes without its footer, expected one at its end"),
        (GOOD[:-1], "without its footer, expected one at its end; is it cut short?"),
        (GOOD[: len(GOOD) // 2], "without its footer"),
        (GOOD[:-8] + b"\xff\xff\xff\x7fPAR1", "without its footer"),
        (GOOD[:-8] + b"\x10\0\0\0PAR1", "found a damaged Parquet file ("),
        (GOOD[:-100] + b"\xff" * 92 + GOOD[-8:], "found a damaged Parquet file ("),
        (GOOD[:-4] + b"PARE", "found an encrypted Parquet file, expected one that is not encrypted"),
        (b"PARE" + GOOD[4:-4] + b"PARE", "found an encrypted Parquet file"),
        (GOOD[:4] + b"\xff" * 30 + GOOD[34:], "found a damaged Parquet file (Couldn't deserialize thrift"),
    ],
)
def test_what_is_no_whole_parquet_file_is_refused(data: bytes, why: str) -> None:
    assert why in refusal(data, one("INT64"))


def test_a_flipped_bit_in_a_page_is_noticed_where_the_writer_left_a_checksum() -> None:
    data = bytearray(file_of(pa.table({"x": pa.array(range(1000))}), write_page_checksum=True, use_dictionary=False))
    data[len(data) // 4] ^= 1
    assert "could not verify page integrity, CRC checksum verification failed" in refusal(bytes(data), one("INT64"))


def test_no_damaged_byte_loses_a_row_without_a_word() -> None:
    whole = file_of(pa.table({"x": pa.array(range(60))}), use_dictionary=False, compression="none", row_group_size=20)
    said = set()
    for position in range(4, len(whole) - 8):
        data = bytearray(whole)
        data[position] ^= 0x08
        try:
            rows, bad, total = read(bytes(data), one("INT64"))
        except BadFile as error:
            said |= {
                word
                for word in ("a damaged Parquet file", "which is what the file's footer says")
                if word in str(error)
            }
        else:
            assert len(rows) + len(bad) == total
    assert said == {"a damaged Parquet file", "which is what the file's footer says"}


def test_no_rows_no_columns_and_no_groups_are_refused() -> None:
    empty = file_of(pa.table({"x": pa.array([], pa.int64())}))
    assert refusal(empty, one("INT64")) == (
        "file: found no rows, expected some; ask the publisher, nothing was written"
    )
    assert "'x' is missing" in refusal(file_of(pa.table({})), one("INT64"))


def test_what_a_footer_announces_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footer, "RATIO_FROM_BYTES", 1000)
    bomb = column(pa.array(["x" * 1_000_000] * 20), pa.string(), use_dictionary=False, compression="zstd")
    assert "and 1000 times the file's size in all" in refusal(bomb, one("STRING"))
    monkeypatch.setattr(footer, "GROUP_BYTES", 1000)
    assert "found 1 row groups of " in refusal(GOOD, one("INT64"))
    monkeypatch.setattr(footer, "COLUMNS", 1)
    assert "found 2 columns, expected at most 1" in refusal(file_of(pa.table({"x": [1], "y": [1]})), one("INT64"))
    monkeypatch.setattr(footer, "FOOTER_BYTES", 100)
    assert "bytes, expected at most 100" in refusal(GOOD, one("INT64"))


class Keys(encryption.KmsClient):  # type: ignore[misc] # pyarrow ships no types
    def __init__(self, _config: Any) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, _master: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, wrapped: bytes, _master: str) -> bytes:
        return base64.b64decode(wrapped)


@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_an_encrypted_file_is_refused_as_such(plaintext_footer: bool) -> None:
    keys = encryption.CryptoFactory(Keys)
    how = encryption.EncryptionConfiguration(
        footer_key="f", column_keys={"c": ["x"]}, plaintext_footer=plaintext_footer, double_wrapping=False
    )
    properties = keys.file_encryption_properties(encryption.KmsConnectionConfig(), how)
    data = column([1], pa.int64(), encryption_properties=properties)
    assert refusal(data, one("INT64")).startswith("file: found an encrypted Parquet file")
