import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.etl import arrow
from flows.etl.contract import COLUMN_TYPES, Column, ColumnType, Contract, Dialect
from flows.etl.formats import text
from flows.etl.formats.csv import CsvReader
from flows.etl.partition import Partition

MONTH = Partition.parse("month", "2021-01")
ISO = Dialect()
COMMA = Dialect(delimiter=";", decimal=",")


def parsed(kind: ColumnType, *values: str | None, dialect: Dialect = ISO) -> tuple[list[Any], dict[int, str]]:
    typed, bad = text.parse(pa.array(values, pa.string()), Column(name="x", type=kind), dialect)
    assert typed.type == arrow.ARROW[kind]
    return typed.to_pylist(), bad


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("INT64", "264.0", 264),
        ("INT64", "264.", 264),
        ("INT64", "+7", 7),
        ("INT64", "2.64e2", 264),
        ("INT64", " 7\t", 7),
        ("INT64", "9007199254740993.0", 2**53 + 1),
        ("INT64", "9223372036854775807.000", 2**63 - 1),
        ("INT64", "-9223372036854775808.0", -(2**63)),
        ("FLOAT64", ".5", 0.5),
        ("FLOAT64", "1e-400", 0.0),
        ("FLOAT64", "0.1", 0.1),
        ("NUMERIC", "0.1", Decimal("0.1")),
        ("NUMERIC", "1.50000000000000000000000000000000000000000000", Decimal("1.5")),
        ("NUMERIC", "99999999999999999999999999999.9999999990", Decimal("99999999999999999999999999999.999999999")),
        ("NUMERIC", "1e28", Decimal(10**28)),
        ("NUMERIC", "0e500", Decimal(0)),
        ("BOOL", "tRuE", True),
        ("BOOL", "0", False),
        ("DATE", " 0001-01-01", dt.date(1, 1, 1)),
        ("TIME", "07:08", dt.time(7, 8)),
        ("TIME", "07:08:09.123456000", dt.time(7, 8, 9, 123456)),
        ("DATETIME", "9999-12-31 23:59:59.999999", dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)),
        ("DATETIME", "2021-01-31", dt.datetime(2021, 1, 31)),
        ("DATETIME", "2021-01-31T07:08:09.123456000", dt.datetime(2021, 1, 31, 7, 8, 9, 123456)),
        ("TIMESTAMP", "2021-01-31 07:08:09 UTC", dt.datetime(2021, 1, 31, 7, 8, 9, tzinfo=dt.UTC)),
        ("TIMESTAMP", "2021-01-31T07:08-02:30", dt.datetime(2021, 1, 31, 9, 38, tzinfo=dt.UTC)),
        ("TIMESTAMP", "0001-01-01T00:00:00-01:00", dt.datetime(1, 1, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_a_value_is_narrowed_where_nothing_is_lost(kind: ColumnType, written: str, value: object) -> None:
    assert parsed(kind, written, None) == ([value, None], {})


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("STRING", "a\0b"),
        ("INT64", ""),
        ("INT64", "1.5"),
        ("INT64", "0x10"),
        ("INT64", "1_000"),
        ("INT64", "٣"),
        ("INT64", "9223372036854775808"),
        ("INT64", "9223372036854775807.5"),
        ("INT64", "1e999999999999999999999"),
        ("FLOAT64", "nan"),
        ("FLOAT64", "-inf"),
        ("FLOAT64", "Infinity"),
        ("FLOAT64", "1e400"),
        ("FLOAT64", "0x1p3"),
        ("NUMERIC", "1e31"),
        ("NUMERIC", "100000000000000000000000000000"),
        ("NUMERIC", "123456789012345678901234567890"),
        ("NUMERIC", "1e-999999999"),
        ("NUMERIC", "0.1000000001"),
        ("BOOL", "yes"),
        ("DATE", "0000-01-01"),
        ("DATE", "2021-02-29"),
        ("DATE", "2021-01-31 00:00"),
        ("TIME", "24:00:00"),
        ("TIME", "2021-01-31 07:08"),
        ("TIME", "07"),
        ("TIME", "07:08:09.1234567"),
        ("DATETIME", "0000-12-31 00:00:00"),
        ("DATETIME", "2021-01-31T07:08:09Z"),
        ("DATETIME", "2021-01-31 07:08:60"),
        ("TIMESTAMP", "2021-01-31T07:08:09"),
        ("TIMESTAMP", "2021-01-31T07:08:09+24:00"),
        ("TIMESTAMP", "0001-01-01T00:00:00+01:00"),
        ("TIMESTAMP", "9999-12-31T23:59:59-01:00"),
        ("TIMESTAMP", "2021-01-31T07:08:09.1234567Z"),
    ],
)
def test_a_value_that_does_not_fit_is_bad_and_never_changed(kind: ColumnType, written: str) -> None:
    assert parsed(kind, None, written) == ([None, None], {1: f"found {written!r}, expected {kind}"})


def test_a_long_value_is_cut_in_the_message() -> None:
    assert parsed("INT64", "x" * 81) == ([None], {0: f"found '{'x' * 77}...', expected INT64"})


def test_a_value_longer_than_a_field_may_be_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "FIELD_BYTES", 8)
    assert parsed("STRING", "12345678", "123456789", "ééééé") == (
        ["12345678", None, None],
        {1: "found '123456789', expected STRING", 2: "found 'ééééé', expected STRING"},
    )


def test_a_decimal_comma_takes_the_points_place() -> None:
    assert parsed("FLOAT64", "1,5", dialect=COMMA) == ([1.5], {})
    assert parsed("INT64", "264,0", dialect=COMMA) == ([264], {})
    assert parsed("NUMERIC", "1.5", "0,1", dialect=COMMA) == (
        [None, Decimal("0.1")],
        {0: "found '1.5', expected NUMERIC"},
    )


