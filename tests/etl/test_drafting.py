"""Contracts proposed from files: what is told, what is asked, and that each lands the file that it was made from."""

import bz2
import datetime as dt
import gzip
import io
import json
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.etl import diff, drafting, proposal
from flows.etl.contract import Contract
from flows.etl.decode import decompress
from flows.etl.drafting import Draft, head, period
from flows.etl.errors import BadFile, ContractError, LandfallError, SourceError
from flows.etl.fetch import download
from flows.etl.source import Source
from tests.contracts.test_fixtures import FIXTURES, contract_of, expected, independent, published
from tests.publisher import File, Publisher

NOW = dt.datetime(2026, 11, 24, 3, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    with Publisher() as started:
        yield started


def drafted(publisher: Publisher, data: bytes, path: str = "/zones.csv", rows: int = 10_000) -> Draft:
    publisher.serve(path.partition("?")[0], data)
    return drafting.draft(f"{{publisher}}{path}", publisher.url, None, rows, NOW)


def reread(made: Draft) -> Contract:
    """Read a draft's text as a contract's file is read."""
    return Contract.model_validate({**tomllib.loads(made.text), "name": made.contract.name})


def reviews(made: Draft) -> list[str]:
    """List what a draft's text asks a person, on one line each."""
    return [line.partition("# review: ")[2] for line in made.text.splitlines() if "# review: " in line]


def columns(made: Draft) -> dict[str, str]:
    return {column.name: column.type for column in made.contract.columns}


@pytest.mark.parametrize(
    ("path", "template", "found"),
    [
        ("/zones_2024-01.csv.gz", "/zones_{yyyy}-{mm}.csv.gz", "2024-01"),
        ("/2013/flights_2013-01.csv", "/{yyyy}/flights_{yyyy}-{mm}.csv", "2013-01"),
        ("/2021/03/05/log.jsonl", "/{yyyy}/{mm}/{dd}/log.jsonl", "2021-03-05"),
        ("/year=2021/month=03/part.parquet", "/year={yyyy}/month={mm}/part.parquet", "2021-03"),
        ("/20210305.csv", "/{yyyy}{mm}{dd}.csv", "2021-03-05"),
        ("/x202103.csv", "/x{yyyy}{mm}.csv", "2021-03"),
        ("/2021030507.json.gz", "/{yyyy}{mm}{dd}{hh}.json.gz", "2021-03-05T07"),
        ("/2021-03-05-07.json.gz", "/{yyyy}-{mm}-{dd}-{hh}.json.gz", "2021-03-05T07"),
        ("/census_2020.csv", "/census_{yyyy}.csv", "2020"),
        ("/v2020/zones_2021-02.csv", "/v2020/zones_{yyyy}-{mm}.csv", "2021-02"),
        ("/2021-01_2021-02.csv", "/2021-01_{yyyy}-{mm}.csv", "2021-02"),
        ("/zones.csv", "/zones.csv", "all"),
        ("/zones_2031.csv", "/zones_2031.csv", "all"),
        ("/zones_2021-Q1.csv", "/zones_2021-Q1.csv", "all"),
        ("/zones_jan-2021.csv", "/zones_jan-2021.csv", "all"),
        ("/zones_123456789.csv", "/zones_123456789.csv", "all"),
        ("/zones_2021-02-30.csv", "/zones_{yyyy}-{mm}-30.csv", "2021-02"),
    ],
)
def test_the_period_of_a_file_is_found_in_its_address(path: str, template: str, found: str) -> None:
    for host in ("https://example2019.org", "{publisher}"):
        dated = period.find(f"{host}{path}", NOW)
        assert (dated.template, str(dated.period)) == (f"{host}{template}", found)
        assert dated.period.fill(dated.template) == f"{host}{path}"


def test_what_was_not_taken_for_the_period_is_said() -> None:
    assert period.find("https://x.org/v2020/zones_2021-02.csv", NOW).notes == [
        "2021-02 was taken for the period, and not 2020"
    ]
    assert period.find("https://x.org/2031.csv", NOW).notes == [
        "2031 is not taken for a period, as it has not begun",
        "no period in the address: each file replaces the table",
    ]
    assert period.find("https://x.org/2021Q1.csv", NOW).notes[0] == (
        "the period at 2021 is written in a way that no placeholder can fill in"
    )


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("https://x.org/data/Zones_{yyyy}-{mm}.csv.gz", "zones"),
        ("https://x.org/trip-data/yellow_tripdata_{yyyy}-{mm}.parquet", "yellow_tripdata"),
        ("https://x.org/flights/{yyyy}.csv", "flights"),
        ("{publisher}/airlines.csv", "airlines"),
        ("https://x.org/2 many.csv", "2_many"),
        ("https://x.org/{yyyy}/{mm}", ""),
    ],
)
def test_a_contracts_name_is_made_of_the_address(template: str, name: str) -> None:
    assert period.name_of(template) == name


