"""From records to typed Parquet: one pass, one row group in memory.

The types are those that google-cloud-bigquery's own dataframe loader writes:
https://github.com/googleapis/python-bigquery/blob/main/google/cloud/bigquery/_pyarrow_helpers.py
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator
from typing import cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from flows.etl.contract import Column, Contract
from flows.etl.errors import BadFile
from flows.etl.partition import Partition
from flows.etl.records import Block, Records

ARROW: dict[str, pa.DataType] = {
    "STRING": pa.string(),
    "INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "NUMERIC": pa.decimal128(38, 9),
    "BOOL": pa.bool_(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
}
# BigQuery asks for row groups of 16 MiB or more before compression; this many rows of taxi data are 19 MB
GROUP_ROWS = 131_072
GROUP_BYTES = 32 << 20  # of wide rows: what a group may take in memory before it is written

VALUE = re.compile(
    r"In CSV column #(\d+): Row #(\d+): (?:CSV conversion error to .+: )?(?:invalid value )?(.*)", re.DOTALL
)
SHAPE = re.compile(r"CSV parse error: Row #(\d+): Expected (\d+) columns, got (\d+)")


def schema(contract: Contract, partition: Partition) -> pa.Schema:
    """Give the Parquet schema: the contract's columns, then the period's."""
    fields = [pa.field(column.name, ARROW[column.type]) for column in contract.columns]
    if partition.column and partition.column_type:
        fields.append(pa.field(partition.column, ARROW[partition.column_type]))
    return pa.schema(fields)


def tables(records: Records, contract: Contract, partition: Partition, url: str) -> Iterator[pa.Table]:
    """Read records into typed tables in the contract's order, with the period's column; one for each block.

    Raises:
        BadFile: a column is missing, unknown or twice in the header, or a value or a row does not fit.
    """
    header = _header(records.header, contract, url)
    options = pyarrow.csv.ConvertOptions(
        column_types={name: ARROW[column.type] for name, column in header.items()},
        include_columns=[name for column in contract.columns for name in header if header[name] is column],
        null_values=contract.dialect.null_values,
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        timestamp_parsers=[pyarrow.csv.ISO8601],
    )
    target = schema(contract, partition)
    for block in records:
        table = _parse(block, list(header), options, contract, url)
        _check_nulls(table, block, contract, url)
        columns = table.columns
        if partition.column:
            columns.append(_period_column(partition, target.types[-1], table.num_rows))
        yield pa.Table.from_arrays(columns, schema=target)


def write(parts: Iterable[pa.Table], target: pa.Schema, sink: io.IOBase) -> int:
    """Write tables as one Parquet file and return the number of rows; equal tables give equal bytes."""
    rows = 0
    # a dictionary of timestamps is larger than the timestamps
    dictionary = [field.name for field in target if not pa.types.is_timestamp(field.type)]
    with pyarrow.parquet.ParquetWriter(
        sink, target, compression="zstd", compression_level=1, use_dictionary=dictionary or False, memory_pool=_pool()
    ) as writer:
        for group in _groups(parts):
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
            del group  # before the next one is gathered: one row group in memory, not two
    return rows


def _groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Gather tables into row groups; none is kept here once it is given out."""
    group: list[pa.Table] = []
    rows = size = 0
    for part in parts:
        group.append(part)
        rows += part.num_rows
        size += part.nbytes
        del part
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield _taken(group)
            rows = size = 0
    if rows:
        yield _taken(group)


def _taken(group: list[pa.Table]) -> pa.Table:
    whole = pa.concat_tables(group)
    group.clear()
    return whole


def _period_column(partition: Partition, kind: pa.DataType, rows: int) -> pa.Array:
    """Repeat the period's start; made of bytes, as pyarrow's own way imports pandas, 46 MB, where that is installed."""
    since_epoch = cast(dt.datetime, partition.start) - dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a period has no zone
    if pa.types.is_date32(kind):
        value = since_epoch.days.to_bytes(4, "little", signed=True)
    else:
        value = (since_epoch // dt.timedelta(microseconds=1)).to_bytes(8, "little", signed=True)
    return pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(value * rows)])


def _pool() -> pa.MemoryPool:
    """Give the allocator that returns memory soonest, where pyarrow was built with it: 20 MB less at the peak."""
    try:
        return pa.jemalloc_memory_pool()
    except NotImplementedError:
        return pa.default_memory_pool()


def _header(line: bytes, contract: Contract, url: str) -> dict[str, Column]:
    """Match a header's names with the contract's, without case: the file's name -> the column."""
    try:
        found = next(csv.reader([line.decode("utf-8-sig")], delimiter=contract.dialect.delimiter))
    except UnicodeDecodeError as error:
        raise BadFile(f"{url}: the header is not UTF-8 ({error}); nothing was written") from error
    known = {column.name.lower(): column for column in contract.columns}
    lower = [name.strip().lower() for name in found]
    wrong = [
        *(f"{name!r} is there twice" for name in dict.fromkeys(lower) if lower.count(name) > 1),
        *(f"{name!r} is missing" for name in known if name not in lower),
        *(f"{name!r} is not in the contract" for name in lower if name not in known),
    ]
    if wrong:
        raise BadFile(
            f"{url}: the header's columns are not those of the contract {contract.name}: {', '.join(wrong)};"
            " check the contract's columns and delimiter, nothing was written"
        )
    return {name: known[name.strip().lower()] for name in found}


def _parse(
    block: Block, names: list[str], options: pyarrow.csv.ConvertOptions, contract: Contract, url: str
) -> pa.Table:
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(block.data),
            # one thread: parallel conversion loses the row number of an error
            read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block.data) + 1),
            parse_options=pyarrow.csv.ParseOptions(delimiter=contract.dialect.delimiter, newlines_in_values=True),
            convert_options=options,
            memory_pool=_pool(),
        )
    except pa.ArrowInvalid as error:
        raise BadFile(_say(str(error), block, names, options, url)) from error


def _check_nulls(table: pa.Table, block: Block, contract: Contract, url: str) -> None:
    for column, values in zip(contract.columns, table.columns, strict=True):
        if values.null_count and not column.nullable:
            number = block.first + values.is_null().to_pylist().index(True)
            raise BadFile(
                f"{url}: record {number}, column {column.name}: found no value, expected {column.type}; correct the"
                " file, or drop `nullable = false` from the contract; nothing was written"
            )


def _say(message: str, block: Block, names: list[str], options: pyarrow.csv.ConvertOptions, url: str) -> str:
    """Word pyarrow's finding: its row numbers count from 1 in the block."""
    if found := VALUE.match(message):
        name = names[int(found[1])]
        number = block.first + int(found[2]) - 1
        return (
            f"{url}: record {number}, column {name}: found {found[3]}, expected {_type_name(options, name)};"
            " correct the file or the contract's type, nothing was written"
        )
    if found := SHAPE.match(message):
        return (
            f"{url}: record {block.first + int(found[1]) - 1}: found {found[3]} fields, expected {found[2]};"
            " correct the file or the contract's delimiter, nothing was written"
        )
    return f"{url}: records {block.first} to {block.first + block.records - 1}: {message}; nothing was written"


def _type_name(options: pyarrow.csv.ConvertOptions, name: str) -> str:
    return next(key for key, value in ARROW.items() if value == options.column_types[name])
