"""What Postgres holds of every type, value by value, as another reader of the same file sees it."""

import datetime as dt
import io
import math
import random
import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from flows.etl.arrow import ARROW
from flows.etl.contract import COLUMN_TYPES, Column, ColumnType
from flows.etl.postgres.columns import TYPES
from tests.postgres.place import Place

CHANCE = random.Random(27)
FIRST, LAST = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)
EDGES: dict[ColumnType, list[Any]] = {
    "STRING": [
        "",
        " ",
        "NULL",
        r"\N",
        r"\.",
        '"',
        '""',
        "a,b",
        "line\nend\r\n",
        "\t",
        "Å",
        "\N{GRINNING FACE}",
        "'",
        "\x01\x7f",
    ],
    "INT64": [0, -1, 2**63 - 1, -(2**63)],
    "FLOAT64": [
        0.0,
        -0.0,
        math.nan,
        math.inf,
        -math.inf,
        5e-324,
        1.7976931348623157e308,
        0.1,
        1e22,
        123456789.123456789,
    ],
    "NUMERIC": [Decimal(0), Decimal("0.000000001"), Decimal("9" * 29 + "." + "9" * 9), Decimal("-1.5")],
    "BOOL": [True, False],
    "DATE": [FIRST.date(), LAST.date(), dt.date(1970, 1, 1), dt.date(1582, 10, 10)],
    "TIME": [dt.time(0), dt.time(23, 59, 59, 999999), dt.time(12, 0, 0, 1)],
    "DATETIME": [FIRST, LAST, dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(2021, 3, 28, 2, 30)],
    "TIMESTAMP": [FIRST, LAST, dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(2021, 10, 31, 1, 30)],
}


def _moment() -> dt.datetime:
    return FIRST + CHANCE.random() * (LAST - FIRST)


ALPHABET = [chr(code) for code in [*range(1, 0x300), *range(0x1F600, 0x1F610)]]
DRAWN: dict[ColumnType, Callable[[], Any]] = {
    "STRING": lambda: "".join(CHANCE.choices(ALPHABET, k=12)),
    "INT64": lambda: CHANCE.randrange(-(2**63), 2**63),
    "FLOAT64": lambda: struct.unpack("d", CHANCE.randbytes(8))[0],
    "NUMERIC": lambda: Decimal(CHANCE.randrange(-(10**38) + 1, 10**38)).scaleb(-9),
    "BOOL": lambda: CHANCE.random() < 0.5,
    "DATE": lambda: _moment().date(),
    "TIME": lambda: _moment().time(),
    "DATETIME": _moment,
    "TIMESTAMP": _moment,
}


def _values(kind: ColumnType, rows: int) -> list[Any]:
    """Give a type's edges, then chance and now and then nothing."""
    edges = EDGES[kind]
    return edges + [None if CHANCE.random() < 0.1 else DRAWN[kind]() for _ in range(rows - len(edges))]


def test_every_type_is_held_without_loss_as_duckdb_reads_the_same_file(place: Place, tmp_path: Path) -> None:
    assert [*TYPES] == [*COLUMN_TYPES]
    rows = 400
    values = {kind: _values(kind, rows) for kind in COLUMN_TYPES}
    table = pa.table(
        {"id": pa.array(range(rows), pa.int64())}
        | {f"as_{kind.lower()}": pa.array(values[kind], ARROW[kind]) for kind in COLUMN_TYPES}
    )
    file = io.BytesIO()
    pq.write_table(table, file, version="2.6")
    (tmp_path / "file.parquet").write_bytes(file.getvalue())
    place.publisher.serve("/202101", file.getvalue())
    columns = [Column(name=f"as_{kind.lower()}", type=kind) for kind in COLUMN_TYPES]
    place.land(place.contract(Column(name="id", type="INT64"), *columns, format="parquet"))

    plain = ", ".join(f"as_{kind.lower()}" for kind in COLUMN_TYPES[:-2])
    moments = "as_datetime", "as_timestamp"
    theirs = duckdb.execute(
        f"SELECT {plain}, {', '.join(f'epoch_us({each})' for each in moments)}"
        f" FROM '{tmp_path}/file.parquet' ORDER BY id"
    ).fetchall()
    with psycopg.connect(**place.server.address()) as reader:  # type: ignore[arg-type]
        ours = reader.execute(
            f"SELECT {plain}, {', '.join(f'(extract(epoch FROM {each}) * 1000000)::bigint' for each in moments)}"
            " FROM landfall.trips ORDER BY id"
        ).fetchall()
    assert len(ours) == rows
    for our, their in zip(ours, theirs, strict=True):
        assert tuple(map(_bits, our)) == tuple(map(_bits, their))
    # and as it was made: DuckDB and Landfall read Parquet by different code, and could be wrong together
    for place_of, kind in enumerate(COLUMN_TYPES[:-2]):
        assert [_bits(row[place_of]) for row in ours] == [_bits(value) for value in values[kind]]


def _bits(value: Any) -> Any:
    """Tell zeros apart by their sign; all NaN are one, as in Postgres."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("d", value)
    return value
