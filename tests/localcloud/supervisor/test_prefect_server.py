"""What is changed of Prefect's server: a cursor whose statement failed is not left to the garbage collector."""

import asyncio
import sqlite3
from pathlib import Path

import aiosqlite
import pytest

from localcloud.environment import DATABASE, for_service
from localcloud.prefect_server import execute_or_close


def test_a_cursor_whose_statement_failed_is_closed_and_the_error_is_told() -> None:
    async def fail() -> None:
        async with aiosqlite.connect(":memory:") as connection:
            cursor = await connection.cursor()
            await execute_or_close(cursor, "SELECT 1")
            with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
                await execute_or_close(cursor, "SELECT * FROM nowhere")
            with pytest.raises(sqlite3.ProgrammingError, match="closed cursor"):
                await cursor.fetchone()

    asyncio.run(fail())


def test_a_cursor_that_nobody_waits_for_any_more_is_closed() -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT i FROM n ORDER BY i"

    async def give_up() -> None:
        async with aiosqlite.connect(":memory:") as connection:
            cursor = await connection.cursor()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(execute_or_close(cursor, endless), 0.001)
            with pytest.raises(sqlite3.ProgrammingError, match="closed cursor"):
                await cursor.fetchone()

    asyncio.run(give_up())


def test_the_error_of_a_closed_connection_stays_what_it_is() -> None:
    async def ask() -> None:
        connection = await aiosqlite.connect(":memory:")
        cursor = await connection.cursor()
        await connection.close()
        with pytest.raises(ValueError, match=r"[Cc]onnection|closed"):
            await execute_or_close(cursor, "SELECT 1")

    asyncio.run(ask())


def test_the_server_gets_the_database_that_its_own_variable_names_and_none_of_the_callers(tmp_path: Path) -> None:
    theirs = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////theirs.db"}
    addresses = {"prefect": "http://127.0.0.1:1"}
    named = for_service(tmp_path, addresses, {**theirs, DATABASE: "postgresql+asyncpg://ours"})
    without = for_service(tmp_path, addresses, theirs)
    name = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
    assert (named[name], name in without) == ("postgresql+asyncpg://ours", False)