def test_a_draft_says_what_was_seen_and_asks_for_what_was_not(publisher: Publisher) -> None:
    rows = [f"{n:05},{n}.0,0{n % 9 + 1}.01.2021,2021-01-{n % 28 + 1:02},NA,{'ab'[n % 2]},NA,{n}" for n in range(1, 60)]
    data = "code,whole,day,seen,nothing,kind,Land Name,file_month\n" + "\n".join([*rows, "1,,,,,c,Chad,NA"])
    publisher.files["/zones_2021-01.csv.gz"] = File(gzip.compress(data.encode()))
    made = drafting.draft(f"{publisher.url}/zones_2021-01.csv.gz?sig=secret", None, None, 10_000, NOW)
    assert (
        made.text
        == f"""\
# Proposed by `landfall new contract` from all 60 rows of {publisher.url}/zones_2021-01.csv.gz?...
# A head proves little: see to what is marked with the word review, and take the marks out.
revision = 1
# review: shown in BigQuery as the table's
description = "TODO: what a row is, and who publishes it"
# review: who answers for it
owner = "TODO"
# review: the query of the address was left out, as it may be a signature; if it is none and names the file, write it
source = "{publisher.url}/zones_{{yyyy}}-{{mm}}.csv.gz"
# review: where this file came from, which is no public address
allowed_networks = ["127.0.0.1/32"]
format = "csv"
compression = "gzip"
partition = "month"
# review: the period of the file that was looked at; the first that the publisher serves, and is each file a month?
first_partition = "2021-01"
# review: what rows are filtered by, besides the period; perhaps
# clustering = ["kind"]
# review: no null in all 60 rows, so perhaps `nullable = false`, which refuses a file with one: code, kind
columns = [
    # review: leading zeros, so codes and no numbers
    {{ name = "code", type = "STRING" }},
    # review: all are whole: INT64 takes them as they are written
    {{ name = "whole", type = "FLOAT64" }},
    # review: dates, perhaps: their type, with timestamp_formats = ["%d.%m.%Y"]
    {{ name = "day", type = "STRING" }},
    {{ name = "seen", type = "DATE" }},
    # review: no value in the first 60 rows, so its type is not known
    {{ name = "nothing", type = "STRING" }},
    {{ name = "kind", type = "STRING" }},
    # review: 'NA' is null here, too, as it is among numbers and times
    {{ name = "Land_Name", type = "STRING", aliases = ["Land Name"] }},
    {{ name = "file_month_2", type = "INT64", aliases = ["file_month"] }},
]

[dialect]
null_values = ["", "NA"]

[[checks]]
# review: this file has 60 rows; how few would be too few?
check = "row_count"
min = 1

[[checks]]
check = "in_period"
column = "seen"
tolerance_days = 1
max_fraction = 0.001
on_fail = "warn"

[[checks]]
check = "allowed_values"
column = "kind"
values = ["a", "b", "c"]
on_fail = "warn"

# review: the head's numbers lie within these bounds; where some must always hold, make them a check
# [[checks]]
# check = "range"
# column = "whole"
# min = 1.0
# max = 59.0
# likewise file_month_2 from 1 to 59
"""
    )
    assert publisher.queries[-1] == "sig=secret"
    assert (made.fixture_name, made.fixture) == ("zones_2021-01.csv", "\n".join([*data.split("\n")[:21], ""]).encode())
    assert (made.rows, made.bytes_read, made.size) == (60, made.size, made.size)


