"""Tables and partitions that are past their time: they go within a second or two, as Google's go in the end."""

from __future__ import annotations

import threading
from contextlib import suppress

import duckdb

from localcloud.bigquery import catalog
from localcloud.bigquery.database import Cursor, Database, count, quoted
from localcloud.bigquery.parsing import restore
from localcloud.bigquery.partitions import partition_column
from localcloud.bigquery.resources import Table, TableKey

EVERY_S = 1.0


class Expirations:
    """Looks every second for what has expired, and deletes it in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bigquery-expirations", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closing.wait(EVERY_S):
            with suppress(duckdb.Error):  # the next look comes soon
                expire(self._database)


def expire(database: Database) -> None:
    """Delete what is past its time now; nothing is locked where nothing is."""
    with database.read() as cursor:
        due = _due(cursor)
    if not due:
        return
    with database.write() as cursor:
        for key, table in _due(cursor):  # looked at again: it may have been changed in between
            condition = _expired_rows(table)
            if _is_expired(table):
                catalog.drop_table(cursor, key, table)
            elif condition:
                cursor.execute(f"DELETE FROM {key.sql} WHERE {condition}")
                catalog.save_table(cursor, key, table)


def _due(cursor: Cursor) -> list[tuple[TableKey, Table]]:
    found = cursor.execute(
        "SELECT project, dataset, name, body FROM _catalog.tables "
        """WHERE body LIKE '%"expirationTime":"%' OR body LIKE '%"expirationMs":"%'"""
    ).fetchall()
    tables = [(TableKey(project, dataset, name), restore(Table, body)) for project, dataset, name, body in found]
    return [(key, table) for key, table in tables if _is_expired(table) or _has_expired_rows(cursor, key, table)]


def _is_expired(table: Table) -> bool:
    return table.expiration_time is not None and table.expiration_time <= catalog.now_ms()


def _has_expired_rows(cursor: Cursor, key: TableKey, table: Table) -> bool:
    condition = _expired_rows(table)
    return condition is not None and count(cursor, f"SELECT count(*) FROM {key.sql} WHERE {condition}") > 0


def _expired_rows(table: Table) -> str | None:
    """Write the SQL condition of rows whose partition has expired: its first moment lies too far back."""
    layout = table.time_partitioning
    if layout is None or layout.expiration_ms is None:
        return None
    column = quoted(partition_column(table) or "")
    return f"epoch_ms(date_trunc('{layout.type.lower()}', {column})) + {layout.expiration_ms} <= {catalog.now_ms()}"
