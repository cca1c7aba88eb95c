"""Valid files to begin with: the project's contracts, and small data files of each kind."""

import datetime as dt
import gzip
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from flows.etl.contract import COLUMN_TYPES, Contract
from flows.etl.partition import Partition

CONTRACTS = Path(__file__).parents[2] / "flows" / "contracts"
MONTH = Partition.parse("month", "2021-01")
VALUES: dict[str, list[str]] = {
    "STRING": ["somebody", "", '"two\nlines"', '"a ""quoted"" word"', "Zo\u00eb", "NA"],
    "INT64": ["0", "-9223372036854775808", "007", "", "42"],
    "FLOAT64": ["0.5", "1e-3", "-17", "", "12345.678"],
    "NUMERIC": ["0.5", "12345678901234567890.123456789", "", "-1"],
    "BOOL": ["true", "false", "", "true"],
    "DATE": ["2021-01-31", "1999-12-31", "", "2021-02-01"],
    "TIME": ["23:59:59", "00:00:00.000001", "", "07:08:09"],
    "DATETIME": ["2021-01-31 07:08:09", "", "2021-01-31T00:00:00"],
    "TIMESTAMP": ["2021-01-31T07:08:09Z", "2021-01-31T07:08:09+02:00", ""],
}
NATIVE: dict[str, Any] = {
    "STRING": pa.array(["a", None, "Zo\u00eb"] * 20),
    "INT64": pa.array([1, None, -5] * 20, pa.int32()),
    "FLOAT64": pa.array([1.5, None, 2.0] * 20),
    "NUMERIC": pa.array([Decimal("1.25"), None, Decimal(3)] * 20, pa.decimal128(10, 2)),
    "BOOL": pa.array([True, None, False] * 20),
    "DATE": pa.array([dt.date(2021, 1, 31), None, dt.date(1999, 1, 1)] * 20),
    "TIME": pa.array([dt.time(1, 2, 3), None, dt.time(0)] * 20, pa.time64("us")),
    "DATETIME": pa.array([dt.datetime(2021, 1, 31, 1), None, dt.datetime(1999, 1, 1)] * 20, pa.timestamp("ns")),
    "TIMESTAMP": pa.array([dt.datetime(2021, 1, 31, 1), None, dt.datetime(1999, 1, 1)] * 20, pa.timestamp("ms", "UTC")),
}


def contract_of(kind: str, compression: str = "none", **more: Any) -> Contract:
    """A contract with a column of each type, that allows any number of bad rows."""
    return Contract.model_validate(
        {
            "name": "trips",
            "revision": 1,
            "description": "",
            "owner": "",
            "source": "https://publisher.test/{yyyy}{mm}",
            "format": kind,
            "compression": compression,
            "partition": "month",
            "first_partition": "2021-01",
            "columns": [{"name": name.lower(), "type": name} for name in COLUMN_TYPES],
            "quarantine": {"max_rows": 1_000_000},
            **more,
        }
    )


CSV_CONTRACTS = [
    contract_of("csv"),
    contract_of("csv", dialect={"null_values": ["", "NA"]}, drift={"new_column": "add", "missing_column": "null"}),
    contract_of("csv", dialect={"delimiter": ";", "decimal": ",", "encoding": "cp1252"}),
    contract_of("csv", dialect={"header": False, "encoding": "latin-1", "quote": "'"}),
    contract_of("csv", dialect={"quote": "", "timestamp_formats": ["%d.%m.%Y %H:%M:%S", "%Y-%m-%d"]}),
]
JSONL_CONTRACTS = [
    contract_of("jsonl"),
    contract_of("jsonl", drift={"new_column": "add", "missing_column": "null"}),
    contract_of("jsonl", drift={"new_column": "ignore", "missing_column": "null"}),
]
PARQUET_CONTRACTS = [
    contract_of("parquet"),
    contract_of("parquet", drift={"new_column": "add", "missing_column": "null"}),
]


def csv(contract: Contract, rows: int = 30) -> bytes:
    delimiter = contract.dialect.delimiter
    lines = [delimiter.join(column.name for column in contract.columns)] if contract.dialect.header else []
    for number in range(rows):
        values = [VALUES[column.type][number % len(VALUES[column.type])] for column in contract.columns]
        lines.append(delimiter.join(values))
    return "\n".join([*lines, ""]).encode(contract.dialect.encoding)


def jsonl(contract: Contract, rows: int = 30) -> bytes:
    def value(kind: str, number: int) -> Any:
        text = VALUES[kind][number % len(VALUES[kind])]
        return None if text == "" else json.loads(text) if kind in ("FLOAT64", "BOOL") else text.strip('"')

    records = [{column.name: value(column.type, number) for column in contract.columns} for number in range(rows)]
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def parquet(contract: Contract) -> bytes:
    table = pa.table({column.name: NATIVE[column.type] for column in contract.columns})
    made = io.BytesIO()
    pyarrow.parquet.write_table(table, made, row_group_size=25)
    return made.getvalue()


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("trips.csv"), data)
    return made.getvalue()


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data[:500], mtime=0) + gzip.compress(data[500:], mtime=0)