def test_lines_of_json_are_told_by_their_values(publisher: Publisher) -> None:
    rows = [
        {"id": 1, "price": 1.5, "zip": "94103", "at": "2021-01-31T07:08:09Z", "tags": ["a"], "ok": True, "mixed": 1},
        {"id": 2, "price": 2, "zip": "10001", "at": None, "tags": None, "ok": False, "mixed": "x", "late": "07:08"},
    ]
    made = drafted(publisher, "\n".join(map(json.dumps, rows)).encode(), "/events.jsonl")
    assert columns(made) == {
        "id": "INT64",
        "price": "FLOAT64",
        "zip": "STRING",
        "at": "TIMESTAMP",
        "ok": "BOOL",
        "late": "TIME",
    }
    assert made.contract.drift.model_dump() == {
        "new_column": "fail",
        "missing_column": "null",
        "ignore": ["tags", "mixed"],
    }
    assert [each for each in reviews(made) if "left out" in each or "as text" in each or "every key" in each] == [
        "the publisher writes these as text; INT64 would take them, too",
        "not every line has every key, so a file may lack one in all of its first lines",
        "left out: 'tags', holds objects or lists, which no column type does",
        "left out: 'mixed', holds values of several kinds (numbers, texts, true or false), which no column type does",
    ]


@pytest.mark.parametrize(
    ("data", "dialect", "types"),
    [
        (b"a;b\n1;2,5\n", {"delimiter": ";"}, ["INT64", "STRING"]),
        (b'a\tb\n1\t5" pipe\n2\t6" pipe\n', {"delimiter": "\t"}, ["INT64", "STRING"]),
        (b'a|b\n1|"x|y"\n', {"delimiter": "|"}, ["INT64", "STRING"]),
        (b"'a','b'\n'1','x,y'\n'2','z'\n", {"quote": "'"}, ["INT64", "STRING"]),
        ("a,b\n1,größe\n".encode("cp1252"), {"encoding": "cp1252"}, ["INT64", "STRING"]),
        (b'a,b\n1,"2\n', {"quote": ""}, ["INT64", "STRING"]),
        (b"1,x\n2,y\n", {"header": False}, ["INT64", "STRING"]),
        (b"country,2019,2020\nAA,1,2\n", {}, ["STRING", "INT64", "INT64"]),
        (b"a,b\n1,\\N\n\\N,x\n", {"null_values": ["", "\\N"]}, ["INT64", "STRING"]),
        (b"a,b\n-,NA\n1,Chad\n", {"null_values": ["", "-"]}, ["INT64", "STRING"]),
        (b'a,b\n"",x\n1,y\n', {}, ["STRING", "STRING"]),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n", {}, ["INT64", "INT64"]),
    ],
)  # fmt: skip
def test_how_a_text_is_written_is_told_by_its_lines(
    publisher: Publisher, data: bytes, dialect: dict[str, Any], types: list[str]
) -> None:
    made = drafted(publisher, data)
    assert made.contract.dialect.model_dump(exclude_defaults=True) == dialect
    assert list(columns(made).values()) == types
    assert lands(publisher, made, "/zones.csv") == made.rows


def test_a_row_that_does_not_fit_is_said_and_stays_out_of_the_fixture(publisher: Publisher) -> None:
    made = drafted(publisher, b"a,b\n1,2\n1,2,3\n4,5\n")
    assert [each for each in reviews(made) if "do not fit" in each] == [
        "1 of all 3 rows do not fit, and the file is refused for them; max_rows under [quarantine] puts such rows"
    ]
    assert made.fixture == b"a,b\n1,2\n4,5\n"


def test_what_a_publisher_writes_cannot_become_part_of_the_contract(publisher: Publisher) -> None:
    rows = ['"a\n[quarantine]","x\ny"', *['"b\x1b[2J",\'"\'', '"a\n[quarantine]","z"'] * 40]
    made = drafted(publisher, "\n".join(['"na""me\n[x]","k\x7f\t"', *rows, ""]).encode())
    assert reread(made) == made.contract
    assert made.contract.quarantine.max_rows == 0
    assert all(line.isprintable() for line in made.text.split("\n"))


def test_only_as_much_of_a_text_is_read_as_it_takes(publisher: Publisher) -> None:
    data = b"id,x\n" + b"".join(b"%d,abcdefghij\n" % n for n in range(500_000))
    made = drafted(publisher, data, rows=100)
    assert (made.rows, made.size) == (100, len(data))
    assert made.bytes_read < 600_000
    assert [each for each in reviews(made) if "rows; how few" in each] == [
        "this file has more than 100 rows; how few would be too few?"
    ]


