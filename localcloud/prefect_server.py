"""Prefect's own server, unchanged but for what becomes of a cursor of SQLite's whose statement failed.

SQLAlchemy's driver leaves it open, and Python's garbage collector closes it whenever it happens to run. If that is on
the event loop's thread, while that cursor's connection waits on its own thread for a lock, and the lock is that of a
transaction which only the event loop can end, the whole server stands still for the minute that SQLite waits. Here such
a cursor is closed at once. Seen with Prefect 3.8.8, SQLAlchemy 2.0.58 and aiosqlite 0.22.1; not a matter of Postgres.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterable
from typing import Any

import aiosqlite
from prefect.cli import app

_execute = aiosqlite.Cursor.execute


async def execute_or_close(
    cursor: aiosqlite.Cursor, sql: str, parameters: Iterable[Any] | None = None
) -> aiosqlite.Cursor:
    """Execute a statement; if it fails, or nobody waits for it any more, its cursor is closed."""
    try:
        return await _execute(cursor, sql, parameters)
    except BaseException:
        with contextlib.suppress(ValueError):  # its connection is closed, and it with it
            await asyncio.shield(cursor.close())
        raise


if __name__ == "__main__":
    aiosqlite.Cursor.execute = execute_or_close  # type: ignore[method-assign,assignment]
    sys.argv[0] = "prefect"
    app()
