"""One environment's Postgres database: how it is reached, and what its errors mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import Conninfo

from flows.etl.errors import DatabaseRefused, Transient

OLDEST = 130000  # what the last version that Postgres's makers still looked after in 2025 calls itself
# libpq waits for ever where nobody names an end
BOUNDS: Mapping[str, Any] = {"connect_timeout": 15, "tcp_user_timeout": 60_000, "keepalives_idle": 30}
# dates are read and shown in one way; who stands still with locks, or is gone without a word, is ended by the server
SESSION = """
    SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET search_path = pg_catalog;
    SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '120s';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3
"""

# the last is what a process finds that stood still, which psycopg counts among errors of the database's inside
PASSING = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout)

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Database:
    """A database by libpq's keywords (`host`, `dbname`, `sslmode`), the password among them, and whose it must be."""

    address: Mapping[str, Any] = field(repr=False)
    environment: str

    @property
    def where(self) -> str:
        """The database as people see it."""
        host, port = self.address.get("host") or "the local socket", self.address.get("port") or 5432
        return f"Postgres at {host}:{port}, database {self.address.get('dbname') or '(the default)'}"

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection that commits each statement, unless within a `transaction()`.

        Raises:
            Transient: there was no connection, it broke, or others were in the way. A commit may have gone through:
                the ledger says so.
            DatabaseRefused: Postgres does not take what it was given, or is not one that Landfall can use.
        """
        try:
            # without prepared statements, which a pool between here and Postgres may not keep
            with psycopg.connect(
                **{**BOUNDS, **encrypted(self.address)},
                autocommit=True,
                prepare_threshold=None,
                client_encoding="UTF8",
                application_name="landfall",
            ) as connection:
                _check(connection, self.where)
                connection.execute(SESSION)
                yield connection
        except PASSING as error:
            raise Transient(
                f"{self.where}: found {_line(error)}, expected an answer; run again: it goes on"
                " from what the ledger says"
            ) from error
        except psycopg.Error as error:
            raise DatabaseRefused(f"{self.where}: {_line(error)}; nothing was written") from error


def encrypted(address: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for TLS where a password and rows would cross a network, unless somebody said what is wanted.

    libpq's own default, `prefer`, goes on without TLS where the server has none. Said is what the address says, or
    PGSSLMODE, or a service file.
    """
    hosts = str(address.get("hostaddr") or address.get("host") or "").split(",")
    near = all(host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1") for host in hosts)
    defaults = {option.keyword: option.val for option in Conninfo.get_defaults()}
    if near or "sslmode" in address or "service" in address or defaults.get(b"sslmode") != b"prefer":
        return address
    return {**address, "sslmode": "require"}


def _check(connection: Connection, where: str) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseRefused(
            f"{where}: found the encoding {encoding}, expected UTF8, which holds every text; make a database with"
            " ENCODING 'UTF8', nothing was written"
        )
    if connection.info.server_version < OLDEST:
        raise DatabaseRefused(
            f"{where}: found version {connection.info.server_version // 10000}, expected {OLDEST // 10000} or newer;"
            " nothing was written"
        )


def _line(error: psycopg.Error) -> str:
    """Say Postgres's words in one line."""
    words = [error.diag.message_primary or str(error) or type(error).__name__, error.diag.message_detail]
    words += [error.diag.context] if isinstance(error, psycopg.DataError) else []
    return " ".join(" ".join(word for word in words if word).split())