def test_a_large_parquet_file_is_read_in_parts_where_its_publisher_sends_parts(publisher: Publisher) -> None:
    rows = 2_000_000
    table = pa.table({"id": pa.array(range(rows), pa.int64()), "word": ["zone"] * rows})
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, compression="none", use_dictionary=False, row_group_size=500_000)
    data = sink.getvalue()
    for ranges in (True, False):
        publisher.files["/zones.parquet"] = File(data, ranges=ranges)
        made = drafting.draft("{publisher}/zones.parquet", publisher.url, None, 10, NOW)
        assert (made.rows, columns(made)) == (10, {"id": "INT64", "word": "STRING"})
        assert "# review: this file has 2,000,000 rows" in made.text
        assert (made.bytes_read < len(data) / 10, made.bytes_read == len(data)) == (ranges, not ranges)


def test_types_of_parquet_are_the_files_own(publisher: Publisher) -> None:
    fields = {
        "id": pa.field("id", pa.int32(), nullable=False),
        "big": pa.field("big", pa.uint64()),
        "money": pa.field("money", pa.decimal128(10, 2)),
        "clock": pa.field("clock", pa.timestamp("ms")),
        "instant": pa.field("instant", pa.timestamp("us", "Europe/Berlin")),
        "old_text": pa.field("old_text", pa.binary()),
        "picture": pa.field("picture", pa.binary()),
        "legs": pa.field("legs", pa.list_(pa.int64())),
        "nothing": pa.field("nothing", pa.null()),
        "kind": pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
    }
    at = dt.datetime(2021, 1, 31, 7)
    values = [1], [2**64 - 1], [Decimal("1.50")], [at], [at], [b"text"], [b"\xff\xd8"], [[1]], [None], ["a"]
    arrays = [pa.array(each, field.type) for each, field in zip(values, fields.values(), strict=True)]
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields.values())), sink)
    made = drafted(publisher, sink.getvalue(), "/zones.parquet")
    assert columns(made) == {
        "id": "INT64",
        "big": "NUMERIC",
        "money": "NUMERIC",
        "clock": "DATETIME",
        "instant": "TIMESTAMP",
        "old_text": "STRING",
        "nothing": "STRING",
        "kind": "STRING",
    }
    assert [column.name for column in made.contract.columns if not column.nullable] == ["id"]
    assert made.contract.drift.ignore == ["picture", "legs"]
    assert lands(publisher, made, "/zones.parquet") == 1


