"""What is changed of Prefect's server: a cursor whose statement failed is not left to the garbage collector."""

import asyncio
import sqlite3

import aiosqlite
import pytest

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
