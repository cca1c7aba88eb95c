"""What there is: datasets and tables, kept in the same transactions as their rows."""

from __future__ import annotations

import time
import uuid

from localcloud.bigquery.columns import duckdb_type, logical_bytes
from localcloud.bigquery.database import Cursor, count, first, quoted
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.parsing import restore
from localcloud.bigquery.partitions import (
    ARRIVAL,
    ARRIVAL_TYPE,
    arrival_time,
    by_arrival,
    check_layout,
    partition_column,
)
from localcloud.bigquery.resources import (
    DEFAULT_ACCESS,
    Column,
    Dataset,
    DatasetKey,
    DatasetReference,
    Table,
    TableKey,
    TableReference,
)

DEFAULT_LOCATION = "US"
NO_COLUMNS = "_no_columns_yet"  # the engine has no tables without columns


def now_ms() -> int:
    """Tell the time as Google's resources do."""
    return int(time.time() * 1000)


def find_dataset(cursor: Cursor, key: DatasetKey) -> Dataset | None:
    """Look a dataset up."""
    query = "SELECT body FROM _catalog.datasets WHERE project = ? AND dataset = ?"
    found = first(cursor, query, key)
    return restore(Dataset, found[0]) if found else None


def dataset(cursor: Cursor, key: DatasetKey, location: str | None = None) -> Dataset:
    """Look a dataset up that has to be there, in the location where a job runs.

    Raises:
        Fault: notFound.
    """
    found = find_dataset(cursor, key)
    if found is None:
        raise Fault("notFound", f"Not found: Dataset {key}")
    if location is not None and (found.location or "").upper() != location.upper():
        raise Fault("notFound", f"Not found: Dataset {key} was not found in location {location}")
    return found


def datasets(cursor: Cursor, project: str) -> list[Dataset]:
    """List a project's datasets by name."""
    query = "SELECT body FROM _catalog.datasets WHERE project = ? ORDER BY dataset"
    return [restore(Dataset, body) for (body,) in cursor.execute(query, [project]).fetchall()]


def create_dataset(cursor: Cursor, key: DatasetKey, given: Dataset) -> Dataset:
    """Make a dataset.

    Raises:
        Fault: duplicate.
    """
    if find_dataset(cursor, key):
        raise Fault("duplicate", f"Already Exists: Dataset {key}")
    cursor.execute(f"CREATE SCHEMA {quoted(key.schema_name)}")
    made = {
        "kind": "bigquery#dataset",
        "id": str(key),
        "type": "DEFAULT",
        "dataset_reference": DatasetReference(dataset_id=key.dataset, project_id=key.project),
        "location": given.location or DEFAULT_LOCATION,
        "creation_time": now_ms(),
        "access": DEFAULT_ACCESS if given.access is None else given.access,
    }
    return save_dataset(cursor, key, given.model_copy(update=made))


def save_dataset(cursor: Cursor, key: DatasetKey, body: Dataset) -> Dataset:
    """Write a dataset's resource, with a new etag."""
    stamped = body.model_copy(update={"etag": uuid.uuid4().hex, "last_modified_time": now_ms()})
    cursor.execute("DELETE FROM _catalog.datasets WHERE project = ? AND dataset = ?", list(key))
    cursor.execute("INSERT INTO _catalog.datasets VALUES (?, ?, ?)", [*key, stamped.model_dump_json(by_alias=True)])
    return stamped


def drop_dataset(cursor: Cursor, key: DatasetKey, *, with_tables: bool) -> None:
    """Remove a dataset.

    Raises:
        Fault: notFound, or resourceInUse where it holds tables that may not go with it.
    """
    dataset(cursor, key)
    if tables(cursor, key) and not with_tables:
        raise Fault("resourceInUse", f"Dataset {key} is still in use")
    for part in ("columns", "tables", "datasets"):
        cursor.execute(f"DELETE FROM _catalog.{part} WHERE project = ? AND dataset = ?", list(key))
    cursor.execute(f"DROP SCHEMA {quoted(key.schema_name)} CASCADE")


def find_table(cursor: Cursor, key: TableKey) -> Table | None:
    """Look a table up."""
    query = "SELECT body FROM _catalog.tables WHERE project = ? AND dataset = ? AND name = ?"
    found = first(cursor, query, key)
    return restore(Table, found[0]) if found else None


def table(cursor: Cursor, key: TableKey) -> Table:
    """Look a table up that has to be there.

    Raises:
        Fault: notFound.
    """
    found = find_table(cursor, key)
    if found is None:
        raise Fault("notFound", f"Not found: Table {key}")
    return found


