"""The engine: one DuckDB file, snapshots to read from and one transaction at a time to write in."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from localcloud.bigquery.functions import MACROS

Cursor = duckdb.DuckDBPyConnection

_CATALOG = """
CREATE SCHEMA IF NOT EXISTS _catalog;
CREATE TABLE IF NOT EXISTS _catalog.datasets (project VARCHAR, dataset VARCHAR, body VARCHAR);
CREATE TABLE IF NOT EXISTS _catalog.tables (project VARCHAR, dataset VARCHAR, name VARCHAR, type VARCHAR, body VARCHAR);
CREATE TABLE IF NOT EXISTS _catalog.columns (
    project VARCHAR, dataset VARCHAR, name VARCHAR, column_name VARCHAR, ordinal_position BIGINT,
    is_nullable VARCHAR, data_type VARCHAR, is_partitioning_column VARCHAR, clustering_ordinal_position BIGINT
);
CREATE TABLE IF NOT EXISTS _catalog.accepted_jobs (
    project VARCHAR, id VARCHAR, created BIGINT, body VARCHAR, media VARCHAR, PRIMARY KEY (project, id)
);
CREATE TABLE IF NOT EXISTS _catalog.finished_jobs (
    project VARCHAR, id VARCHAR, body VARCHAR, PRIMARY KEY (project, id)
);
CREATE TABLE IF NOT EXISTS _catalog.script_progress (project VARCHAR, id VARCHAR, statements BIGINT);
"""


def quoted(name: str) -> str:
    """Write a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def first(cursor: Cursor, sql: str, parameters: Sequence[object] = ()) -> tuple[Any, ...] | None:
    """Give a query's first row. The result is read to its end: until then a cursor can do nothing else."""
    rows = cursor.execute(sql, list(parameters)).fetchall()
    return rows[0] if rows else None


def count(cursor: Cursor, sql: str) -> int:
    """Give the one number that a statement answers: the rows it counted or changed."""
    row = first(cursor, sql)
    return int(row[0]) if row else 0


class Database:
    """Readers see one snapshot and never wait; writers take turns, so that none fails to serialise.

    What a process was writing when it was killed has not happened: DuckDB's log is replayed at the next start.
    """

    def __init__(self, path: Path) -> None:
        self._connection = duckdb.connect(
            str(path),
            config={
                "threads": 2,
                "memory_limit": "225MB",  # a load of 1.5 million rows: 395 MB in all; at 200MB their MERGE fails
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,  # nothing is ever downloaded
                "autoload_known_extensions": False,
            },
        )
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute(_CATALOG + MACROS)
        self._turn = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """Give a cursor on one snapshot of everything."""
        cursor = self.snapshot()
        try:
            yield cursor
        finally:
            cursor.close()

    def snapshot(self) -> Cursor:
        """Open a snapshot that the caller closes."""
        cursor = self._connection.cursor()
        cursor.execute("BEGIN TRANSACTION")
        cursor.execute("SELECT 1 FROM _catalog.datasets LIMIT 1").fetchall()  # the first read fixes the snapshot
        return cursor

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """Give a cursor in the one write transaction: all of the block happens, or nothing."""
        with self._turn, self.append() as cursor:
            yield cursor

    @contextmanager
    def append(self) -> Iterator[Cursor]:
        """Give a cursor in a transaction that only inserts into the job tables: inserts never conflict, so no turn."""
        cursor = self._connection.cursor()
        cursor.execute("BEGIN TRANSACTION")
        try:
            yield cursor
            cursor.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # a failed statement may have ended the transaction already
                cursor.execute("ROLLBACK")
            raise
        finally:
            cursor.close()

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        self._connection.close()
