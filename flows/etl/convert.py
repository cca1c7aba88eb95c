"""From typed batches to Parquet: cleaned, checked, with the period's column; one pass, one row group in memory."""

import dataclasses
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from typing import cast

import pyarrow as pa
import pyarrow.parquet

from flows.etl import arrow
from flows.etl.checks import Counts
from flows.etl.clean import Clean
from flows.etl.contract import Contract
from flows.etl.drift import Matched
from flows.etl.formats.batch import BadRow, Batch, Reader
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine

# BigQuery asks for row groups of 16 MiB or more before compression; this many rows of taxi data are 19 MB
GROUP_ROWS = 131_072
GROUP_BYTES = 32 << 20  # of wide rows: what a group may take in memory before it is written


def tables(
    reader: Reader, contract: Contract, partition: Partition, quarantine: Quarantine, counts: Counts | None = None
) -> Iterator[pa.Table]:
    """Give what lands of each batch, with the period's column; bad rows go to the quarantine, the others are counted.

    Raises:
        BadFile: there are more bad rows than the contract allows.
    """
    target = arrow.schema(reader.matched.landing, partition)
    clean = contract.hook.load() if contract.hook else None
    for each in reader:
        batch = _cleaned(each, clean, f"{contract.name} {partition}") if clean else each
        table, without = _fitting(batch, reader.matched, quarantine)
        if batch.bad or without:
            quarantine.add(sorted([*batch.bad, *without], key=_record))
        if counts:
            counts.add(table)
        columns = table.columns
        if partition.column:
            columns.append(_period_column(partition, target.types[-1], table.num_rows))
        yield pa.Table.from_arrays(columns, schema=target)


def _cleaned(batch: Batch, clean: Clean, where: str) -> Batch:
    """Run the contract's hook over a batch's good rows: they stand where they stood, with other values."""
    rows = batch.table.num_rows
    if not rows:
        return batch
    first, last = batch.place(0).record, batch.place(rows - 1).record
    return dataclasses.replace(batch, table=clean(batch.table, f"{where}, records {first} to {last}"))


def _fitting(batch: Batch, matched: Matched, quarantine: Quarantine) -> tuple[pa.Table, list[BadRow]]:
    """Part the rows that lack a value which the contract demands, of a file that has the column, and those unfit."""
    table = batch.table
    wrong: dict[int, BadRow] = {}
    for column, name, values in zip(matched.columns, matched.names, table.columns, strict=False):
        if values.null_count and name is not None and not column.nullable:
            for position in pa.compute.indices_nonzero(values.is_null()).to_pylist():
                if position not in wrong:
                    reason = f"found no value, expected {column.type}"
                    wrong[position] = BadRow(batch.place(position), column.name, reason)
    for position, name, reason in quarantine.unfit(table):
        wrong.setdefault(position, BadRow(batch.place(position), name, reason))
    if not wrong:
        return table, []
    return table.filter(pa.array([position not in wrong for position in range(table.num_rows)])), list(wrong.values())


def _record(bad: BadRow) -> int:
    return bad.place.record


def write(parts: Iterable[pa.Table], target: pa.Schema, sink: io.IOBase) -> int:
    """Write tables as one Parquet file and return the number of rows; equal tables give equal bytes."""
    rows = 0
    # a dictionary of timestamps is larger than the timestamps
    dictionary = [field.name for field in target if not pa.types.is_timestamp(field.type)]
    with pyarrow.parquet.ParquetWriter(
        sink,
        target,
        compression="zstd",
        compression_level=1,
        use_dictionary=dictionary or False,
        memory_pool=arrow.pool(),
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
