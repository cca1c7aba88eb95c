"""A table's partitions: their column, their ids, and which rows a decorator such as `$202101` means."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from localcloud.bigquery.columns import duckdb_type
from localcloud.bigquery.database import literal, quoted
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.resources import Column, Range, Table

ARRIVAL = "_PARTITIONTIME"  # the column of a table that is partitioned by the time of arrival
ARRIVAL_TYPE = "TIMESTAMP WITH TIME ZONE"
NULLS = "__NULL__"
OUTSIDE = "__UNPARTITIONED__"
_FORMATS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}
_DIGITS = {"HOUR": 10, "DAY": 8, "MONTH": 6, "YEAR": 4}


def by_arrival(table: Table) -> bool:
    """Say whether rows go to the partition of the time when they arrive."""
    return table.time_partitioning is not None and table.time_partitioning.field is None


def partition_column(table: Table) -> str | None:
    """Name the column that decides, None for a table without partitions."""
    if table.time_partitioning:
        return table.time_partitioning.field or ARRIVAL
    return table.range_partitioning.field if table.range_partitioning else None


def partition_id(table: Table) -> str:
    """Write the SQL of a row's partition id."""
    column = quoted(partition_column(table) or "")
    if table.time_partitioning:
        return f"coalesce(strftime({column}, '{_FORMATS[table.time_partitioning.type]}'), '{NULLS}')"
    span = _range(table)
    start = f"CAST({span.start} + (({column} - {span.start}) // {span.interval}) * {span.interval} AS VARCHAR)"
    return (
        f"CASE WHEN {column} IS NULL THEN '{NULLS}' "
        f"WHEN {column} < {span.start} OR {column} >= {span.end} THEN '{OUTSIDE}' ELSE {start} END"
    )


def in_partition(table: Table, partition: str) -> str:
    """Write the SQL condition that holds for the rows of one partition.

    Raises:
        Fault: invalid, for an id that the table cannot have.
    """
    name = partition_column(table)
    if name is None:
        raise Fault("invalid", f"Cannot read partition information from a table that is not partitioned: ${partition}")
    column = quoted(name)
    if partition == NULLS:
        return f"{column} IS NULL"
    if table.time_partitioning:
        start, end = _period(table.time_partitioning.type, partition)
        kind = ARRIVAL_TYPE if by_arrival(table) else duckdb_type(_column(table, name))
        return f"({column} >= CAST('{start}' AS {kind}) AND {column} < CAST('{end}' AS {kind}))"
    span = _range(table)
    if partition == OUTSIDE:
        return f"({column} < {span.start} OR {column} >= {span.end})"
    if not re.fullmatch(r"-?\d+", partition) or (int(partition) - span.start) % span.interval:
        raise Fault("invalid", f"Invalid partition id {partition!r} for a table partitioned by range")
    return f"({column} >= {partition} AND {column} < {int(partition) + span.interval})"


def arrival_time(table: Table, partition: str | None) -> str:
    """Write the SQL of the time that newly written rows are given, of the decorator's partition or of now."""
    grain = table.time_partitioning.type if table.time_partitioning else "DAY"
    if partition is None:
        return f"date_trunc('{grain.lower()}', now())"
    return f"CAST({literal(str(_period(grain, partition)[0]))} AS {ARRIVAL_TYPE})"


def check_layout(table: Table) -> None:
    """Refuse partitioning and clustering that the schema cannot carry.

    Raises:
        Fault: invalid, naming the column.
    """
    columns = {column.lower: column for column in table.columns}
    if table.time_partitioning and table.range_partitioning:
        raise Fault("invalid", "Cannot specify both time partitioning and range partitioning")
    name = partition_column(table)
    if name is not None and name != ARRIVAL:
        found = columns.get(name.lower())
        if found is None:
            raise Fault("invalid", f"The field specified for partitioning cannot be found in the schema: {name}")
        allowed = {"INTEGER"} if table.range_partitioning else {"DATE", "TIMESTAMP", "DATETIME"}
        if table.time_partitioning and table.time_partitioning.type == "HOUR":
            allowed.remove("DATE")
        if found.type not in allowed or found.mode == "REPEATED":
            raise Fault("invalid", f"The field {name} of type {found.type} cannot partition the table this way")
    for clustered in table.clustering.fields if table.clustering else ():
        if clustered.lower() not in columns:
            raise Fault("invalid", f"The field specified for clustering cannot be found in the schema: {clustered}")


def _column(table: Table, name: str) -> Column:
    return next(column for column in table.columns if column.lower == name.lower())


def _range(table: Table) -> Range:
    if table.range_partitioning is None:
        raise Fault("invalid", "The table is not partitioned")
    return table.range_partitioning.range


def _period(grain: str, partition: str) -> tuple[datetime, datetime]:
    """Give the first moment of a partition and that of the next one."""
    refused = Fault("invalid", f"Invalid partition id {partition!r} for a table partitioned by {grain}")
    if not re.fullmatch(rf"\d{{{_DIGITS[grain]}}}", partition):
        raise refused
    try:
        start = datetime.strptime(partition, _FORMATS[grain])  # noqa: DTZ007 - a partition id has no zone, it is UTC
    except ValueError as error:
        raise refused from error
    step = {"HOUR": timedelta(hours=1), "DAY": timedelta(days=1), "MONTH": timedelta(days=32), "YEAR": timedelta(366)}
    end = start + step[grain]
    if grain == "MONTH":
        end = end.replace(day=1)
    if grain == "YEAR":
        end = end.replace(month=1, day=1)
    return start, end
