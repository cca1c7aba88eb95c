"""A contract's table in Postgres: made, widened and refilled, all within the landing's own transaction.

A table with periods is partitioned by the period's column, a partition a period. The first content of a period is
attached as it is; later content is inserted in place of the rows that it deletes. Both are seen at the commit, whole,
at every isolation level, and no reader waits: a partition that was dropped and attached anew would be empty to a
transaction that began to read before.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from flows.etl.contract import Contract
from flows.etl.errors import DatabaseRefused
from flows.etl.partition import Partition
from flows.etl.postgres.database import Connection
from flows.etl.postgres.ledger import LIST, SCHEMA

MARK = "Landfall's table of the contract "
SHORT = 40  # characters of a contract's name in a partition's, which has a period and a mark behind it


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is there: its columns and their types, by name."""

    columns: Mapping[str, str]
    layout: str  # what it is partitioned by, as Postgres says it; empty: not at all
    comment: str


def of(contract: Contract) -> sql.Identifier:
    """Name a contract's table."""
    return sql.Identifier(SCHEMA, contract.name)


def find(connection: Connection, contract: Contract, where: str) -> Table | None:
    """Read a contract's table; None if there is none.

    Raises:
        DatabaseRefused: the table of this name is somebody else's, or laid out otherwise.
    """
    found = connection.execute(
        """
        SELECT oid, coalesce(pg_get_partkeydef(oid), ''), coalesce(obj_description(oid, 'pg_class'), '')
        FROM pg_class WHERE oid = to_regclass(quote_ident(%s) || '.' || quote_ident(%s))
        """,
        [SCHEMA, contract.name],
    ).fetchone()
    if found is None:
        return None
    oid, layout, comment = found
    columns = connection.execute(
        """
        SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
        """,
        [oid],
    ).fetchall()
    table = Table(dict(columns), layout, comment)
    _check(table, contract, where)
    return table


def holds(connection: Connection, contract: Contract) -> set[str]:
    """Say which periods a contract's table has a partition for, as Postgres writes their bounds; snapshots `''`."""
    if Partition(contract.partition, None).column is None:
        exists = connection.execute(
            "SELECT to_regclass(quote_ident(%s) || '.' || quote_ident(%s)) IS NOT NULL", [SCHEMA, contract.name]
        ).fetchone()
        return {""} if exists and exists[0] else set()
    bounds = connection.execute(
        """
        SELECT pg_get_expr(child.relpartbound, child.oid)
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = to_regclass(quote_ident(%s) || '.' || quote_ident(%s))
        """,
        [SCHEMA, contract.name],
    )
    return {str(bound) for (bound,) in bounds}


def bound(partition: Partition) -> str:
    """Write the bound of a period's partition as Postgres does; empty for a snapshot."""
    return f"FOR VALUES IN ('{partition.value}')" if partition.column else ""


def new_name(contract: Contract, partition: Partition) -> sql.Identifier:
    """Give a name that no table has, for new content of a period."""
    period = "".join(letter if letter.isalnum() else "_" for letter in str(partition)).lower()
    return sql.Identifier(SCHEMA, f"{contract.name[:SHORT]}_{period}_{secrets.token_hex(4)}")


def make_alone(connection: Connection, name: sql.Identifier, types: Mapping[str, str]) -> None:
    """Make a table by itself, which nobody sees before the transaction commits."""
    columns = LIST.join(_column(column, kind) for column, kind in types.items())
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, columns))


def ensure(
    connection: Connection, contract: Contract, partition: Partition, types: Mapping[str, str], where: str
) -> None:
    """Make the contract's table if it is absent, and add the columns that it lacks; what others added stays.

    Raises:
        DatabaseRefused: it is somebody else's, laid out otherwise, or a column has another type.
    """
    table = find(connection, contract, where)
    if table is None or not set(types) <= set(table.columns):
        # one process at a time makes or widens a table; who comes second finds it done
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s || '.' || %s, 0))", [SCHEMA, contract.name]
        )
        table = find(connection, contract, where)
    if table is None:
        _make(connection, contract, partition, types)
        return
    check_columns(table, contract, types, where)
    for column, kind in types.items():
        if column not in table.columns:
            # readers are kept out while the table changes: they must not line up behind a wait for one of them
            connection.execute("SET LOCAL lock_timeout = '10s'")
            connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(of(contract), _column(column, kind)))
            connection.execute("SET LOCAL lock_timeout = '120s'")