def tables(cursor: Cursor, key: DatasetKey) -> list[Table]:
    """List a dataset's tables and views by name."""
    query = "SELECT body FROM _catalog.tables WHERE project = ? AND dataset = ? ORDER BY name"
    return [restore(Table, body) for (body,) in cursor.execute(query, list(key)).fetchall()]


def create_table(cursor: Cursor, key: TableKey, given: Table) -> Table:
    """Make a table or view, with the expirations that its dataset gives it.

    Raises:
        Fault: notFound without its dataset, duplicate, invalid for an impossible layout.
    """
    parent = dataset(cursor, key.parent)
    if find_table(cursor, key):
        raise Fault("duplicate", f"Already Exists: Table {key}")
    check_layout(given)
    made: dict[str, object] = {
        "kind": "bigquery#table",
        "id": str(key),
        "type": "VIEW" if given.view else "TABLE",
        "table_reference": TableReference(project_id=key.project, dataset_id=key.dataset, table_id=key.table),
        "creation_time": now_ms(),
    }
    partitioning, expiration = given.time_partitioning, parent.default_partition_expiration_ms
    if partitioning and expiration:  # then the dataset's default for tables is ignored
        if partitioning.expiration_ms is None:
            made["time_partitioning"] = partitioning.model_copy(update={"expiration_ms": expiration})
    elif given.view is None and given.expiration_time is None and parent.default_table_expiration_ms:
        made["expiration_time"] = now_ms() + parent.default_table_expiration_ms
    body = given.model_copy(update=made)
    if given.view is None:
        make_rows(cursor, key, body)
    return save_table(cursor, key, body)


def make_rows(cursor: Cursor, key: TableKey, body: Table) -> None:
    """Make the engine's empty table for a resource, in place of one that may be there."""
    columns = [_definition(column) for column in body.columns] or [f"{NO_COLUMNS} INTEGER"]
    if by_arrival(body):
        columns.append(f"{ARRIVAL} {ARRIVAL_TYPE} DEFAULT {arrival_time(body, None)}")
    cursor.execute(f"CREATE OR REPLACE TABLE {key.sql} ({', '.join(columns)})")


def save_table(cursor: Cursor, key: TableKey, body: Table) -> Table:
    """Write a table's resource, with a new etag."""
    stamped = body.model_copy(update={"etag": uuid.uuid4().hex, "last_modified_time": now_ms()})
    _forget(cursor, key)
    cursor.execute(
        "INSERT INTO _catalog.tables VALUES (?, ?, ?, ?, ?)",
        [*key, "VIEW" if stamped.view else "BASE TABLE", stamped.model_dump_json(by_alias=True)],
    )
    clustered = [name.lower() for name in (body.clustering.fields if body.clustering else ())]
    decides = (partition_column(body) or "").lower()
    for position, column in enumerate(body.columns, 1):
        cursor.execute(
            "INSERT INTO _catalog.columns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *key,
                column.name,
                position,
                "NO" if column.mode == "REQUIRED" else "YES",
                column.standard_type,
                "YES" if column.lower == decides else "NO",
                clustered.index(column.lower) + 1 if column.lower in clustered else None,
            ],
        )
    return stamped


def drop_table(cursor: Cursor, key: TableKey, body: Table) -> None:
    """Remove a table with its rows, or a view."""
    if body.view is None:
        cursor.execute(f"DROP TABLE {key.sql}")
    _forget(cursor, key)


def with_counts(cursor: Cursor, key: TableKey, body: Table, condition: str = "true") -> Table:
    """Complete a resource with what only the rows say, as tables.get answers."""
    shown: dict[str, object] = {"location": dataset(cursor, key.parent).location}
    if body.view is None:
        rows = count(cursor, f"SELECT count(*) FROM {key.sql} WHERE {condition}")
        shown |= {"num_rows": rows, "num_bytes": logical_bytes(body.columns, rows), "num_long_term_bytes": 0}
    return body.model_copy(update=shown)


def add_column(cursor: Cursor, key: TableKey, column: Column) -> None:
    """Add a column to the rows; the caller saves the schema."""
    cursor.execute(f"ALTER TABLE {key.sql} ADD COLUMN {quoted(column.name)} {duckdb_type(column)}")


def _definition(column: Column) -> str:
    required = " NOT NULL" if column.mode == "REQUIRED" else ""
    return f"{quoted(column.name)} {duckdb_type(column)}{required}"


def _forget(cursor: Cursor, key: TableKey) -> None:
    for part in ("columns", "tables"):
        cursor.execute(f"DELETE FROM _catalog.{part} WHERE project = ? AND dataset = ? AND name = ?", list(key))
