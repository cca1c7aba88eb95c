"""The one way rows get into a table, for loads, copies, queries and inserts.

Everything here happens in the caller's transaction, so a refused write leaves the table as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from localcloud.bigquery import catalog
from localcloud.bigquery.columns import duckdb_type, fits, names
from localcloud.bigquery.configurations import (
    CreateDisposition,
    DestinationTableProperties,
    SchemaUpdateOptions,
    WriteDisposition,
)
from localcloud.bigquery.database import Cursor, count, first, quoted
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.partitions import ARRIVAL, arrival_time, by_arrival, check_layout, in_partition, partition_id
from localcloud.bigquery.resources import (
    Clustering,
    Column,
    RangePartitioning,
    Schema,
    Table,
    TableKey,
    TableReference,
    TimePartitioning,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """SQL of the engine that yields the rows, and the columns that it yields."""

    select: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where rows go and how; the words are those of a job's configuration.

    `declared` is the schema that a user gave, `replaces_schema` says whether truncating the whole table also gives it
    the schema of the rows.
    """

    key: TableKey
    partition: str | None = None
    create_disposition: CreateDisposition = "CREATE_IF_NEEDED"
    write_disposition: WriteDisposition = "WRITE_APPEND"
    schema_update_options: SchemaUpdateOptions = ()
    declared: Schema | None = None
    replaces_schema: bool = True
    time_partitioning: TimePartitioning | None = None
    range_partitioning: RangePartitioning | None = None
    clustering: Clustering | None = None
    properties: DestinationTableProperties | None = None

    def __str__(self) -> str:
        return f"{self.key}${self.partition}" if self.partition else str(self.key)


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: its own rows, and the table after it."""

    rows: int
    table: Table


def write(cursor: Cursor, target: Target, rows: Rows) -> Written:
    """Put rows into a table, which is made if the target allows it.

    Raises:
        Fault: notFound without dataset, or without table and CREATE_NEVER; duplicate for WRITE_EMPTY on rows; invalid
            for a schema, layout or partition that does not match.
    """
    existing = catalog.find_table(cursor, target.key)
    table = existing or _create(cursor, target, rows)
    if table.view is not None:
        raise Fault("invalid", f"{target.key} is a view, which is not allowed as a destination")
    if existing is not None:
        table = _prepare(cursor, target, table, rows)
    inserted = _insert(cursor, target, table, rows)
    return Written(inserted, catalog.save_table(cursor, target.key, table))


def target_key(reference: TableReference, project: str) -> tuple[TableKey, str | None]:
    """Split a destination into the table and the partition that its decorator names."""
    return reference.key(project), reference.partition


def extend(
    cursor: Cursor, key: TableKey, table: Table, wanted: Iterable[Column], options: SchemaUpdateOptions
) -> Table:
    """Bring a table's schema up to wanted columns, as far as the options allow.

    Raises:
        Fault: invalid, naming the column.
    """
    refused = f"Provided Schema does not match Table {key}."
    columns = {column.lower: column for column in table.columns}
    for want in wanted:
        have = columns.get(want.lower)
        if have is None:
            if "ALLOW_FIELD_ADDITION" not in options:
                raise Fault("invalid", f"{refused} Cannot add fields (field: {want.name})")
            if want.mode == "REQUIRED":
                message = f"{refused} Cannot add required fields to an existing schema. (field: {want.name})"
                raise Fault("invalid", message)
            catalog.add_column(cursor, key, want)
            columns[want.lower] = want
        elif (have.mode == "REPEATED") != (want.mode == "REPEATED"):
            message = f"{refused} Field {want.name} has changed mode from {have.mode} to {want.mode}"
            raise Fault("invalid", message)
        elif not fits(want, have):
            message = f"{refused} Field {want.name} has changed type from {have.type} to {want.type}"
            raise Fault("invalid", message)
    return table.model_copy(update={"table_schema": Schema(fields=tuple(columns.values()))})


def relax(cursor: Cursor, key: TableKey, table: Table, wanted: Iterable[Column], options: SchemaUpdateOptions) -> Table:
    """Make required columns nullable where wanted columns say so.

    Raises:
        Fault: invalid without ALLOW_FIELD_RELAXATION.
    """
    columns = {column.lower: column for column in table.columns}
    for want in wanted:
        have = columns.get(want.lower)
        if have is None or (have.mode, want.mode) != ("REQUIRED", "NULLABLE"):
            continue
        if "ALLOW_FIELD_RELAXATION" not in options:
            changed = f"Field {want.name} has changed mode from REQUIRED to NULLABLE"
            raise Fault("invalid", f"Provided Schema does not match Table {key}. {changed}")
        cursor.execute(f"ALTER TABLE {key.sql} ALTER COLUMN {quoted(have.name)} DROP NOT NULL")
        columns[have.lower] = have.model_copy(update={"mode": "NULLABLE"})
    return table.model_copy(update={"table_schema": Schema(fields=tuple(columns.values()))})


def _create(cursor: Cursor, target: Target, rows: Rows) -> Table:
    catalog.dataset(cursor, target.key.parent)
    if target.create_disposition == "CREATE_NEVER":
        raise Fault("notFound", f"Not found: Table {target.key}")
    properties = target.properties or DestinationTableProperties()
    reference = TableReference(project_id=target.key.project, dataset_id=target.key.dataset, table_id=target.key.table)
    wanted = Table(
        table_reference=reference,
        table_schema=target.declared or Schema(fields=rows.columns),
        time_partitioning=target.time_partitioning,
        range_partitioning=target.range_partitioning,
        clustering=target.clustering,
        description=properties.description,
        friendly_name=properties.friendly_name,
        labels=dict(properties.labels) if properties.labels else None,
    )
    table = catalog.create_table(cursor, target.key, wanted)
    if target.partition:
        in_partition(table, target.partition)  # refuses a decorator that the new table cannot have
    return table


def _prepare(cursor: Cursor, target: Target, table: Table, rows: Rows) -> Table:
    """Apply the disposition to a table that is there already."""
    _check_layout_is_kept(target, table)
    _check_properties_are_kept(target, table)
    whole = target.partition is None
    truncates = target.write_disposition == "WRITE_TRUNCATE"
    if target.schema_update_options and (target.write_disposition == "WRITE_EMPTY" or (whole and truncates)):
        raise Fault(
            "invalid",
            "Schema update options should only be specified with WRITE_APPEND or WRITE_TRUNCATE_DATA disposition, "
            "or with WRITE_TRUNCATE disposition on a table partition.",
        )
    condition = in_partition(table, target.partition) if target.partition else "true"
    if target.write_disposition == "WRITE_EMPTY" and _any(cursor, f"SELECT 1 FROM {target.key.sql} WHERE {condition}"):
        raise Fault("duplicate", f"Already Exists: Table {target}")
    if (truncates and whole) or not table.columns:
        return _replace(cursor, target, table, rows)
    table = extend(cursor, target.key, table, rows.columns, target.schema_update_options)
    if target.declared:
        table = relax(cursor, target.key, table, target.declared.fields, target.schema_update_options)
    if target.write_disposition in {"WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA"}:
        cursor.execute(f"DELETE FROM {target.key.sql} WHERE {condition}")
    return table


def _check_layout_is_kept(target: Target, table: Table) -> None:
    """Refuse a job whose partitioning differs from the table's: a job cannot change it."""
    for given, kept in (
        (target.time_partitioning, table.time_partitioning),
        (target.range_partitioning, table.range_partitioning),
    ):
        if given is None:
            continue
        ignored = {"expiration_ms"}
        if kept is None or given.model_dump(exclude=ignored) != kept.model_dump(exclude=ignored):
            message = (
                f"Incompatible table partitioning specification for {target.key}. Expected "
                f"{kept.to_json() if kept else 'none'}, but input partitioning specification is {given.to_json()}"
            )
            raise Fault("invalid", message)


