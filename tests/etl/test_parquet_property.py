"""What pyarrow writes of generated values, in whatever physical types, lands as those values."""

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.etl import convert, formats
from flows.etl.contract import Column, ColumnType, Contract
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine

MONTH = Partition.parse("month", "2021-02")
FIRST, LAST = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)
FIRST_NS, LAST_NS = dt.datetime(1678, 1, 1), dt.datetime(2261, 12, 31)  # an int64 of nanoseconds holds these


@dataclass(frozen=True)
class Variant:
    """A column type, a physical type that may hold its values, and values; `stored` is what the file gets of each."""

    declared: ColumnType
    physical: pa.DataType
    values: st.SearchStrategy[Any]
    stored: Callable[[Any], Any] = lambda value: value


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    limit = 10**digits - 1
    return st.integers(-limit, limit).map(lambda number: Decimal(f"{number}E-{places}"))


def moments(first: dt.datetime, last: dt.datetime, unit: str) -> st.SearchStrategy[dt.datetime]:
    keep = {"s": 1_000_000, "ms": 1000, "us": 1, "ns": 1}[unit]
    return st.datetimes(first, last).map(lambda at: at.replace(microsecond=at.microsecond // keep * keep))


def utc(at: dt.datetime) -> dt.datetime:
    return at.replace(tzinfo=dt.UTC)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VARIANTS = [
    *(Variant("INT64", kind, whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)) for kind, bits in (
        (pa.int8(), 8), (pa.int16(), 16), (pa.int32(), 32), (pa.int64(), 64),
    )),
    Variant("INT64", pa.uint64(), whole(0, 2**63 - 1)),
    Variant("INT64", pa.float64(), whole(-(2**53), 2**53), float),
    Variant("INT64", pa.float32(), whole(-(2**24), 2**24), float),
    Variant("INT64", pa.decimal128(20, 2), whole(-(10**17), 10**17), Decimal),
    Variant("FLOAT64", pa.float64(), st.floats(allow_nan=False)),
    Variant("FLOAT64", pa.float32(), st.floats(allow_nan=False, width=32)),
    Variant("FLOAT64", pa.int32(), whole(-(2**31), 2**31 - 1).map(float), int),
    Variant("FLOAT64", pa.int64(), whole(-(2**53), 2**53).map(float), int),
    Variant("NUMERIC", pa.decimal128(38, 9), decimals(38, 9)),
    Variant("NUMERIC", pa.decimal128(10, 2), decimals(10, 2)),
    Variant("NUMERIC", pa.decimal256(60, 9), decimals(38, 9)),
    Variant("NUMERIC", pa.int64(), whole(-(2**63), 2**63 - 1).map(Decimal), int),
    *(Variant("STRING", kind, TEXTS) for kind in (pa.string(), pa.large_string(), pa.string_view())),
    Variant("STRING", pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["", "N", "Y"])),
    Variant("STRING", pa.binary(), TEXTS, str.encode),
    Variant("BOOL", pa.bool_(), st.booleans()),
    Variant("DATE", pa.date32(), st.dates()),
    Variant("DATE", pa.date64(), st.dates()),
    Variant("DATE", pa.timestamp("ms"), st.dates(), lambda day: dt.datetime.combine(day, dt.time())),
    Variant("TIME", pa.time64("us"), st.times()),
    Variant("TIME", pa.time64("ns"), st.times()),
    Variant("TIME", pa.time32("s"), st.times().map(lambda time: time.replace(microsecond=0))),
    *(Variant("DATETIME", pa.timestamp(unit), moments(FIRST, LAST, unit)) for unit in ("s", "ms", "us")),
    Variant("DATETIME", pa.timestamp("ns"), moments(FIRST_NS, LAST_NS, "ns")),
    *(
        Variant("TIMESTAMP", pa.timestamp(unit, "UTC"), moments(FIRST, LAST, unit).map(utc))
        for unit in ("s", "ms", "us")
    ),
    Variant("TIMESTAMP", pa.timestamp("ns", "America/New_York"), moments(FIRST_NS, LAST_NS, "ns").map(utc)),
    *(Variant(kind, pa.null(), st.none()) for kind in ("STRING", "INT64", "NUMERIC", "DATE", "TIMESTAMP")),
    *(Variant(kind, pa.int32(), st.none()) for kind in ("STRING", "BOOL", "DATETIME")),
]  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> tuple[Contract, list[dict[str, Any]], bytes]:
    """Draw a contract, the rows of a file, and the file, with its columns in another order and case."""
    variants = draw(st.lists(st.sampled_from(VARIANTS), min_size=1, max_size=6))
    rows = draw(st.integers(1, 12))
    expected: dict[str, list[Any]] = {}
    columns: list[Column] = []
    stored: dict[str, pa.Array] = {}
    for number, variant in enumerate(variants):
        name = f"c{number}"
        values = draw(st.lists(st.none() | variant.values, min_size=rows, max_size=rows))
        expected[name] = values
        columns.append(Column(name=name, type=variant.declared))
        written = draw(st.sampled_from([name, name.upper()]))
        stored[written] = pa.array(
            [None if value is None else variant.stored(value) for value in values], variant.physical
        )
    table = pa.table(stored).select(draw(st.permutations(list(stored))))
    sink = io.BytesIO()
    pyarrow.parquet.write_table(
        table,
        sink,
        row_group_size=draw(st.integers(1, 12)),
        compression=draw(st.sampled_from(["none", "snappy", "zstd"])),
        use_dictionary=draw(st.booleans()),
        data_page_version=draw(st.sampled_from(["1.0", "2.0"])),
        store_schema=draw(st.booleans()),
        write_page_checksum=draw(st.booleans()),
    )
    contract = Contract(
        name="trips",
        revision=1,
        description="",
        owner="",
        source="https://publisher.test/{yyyy}{mm}",
        format="parquet",
        partition="month",
        first_partition="2021-01",
        columns=columns,
    )
    return contract, [{name: expected[name][row] for name in expected} for row in range(rows)], sink.getvalue()


@settings(max_examples=60, deadline=None)
@given(files())
def test_values_land_as_they_were_whatever_the_file_stores_them_as(
    drawn: tuple[Contract, list[dict[str, Any]], bytes],
) -> None:
    contract, expected, data = drawn
    with formats.read(io.BytesIO(data), contract, MONTH, "file") as reader:
        parts = list(convert.tables(reader, contract, MONTH, Quarantine(contract.quarantine, "file")))
        assert reader.total == len(expected)
    assert pa.concat_tables(parts).drop(["file_month"]).to_pylist() == expected