def zipped(*names: str, encrypted: bool = False) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, "id,x\n1,a\n2,b\n")
    data = bytearray(archive.getvalue())
    if encrypted:
        data[6] |= 1
        data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def test_a_zip_is_looked_into(publisher: Publisher) -> None:
    made = drafted(publisher, zipped("zones.csv"), "/zones.zip")
    assert (made.contract.compression, columns(made)) == ("zip", {"id": "INT64", "x": "STRING"})
    assert made.fixture == b"id,x\n1,a\n2,b\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "found an empty body, expected CSV, JSON lines or Parquet; plain, gzip, or a ZIP with one file"),
        (b"\n\n", "found an empty file, expected a header line and rows"),
        (b"<!doctype html><p>sorry", "found an HTML page"),
        (gzip.compress(b"<html>sorry"), "found an HTML page"),
        (bz2.compress(b"a,b\n1,2\n"), "found a bzip2 file, expected CSV"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n")), "found a gzip file, expected a gzip file of CSV, and not"),
        (gzip.compress(b"a,b\n1,2\n" * 99)[:-20], "the gzip stream breaks off"),
        (zipped("a.csv", "b.csv"), "found a ZIP with 2 files"),
        (zipped("a.csv", encrypted=True), "found an encrypted ZIP"),
        (zipped("a.csv")[:-30], "found no whole ZIP file"),
        (b"PAR1\x15\0\0\0", "found a Parquet file of 8 bytes without its footer"),
        ("a,b\n1,2\n".encode("utf-16"), "found text in UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "found a file with NUL bytes"),
        (b'[{"a": 1}]', "found a JSON document"),
        (b'{\n  "a": 1\n}\n', "found a JSON document"),
        (b'{"a": [1]}\n', "found no column that BigQuery has a type for"),
        (b"a,b\n", "found no rows, expected some to tell types from"),
        (b"a,A\n1,2\n", "found the columns 'a', 'A', expected each name once"),
        (b"Zones of 2024\na,b\n1,2\n3,4\n5,6\n", "found 1 fields in the first line ('Zones of 2024') and 2 in"),
        (b'"a\n1\n', "found a quote that is never closed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # packed bytes hold the time of day
)  # fmt: skip
def test_what_cannot_land_is_refused_in_one_line(publisher: Publisher, data: bytes, said: str) -> None:
    with pytest.raises(BadFile) as refused:
        drafted(publisher, data)
    text = str(refused.value)
    assert text.startswith(f"{publisher.url}/zones.csv: ")
    assert said in text
    assert text.endswith("nothing was written")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("address", "name", "error", "said"),
    [
        ("{publisher}/missing.csv", None, SourceError, "found 404 Not Found, expected 200"),
        ("{publisher}/zones_{yyyy}.csv", None, ContractError, "found a placeholder, expected the address of one file"),
        ("{publisher}/2024.csv", None, ContractError, "found no name in the address"),
        ("{publisher}/zones.csv", "Zones", ContractError, "found the name 'Zones', expected up to 63 lower case"),
        ("zones.csv", "zones", SourceError, "found the address 'zones.csv', expected one that begins with https://"),
        ("http://example.org/zones.csv", None, SourceError, "without encryption, expected https://"),
    ],
)  # fmt: skip
def test_an_address_or_a_name_that_is_none_is_refused(
    publisher: Publisher, address: str, name: str | None, error: type[LandfallError], said: str
) -> None:
    with pytest.raises(error) as refused:
        drafting.draft(address, publisher.url, name, 10, NOW)
    assert said in str(refused.value)
    assert str(refused.value).endswith("nothing was written")


def test_a_publisher_is_named_by_nobody_but_the_setting() -> None:
    with pytest.raises(ContractError, match="no publisher is set, expected its address; set LANDFALL_PUBLISHER"):
        drafting.draft("{publisher}/zones.csv", None, None, 10, NOW)


def lands(publisher: Publisher, made: Draft, path: str) -> int:
    """See that a draft is the contract of its text and equals its file, and give the rows that land of all of it."""
    agreed = reread(made)
    assert agreed == made.contract
    source = Source(agreed, made.period, f"{publisher.url}{path}", reach=publisher.reach)
    found = diff.compare(source)
    assert found.is_equal, found
    return int(landed(publisher, made, path).num_rows)


def landed(publisher: Publisher, made: Draft, path: str) -> pa.Table:
    with (
        download(f"{publisher.url}{path}", reach=publisher.reach) as body,
        decompress(body, made.contract, path) as stream,
    ):
        data = stream.read()
    table, bad = head.read(data, made.contract.model_copy(update={"compression": "none"}), made.period, path)
    assert bad == []
    return table


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_what_is_proposed_for_a_contracts_fixture_lands_all_that_an_independent_reader_finds(
    publisher: Publisher, fixture: Path
) -> None:
    agreed, _ = contract_of(fixture)
    path = f"/fixtures/{fixture.name}{'.gz' if agreed.compression == 'gzip' else ''}"
    made = drafted(publisher, published(fixture, agreed.compression), path)
    rows = list(independent(fixture, made.contract))
    assert lands(publisher, made, path) == len(rows)
    in_period = {made.period.column: made.period.value} if made.period.column else {}
    assert landed(publisher, made, path).to_pylist() == [
        {column.name: expected(row, column) for column in made.contract.columns} | in_period for row in rows
    ]
    if made.contract.format != "parquet":
        assert made.fixture == fixture.read_bytes().replace(b"\r\n", b"\n")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)