@pytest.mark.parametrize(
    ("kind", "formats", "written", "value"),
    [
        ("DATE", ["%d.%m.%Y"], "31.01.2021", dt.date(2021, 1, 31)),
        ("DATE", ["%d.%m.%Y"], "1.2.2021", dt.date(2021, 2, 1)),
        ("DATE", ["%d.%m.%Y"], "31.02.2021", None),
        ("DATE", ["%d.%m.%Y"], "2021-01-31", None),
        ("DATE", ["%d.%m.%Y", "%Y%m%d"], "20210131", dt.date(2021, 1, 31)),
        ("DATE", ["%d.%m.%Y %H:%M"], "2021-01-31", dt.date(2021, 1, 31)),
        ("DATETIME", ["%d.%m.%Y"], "31.01.2021", dt.datetime(2021, 1, 31)),
        ("DATETIME", ["%m/%d/%Y %I:%M:%S %p"], "01/31/2021 07:08:09 PM", dt.datetime(2021, 1, 31, 19, 8, 9)),
        ("DATETIME", ["%Y-%m-%d %H:%M:%S.%f"], "2021-01-31 07:08:09.5", dt.datetime(2021, 1, 31, 7, 8, 9, 500_000)),
        ("DATETIME", ["%m.%d.%Y", "%d.%m.%Y"], "31.01.2021", dt.datetime(2021, 1, 31)),
        ("TIME", ["%H.%M"], "07.08", dt.time(7, 8)),
        ("TIME", ["%d.%m.%Y"], "07:08", dt.time(7, 8)),
        ("TIMESTAMP", ["%d.%m.%Y %H:%M%z"], "31.01.2021 07:08+0200", dt.datetime(2021, 1, 31, 5, 8, tzinfo=dt.UTC)),
        ("TIMESTAMP", ["%d.%m.%Y %H:%MZ"], "31.01.2021 07:08Z", dt.datetime(2021, 1, 31, 7, 8, tzinfo=dt.UTC)),
        ("TIMESTAMP", ["%Y-%m-%d %H:%M%z"], "0001-01-01 00:00+0100", None),
    ],
)
def test_times_are_written_as_the_contract_says(
    kind: ColumnType, formats: list[str], written: str, value: object
) -> None:
    found, bad = parsed(kind, written, dialect=Dialect(timestamp_formats=formats))
    assert found == [value]
    assert bool(bad) == (value is None)


NUMBERS = st.from_regex(r"\A[ \t]?[+-]?[0-9]{0,32}[.,]?[0-9]{0,12}(e[+-]?[0-9]{1,3})?\Z", fullmatch=True)
DATES = st.dates(dt.date.min, dt.date.max).map(str) | st.from_regex(r"\A[0-9]{4}-[0-3][0-9]-[0-3][0-9]\Z")
CLOCKS = st.times().map(str) | st.from_regex(r"\A[0-2][0-9](:[0-6][0-9]){0,2}(\.[0-9]{0,3}0{0,7})?\Z")
ZONES = st.sampled_from(["", "Z", " UTC", "+01:00", "-0130", "+02", "+24:00", "z"])
MOMENTS = st.builds("".join, st.tuples(DATES, st.sampled_from([" ", "T", "t"]), CLOCKS, ZONES))
MARKS = st.text(st.sampled_from("0123456789+-.eExXnaif:TZ /_"), max_size=12)
WORDS = st.sampled_from(["true", "FALSE", "tRue", "nan", "-inf", "NaN", "1e31", "1e400", "0x1F", "0xFFFFFFFFFFFFFFFF"])
TEXTS = NUMBERS | DATES | CLOCKS | MOMENTS | MARKS | WORDS | st.text(max_size=5)


@pytest.mark.parametrize("kind", COLUMN_TYPES)
@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from([Dialect(), COMMA]))
@example(["0xFFFFFFFFFFFFFFFF", "1"], Dialect())
@example(["1e31"], Dialect())
@example(["1.0000e-44"], Dialect())
@example(["1e308", "1e308"], Dialect())
def test_the_fast_ways_to_read_a_value_agree_with_its_definition(
    kind: ColumnType, texts: list[str], dialect: Dialect
) -> None:
    read = text.reader(kind, dialect)
    expected: list[Any] = []
    for each in texts:
        try:
            expected.append(read(each))
        except ValueError:
            expected.append(None)
    # all at once by pyarrow's casts, where it can
    assert parsed(kind, *texts, dialect=dialect)[0] == expected
    # and by pyarrow's CSV reader
    values, bad = from_csv(kind, texts, dialect)
    assert (values, bad) == ([each for each in expected if each is not None], expected.count(None))


def from_csv(kind: ColumnType, texts: list[str], dialect: Dialect) -> tuple[list[Any], int]:
    agreed = Contract(
        name="trips",
        revision=1,
        description="",
        owner="",
        source="https://publisher.test/{yyyy}{mm}",
        format="csv",
        partition="month",
        first_partition="2021-01",
        columns=[Column(name="x", type=kind)],
        dialect=dialect,
    )
    body = "x\n" + "".join(f'"{each.replace(chr(34), chr(34) * 2)}"\n' for each in texts)
    reader = CsvReader(io.BytesIO(body.encode(errors="replace")), agreed, MONTH, "file")
    batches = list(reader)
    assert reader.total == sum(batch.table.num_rows + len(batch.bad) for batch in batches)
    return [each for batch in batches for each in batch.table["x"].to_pylist()], sum(len(each.bad) for each in batches)