def _check_properties_are_kept(target: Target, table: Table) -> None:
    """Refuse a load that gives an existing table another description, name or labels: they are for a new one."""
    given = target.properties or DestinationTableProperties()
    for name in ("description", "friendly_name", "labels"):
        wanted = getattr(given, name)
        if wanted is not None and wanted != getattr(table, name):
            message = f"{target.key} exists, and destinationTableProperties differ from it: {name}"
            raise Fault("invalid", message)


def _replace(cursor: Cursor, target: Target, table: Table, rows: Rows) -> Table:
    """Empty the whole table; column descriptions go with the old schema, layout and labels stay."""
    update: dict[str, object] = {}
    if target.declared:
        update["table_schema"] = target.declared
    elif target.replaces_schema or not table.columns:
        update["table_schema"] = Schema(fields=rows.columns)
    if target.clustering:
        update["clustering"] = target.clustering
    replaced = table.model_copy(update=update)
    check_layout(replaced)
    catalog.make_rows(cursor, target.key, replaced)
    return replaced


def _insert(cursor: Cursor, target: Target, table: Table, rows: Rows) -> int:
    given = {column.lower for column in rows.columns}
    stored = [column for column in table.columns if column.lower in given]
    for column in table.columns:
        if column.mode == "REQUIRED" and column.lower not in given:
            message = f"Provided Schema does not match Table {target.key}. Field {column.name} is missing in new schema"
            raise Fault("invalid", message)
    if not stored:
        return 0
    into, values = names(stored), ", ".join(_value(column) for column in stored)
    if by_arrival(table):
        into += f", {ARRIVAL}"
        values += f", {arrival_time(table, target.partition)}"
    elif target.partition:
        _check_partition(cursor, target, table, rows)
    return count(cursor, f"INSERT INTO {target.key.sql} ({into}) SELECT {values} FROM ({rows.select})")


def _value(column: Column) -> str:
    return f"CAST({quoted(column.name)} AS {duckdb_type(column)})"


def _check_partition(cursor: Cursor, target: Target, table: Table, rows: Rows) -> None:
    """Refuse rows that lie outside the decorator's partition, as BigQuery does."""
    condition = in_partition(table, target.partition or "")
    stray = first(
        cursor,
        f"SELECT {partition_id(table)} FROM ({rows.select}) WHERE ({condition}) IS NOT TRUE LIMIT 1",
    )
    if stray:
        message = (
            f"Some rows belong to different partitions rather than destination partition {target} (found {stray[0]})"
        )
        raise Fault("invalid", message)


def _any(cursor: Cursor, select: str) -> bool:
    return first(cursor, f"{select} LIMIT 1") is not None
