"""INFORMATION_SCHEMA, as SQL of the engine over the catalog."""

from __future__ import annotations

from localcloud.bigquery import catalog
from localcloud.bigquery.database import Cursor, literal
from localcloud.bigquery.faults import not_implemented
from localcloud.bigquery.partitions import partition_column, partition_id
from localcloud.bigquery.resources import DatasetKey, Table, TableKey

PREFIX = "INFORMATION_SCHEMA."


def view(cursor: Cursor, name: str, key: DatasetKey) -> str:
    """Write the query that yields a view of a dataset.

    Raises:
        Fault: notFound without the dataset, notImplemented for other views.
    """
    catalog.dataset(cursor, key)
    here = f"project = {literal(key.project)} AND dataset = {literal(key.dataset)}"
    named = "project AS table_catalog, dataset AS table_schema, name AS table_name"
    if name == "TABLES":
        return f"SELECT {named}, type AS table_type FROM _catalog.tables WHERE {here}"
    if name == "COLUMNS":
        return f"SELECT * EXCLUDE (project, dataset, name), {named} FROM _catalog.columns WHERE {here}"
    if name == "PARTITIONS":
        return _partitions(cursor, key)
    raise not_implemented(f"{PREFIX}{name}")


def _partitions(cursor: Cursor, key: DatasetKey) -> str:
    empty = (
        "SELECT '' AS table_catalog, '' AS table_schema, '' AS table_name, '' AS partition_id, 0 AS total_rows LIMIT 0"
    )
    parts = [
        _partitions_of(TableKey(*key, table.table_reference.table_id), partition_ids(table))
        for table in catalog.tables(cursor, key)
        if table.view is None
    ]
    return " UNION ALL ".join(f"({part})" for part in [empty, *parts])


def partition_ids(table: Table) -> str:
    """Write the SQL of a row's partition id, NULL in a table without partitions."""
    return partition_id(table) if partition_column(table) else "CAST(NULL AS VARCHAR)"


def _partitions_of(key: TableKey, ids: str) -> str:
    return (
        f"SELECT {literal(key.project)}, {literal(key.dataset)}, {literal(key.table)}, {ids}, count(*) "
        f"FROM {key.sql} GROUP BY ALL"
    )