def check_columns(table: Table | None, contract: Contract, types: Mapping[str, str], where: str) -> None:
    """See that a table that is there has no column of another type.

    Raises:
        DatabaseRefused: it has.
    """
    for column, kind in types.items():
        if table and table.columns.get(column, kind) != kind:
            raise DatabaseRefused(
                f"{where}: found the column {column} of {SCHEMA}.{contract.name} as {table.columns[column]}, expected"
                f" {kind}; land it as a new contract, or drop the table, nothing was written"
            )


def replace(connection: Connection, contract: Contract, partition: Partition, content: sql.Identifier) -> int:
    """Put new content, which lies in a table by itself, in the place of a period's rows; counts them in the table.

    Nothing of it is seen before the transaction commits, and all of it after.
    """
    target = of(contract)
    if partition.column and bound(partition) not in holds(connection, contract):
        _widen(connection, contract, content)
        connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                target, content, sql.Literal(partition.value)
            )
        )
    else:
        names = LIST.join(sql.Identifier(name) for name in _columns(connection, content))
        connection.execute(sql.SQL("DELETE FROM {}{}").format(target, _where(partition)))
        connection.execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(target, names, names, content))
        connection.execute(sql.SQL("DROP TABLE {}").format(content))
    return count(connection, contract, partition)[0]


def count(
    connection: Connection, contract: Contract, partition: Partition, conditions: tuple[sql.Composable, ...] = ()
) -> tuple[int, ...]:
    """Count a period's rows in the table, then those among them for which each condition is true, in one query."""
    counts = [sql.SQL("count(*)"), *(sql.SQL("count(*) FILTER (WHERE {})").format(each) for each in conditions)]
    query = sql.SQL("SELECT {} FROM {}{}").format(LIST.join(counts), of(contract), _where(partition))
    return tuple(connection.execute(query).fetchone() or ())


def _where(partition: Partition) -> sql.Composable:
    """Choose a period's rows; a snapshot's are all."""
    if not partition.column:
        return sql.SQL("")
    return sql.SQL(" WHERE {} = {}").format(sql.Identifier(partition.column), sql.Literal(partition.value))


def _check(table: Table, contract: Contract, where: str) -> None:
    if MARK + contract.name not in table.comment.splitlines():
        raise DatabaseRefused(
            f"{where}: found a table {SCHEMA}.{contract.name} that is not Landfall's, for its comment does not say so,"
            f" expected none, or one with the line {MARK + contract.name!r}; rename it, nothing was written"
        )
    column = Partition(contract.partition, None).column
    wanted = f"LIST ({column})" if column else ""
    if table.layout != wanted:
        raise DatabaseRefused(
            f"{where}: found {SCHEMA}.{contract.name} partitioned by {table.layout or 'nothing'}, expected"
            f" {wanted or 'nothing'}; land it as a new contract, or drop the table, nothing was written"
        )


def _make(connection: Connection, contract: Contract, partition: Partition, types: Mapping[str, str]) -> None:
    columns = LIST.join(_column(name, kind) for name, kind in types.items())
    by = (
        sql.SQL(" PARTITION BY LIST ({})").format(sql.Identifier(partition.column)) if partition.column else sql.SQL("")
    )
    connection.execute(sql.SQL("CREATE TABLE {} ({}){}").format(of(contract), columns, by))
    comment = "\n".join(line for line in (contract.description.strip(), MARK + contract.name) if line)
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(of(contract), sql.Literal(comment)))
    for column in contract.columns:
        if column.description:
            connection.execute(
                sql.SQL("COMMENT ON COLUMN {} IS {}").format(
                    sql.Identifier(SCHEMA, contract.name, column.name.lower()), sql.Literal(column.description)
                )
            )


def _widen(connection: Connection, contract: Contract, content: sql.Identifier) -> None:
    """Give content the columns that the table has and its file lacks: a partition has all of them."""
    have = _columns(connection, content)
    for name, kind in _columns(connection, of(contract)).items():
        if name not in have:
            connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(content, _column(name, kind)))


def _columns(connection: Connection, table: sql.Identifier) -> dict[str, str]:
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [table.as_string(connection)],
    ).fetchall()
    return dict(rows)


def _column(name: str, kind: str) -> sql.Composed:
    """Declare a column; its type is one of ours, or one that Postgres told us."""
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
