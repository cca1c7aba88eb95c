"""A Postgres for all tests of this folder, and a database and a publisher of each test's own."""

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres import server
from tests.postgres.place import Place
from tests.publisher import Publisher


@pytest.fixture(scope="session")
def postgres() -> Iterator[server.Server]:
    folder = server.binaries()
    if folder is None:
        why = f"no Postgres here ({', '.join(server.WANTED)}), expected one to test with: apt-get install postgresql"
        (pytest.fail if os.environ.get("CI", "") not in {"", "false"} else pytest.skip)(why)
    with server.started(folder) as running:
        yield running


@pytest.fixture
def place(postgres: server.Server) -> Iterator[Place]:
    """The server's database, in which nothing has landed: one of each test's own would be 300 files more."""
    with psycopg.connect(**postgres.address(), autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute("SET client_min_messages = warning")
        connection.execute("DROP SCHEMA IF EXISTS landfall CASCADE")
    with Publisher() as publisher:
        yield Place(postgres, publisher)
