"""A file's rows on their way into Postgres: by COPY, batch by batch, into a table that nobody sees yet."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from flows.etl.contract import Column
from flows.etl.errors import Unequal
from flows.etl.formats.batch import BadRow
from flows.etl.postgres import columns, table
from flows.etl.postgres.database import Connection
from flows.etl.postgres.landed import Landed, Landing
from flows.etl.postgres.ledger import LIST, QUARANTINE
from flows.etl.quarantine import Quarantine

IN_MEMORY = 1 << 20  # bytes of bad rows, before they wait on disk
# every text is in quotes and nothing else is, so that an empty text and no value are two things
WRITTEN = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")


class Content:
    """New content of a partition: a table by itself, in a transaction that begins with its rows and ends with *ends*.

    Not before: a session that only waits within a transaction is ended by the server.
    """

    def __init__(self, connection: Connection, landing: Landing, where: str, ends: ExitStack) -> None:
        self._connection, self._landing, self._where, self._ends = connection, landing, where, ends
        self.types: dict[str, str] = {}
        self.table = table.new_name(landing.contract, landing.partition)

    def write(self, tables: Iterator[pa.Table], landing: tuple[Column, ...]) -> int:
        """Copy tables of these columns, and the period's behind them; gives the number of rows."""
        contract, partition = self._landing.contract, self._landing.partition
        self.types = columns.types(landing, partition, self._where)
        self._ends.enter_context(self._connection.transaction())
        table.check_columns(table.find(self._connection, contract, self._where), contract, self.types, self._where)
        table.make_alone(self._connection, self.table, self.types)
        into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')").format(
            self.table, LIST.join(map(sql.Identifier, self.types))
        )
        with self._connection.cursor() as cursor:
            with cursor.copy(into) as copy:
                for each in tables:
                    copy.write(_csv(each))
            return cursor.rowcount  # what Postgres took: it is held against the count of the source's bytes

    def replace(self, made: Landed) -> None:
        """Put the rows in the place of the period's rows in the contract's table.

        Raises:
            DatabaseRefused: the table is somebody else's, or does not fit.
            Unequal: the table has another number of rows then.
        """
        contract, partition = self._landing.contract, self._landing.partition
        table.ensure(self._connection, contract, partition, self.types, self._where)
        rows = table.replace(self._connection, contract, partition, self.table)
        if rows != made.warehouse_rows:
            raise Unequal(
                f"{self._landing}: found {rows} rows in the table, expected {made.warehouse_rows}, which is what was"
                " copied; has somebody put a trigger or a rule on it? nothing was written"
            )


class Aside(Quarantine):
    """The bad rows of one file, kept until its good ones are copied: a connection does one thing at a time."""

    def __init__(self, landing: Landing) -> None:
        super().__init__(landing.contract.quarantine, landing.where)
        self._landing = landing
        self._kept = tempfile.SpooledTemporaryFile(IN_MEMORY, mode="w+", encoding="utf-8")  # noqa: SIM115 - see __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._kept.close()

    def unfit(self, table: pa.Table) -> Iterator[tuple[int, str, str]]:
        """Find rows with text that Postgres cannot hold."""
        return columns.unfit(table)

    def add(self, bad: list[BadRow]) -> None:
        """Put a batch's bad rows aside, in the order of the file."""
        super().add(bad)
        for row in bad:
            place = row.place
            entry = [self._landing.where, place.record, place.line, row.column, row.reason, place.raw]
            self._kept.write(json.dumps(entry) + "\n")

    def replace(self, connection: Connection, n: int) -> None:
        """Put them in the place of those of what landed before."""
        contract, partition = self._landing.contract.name, str(self._landing.partition)
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE contract = %s AND partition = %s").format(QUARANTINE), [contract, partition]
        )
        self._kept.seek(0)
        with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(QUARANTINE)) as copy:
            for line in self._kept:
                copy.write_row([contract, partition, n, *map(_holdable, json.loads(line))])


def _holdable(value: str | int | None) -> str | int | None:
    """Give a text as Postgres can hold it: bad rows may have anything in them."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace").decode().replace("\0", "\N{SYMBOL FOR NULL}")


def _csv(each: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(each, sink, WRITTEN)
    return bytes(sink.getvalue())