NAMES = TEXT.filter(lambda name: bool(name.strip()) and proposal.type_of([name]) == "STRING")
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "code": st.text("0123456789", min_size=1, max_size=4),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "huge": st.integers(-(2**70), 2**70).map(Decimal),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "money": st.decimals(-(10**19), 10**19, places=4),
    "flag": st.booleans(),
    "day": st.dates(),
    "moment": st.datetimes(),
    "instant": st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1)).map(lambda at: at.replace(tzinfo=dt.UTC)),
    "time": st.times(),
    "token": st.sampled_from(["NA", "N/A", "\\N", "-", "null", "x", "7"]),
}
IN_PARQUET = {
    "huge": pa.decimal128(24, 0),
    "money": pa.decimal128(24, 4),
    "instant": pa.timestamp("us", "UTC"),
    "time": pa.time64("us"),
}


@dataclass
class Table:
    """Columns, each with values of one kind; some are missing."""

    names: list[str]
    kinds: list[str]
    rows: list[tuple[Any, ...]]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=2, max_size=5))
    width = len(kinds)
    names = draw(st.lists(NAMES, min_size=width, max_size=width, unique_by=lambda name: name.strip().lower()))
    return Table(
        names, kinds, draw(st.lists(st.tuples(*(st.none() | CELLS[kind] for kind in kinds)), min_size=1, max_size=6))
    )


def in_quotes(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def known(found: Any, meant: Any) -> bool:
    """Tell whether a value that landed, as whatever type was proposed, is the one that was written."""
    match found:
        case None:
            same = meant is None
        case bool():
            same = str(found).lower() == str(meant).lower()
        case dt.time():
            same = found == (meant if isinstance(meant, dt.time) else dt.time.fromisoformat(str(meant)))
        case int() | float() | Decimal():
            same = Decimal(str(found)) == Decimal(str(meant))
        case dt.datetime():
            same = found == (meant if isinstance(meant, dt.datetime) else dt.datetime.fromisoformat(str(meant)))
        case dt.date():
            same = found == (meant if isinstance(meant, dt.date) else dt.date.fromisoformat(str(meant)))
        case _:
            same = found == str(meant)
    return bool(same)


Check = Callable[[Table, bytes, str], None]


@pytest.fixture(scope="module")
def check(publisher: Publisher) -> Check:
    """Draft a contract for a table's file, land that, and see that every value is there."""

    def checked(table: Table, data: bytes, path: str) -> None:
        made = drafted(publisher, data, path)
        assert lands(publisher, made, path) == len(table.rows)
        nulls = made.contract.dialect.null_values if made.contract.format == "csv" else []
        for got, row in zip(landed(publisher, made, path).to_pylist(), table.rows, strict=True):
            for value, meant, kind in zip(got.values(), row, table.kinds, strict=True):
                assert known(value, None if kind == "token" and meant in nulls else meant), (got, row)

    return checked


@settings(max_examples=100, deadline=None)
@given(tables(), st.sampled_from(",;\t|"))
def test_the_contract_of_any_csv_file_lands_it_value_by_value(check: Check, table: Table, delimiter: str) -> None:
    lines = [[in_quotes(name) for name in table.names]]
    for row in table.rows:
        fields = zip(row, table.kinds, strict=True)
        lines.append(
            ["" if each is None else in_quotes(each) if kind == "text" else str(each) for each, kind in fields]
        )
    data = "".join(f"{delimiter.join(line)}\n" for line in lines)
    check(table, data.encode(), "/any.csv")


@settings(max_examples=75, deadline=None)
@given(tables())
def test_the_contract_of_any_lines_of_json_lands_them_value_by_value(check: Check, table: Table) -> None:
    lines = []
    for row in table.rows:
        values = [
            str(each) if isinstance(each, Decimal) else json.dumps(each, ensure_ascii=False, default=str)
            for each in row
        ]
        lines.append(", ".join(f"{json.dumps(name)}: {each}" for name, each in zip(table.names, values, strict=True)))
    check(table, "".join(f"{{{line}}}\n" for line in lines).encode(), "/any.jsonl")


@settings(max_examples=50, deadline=None)
@given(tables())
def test_the_contract_of_any_parquet_file_lands_it_value_by_value(check: Check, table: Table) -> None:
    cells = zip(*table.rows, strict=True)
    arrays = [pa.array(each, IN_PARQUET.get(kind)) for each, kind in zip(cells, table.kinds, strict=True)]
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_arrays(arrays, names=table.names), sink)
    check(table, sink.getvalue(), "/any.parquet")
