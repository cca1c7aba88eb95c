import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from google.cloud.bigquery._pyarrow_helpers import bq_to_arrow_scalars

from flows.etl import arrow, contract, convert, formats
from flows.etl.contract import Column, Contract, Dialect
from flows.etl.errors import BadFile
from flows.etl.formats import records
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine
from tests.etl.agreed import contract_of

MONTH = Partition.parse("month", "2021-01")


def converted(text: str, agreed: Contract) -> pa.Table:
    with formats.read(io.BytesIO(text.encode()), agreed, MONTH, "file") as reader:
        return pa.concat_tables(convert.tables(reader, agreed, MONTH, Quarantine(agreed.quarantine, "file")))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("STRING", "NA", "NA"),
        ("STRING", "", None),
        ("STRING", '""', ""),
        ("INT64", "-9223372036854775808", -(2**63)),
        ("INT64", "007", 7),
        ("FLOAT64", "1e-3", 0.001),
        ("NUMERIC", "12345678901234567890123456789.123456789", Decimal("12345678901234567890123456789.123456789")),
        ("BOOL", "true", True),
        ("DATE", "2021-01-31", dt.date(2021, 1, 31)),
        ("TIME", "23:59:59.000001", dt.time(23, 59, 59, 1)),
        ("DATETIME", "2021-01-31 07:08:09", dt.datetime(2021, 1, 31, 7, 8, 9)),
        ("TIMESTAMP", "2021-01-31T07:08:09Z", dt.datetime(2021, 1, 31, 7, 8, 9, tzinfo=dt.UTC)),
        ("TIMESTAMP", "2021-01-31T07:08:09+02:00", dt.datetime(2021, 1, 31, 5, 8, 9, tzinfo=dt.UTC)),
    ],
)
def test_a_value_lands_as_its_declared_type(kind: Any, text: str, value: object) -> None:
    table = converted(f"id,x\n1,{text}\n", contract_of(Column(name="id", type="INT64"), Column(name="x", type=kind)))
    assert table.to_pylist() == [{"id": 1, "x": value, "file_month": dt.date(2021, 1, 1)}]
    assert table.schema.field("x").type == arrow.ARROW[kind]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("INT64", "1.5"),
        ("INT64", "9223372036854775808"),
        ("INT64", "NA"),
        ("FLOAT64", "1,5"),
        ("NUMERIC", "0.0000000001"),
        ("BOOL", "maybe"),
        ("DATE", "31.01.2021"),
        ("DATETIME", "yesterday"),
        ("TIMESTAMP", "2021-01-31"),
        ("TIME", "24:00:00"),
    ],
)
def test_a_value_of_another_type_is_refused_with_record_and_column(kind: Any, text: str) -> None:
    agreed = contract_of(Column(name="id", type="INT64"), Column(name="x", type=kind))
    with pytest.raises(BadFile, match=rf"file: line 3, column x: found .*, expected {kind};"):
        converted(f'id,x\n1,\n2,"{text}"\n', agreed)


def test_the_record_number_of_a_bad_value_is_right_after_many_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "BLOCK_BYTES", 1 << 10)
    agreed = contract_of(Column(name="id", type="INT64"))
    with pytest.raises(BadFile, match="line 5002, column id: found 'x', expected INT64"):
        converted("id\n" + "\n".join(map(str, range(5000))) + "\nx\n7\n", agreed)


def test_columns_go_by_name_without_case_and_in_any_order() -> None:
    agreed = contract_of(Column(name="id", type="INT64"), Column(name="zone", type="STRING"))
    table = converted("\ufeffZONE, Id\nx,1\n", agreed)
    assert table.to_pylist() == [{"id": 1, "zone": "x", "file_month": dt.date(2021, 1, 1)}]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("id", "'zone' is missing"),
        ("id,zone,zone", "'zone' is there twice"),
        ("id,zone,more", "'more' is not in the contract"),
        ("id;zone", "'id' is missing, 'zone' is missing, 'id;zone' is not in the contract"),
    ],
)
def test_a_header_that_differs_from_the_contract_is_refused(header: str, why: str) -> None:
    agreed = contract_of(Column(name="id", type="INT64"), Column(name="zone", type="STRING"))
    with pytest.raises(BadFile, match=f"not those of the contract trips: {why};"):
        converted(f"{header}\n1,x\n", agreed)


def test_a_missing_value_is_refused_where_the_contract_wants_one() -> None:
    agreed = contract_of(Column(name="id", type="INT64", nullable=False), dialect=Dialect(null_values=["NA"]))
    with pytest.raises(BadFile, match="line 3, column id: found no value, expected INT64"):
        converted("id\n1\nNA\n", agreed)


def test_equal_files_give_equal_bytes_and_row_groups_are_large() -> None:
    agreed = contract_of(Column(name="id", type="INT64"))
    text = "id\n" + "\n".join(map(str, range(600_000))) + "\n"

    def written() -> bytes:
        sink = io.BytesIO()
        with formats.read(io.BytesIO(text.encode()), agreed, MONTH, "file") as reader:
            parts = convert.tables(reader, agreed, MONTH, Quarantine(agreed.quarantine, "file"))
            assert convert.write(parts, arrow.schema(agreed.columns, MONTH), sink) == 600_000
        return sink.getvalue()

    data = written()
    assert data == written()
    footer = pyarrow.parquet.ParquetFile(io.BytesIO(data)).metadata
    groups = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
    assert all(rows >= convert.GROUP_ROWS for rows in groups[:-1])
    assert len(groups) > 1


def test_parquet_types_are_those_of_bigquerys_own_dataframe_loader() -> None:
    assert {kind: arrow.ARROW[kind] for kind in arrow.ARROW} == {
        kind: bq_to_arrow_scalars(kind)() for kind in arrow.ARROW
    }


def test_a_snapshot_has_no_column_for_its_period() -> None:
    folder = Path(__file__).parents[2] / "flows" / "contracts"
    airlines = contract.read(folder, "airlines")
    stream, whole = io.BytesIO(b"carrier,name\nAA,American Airlines Inc.\n"), Partition.parse("none", "all")
    with formats.read(stream, airlines, whole, "file") as reader:
        (table,) = convert.tables(reader, airlines, whole, Quarantine(airlines.quarantine, "file"))
    assert table.to_pylist() == [{"carrier": "AA", "name": "American Airlines Inc."}]
