"""The ledger in Postgres: one row a landing, numbered, written in the transaction that brings its rows.

A number is taken once: that is the whole of what lets no older content come over a newer one.
"""

import dataclasses
from typing import LiteralString

from psycopg import sql
from psycopg.rows import class_row

from flows.etl.errors import EnvironmentMismatch
from flows.etl.landing_log import Published
from flows.etl.partition import Partition
from flows.etl.postgres.database import Connection
from flows.etl.postgres.landed import Landed, noted

SCHEMA = "landfall"
MARK = "Landfall's tables of the environment "
LIST = sql.SQL(", ")
TABLE, QUARANTINE = sql.Identifier(SCHEMA, "landings"), sql.Identifier(SCHEMA, "quarantine")

COLUMNS: dict[str, LiteralString] = {
    "contract": "text NOT NULL",
    "partition": "text NOT NULL",
    "n": "bigint NOT NULL",
    "source_uri": "text NOT NULL",
    "etag": "text",
    "last_modified": "text",
    "source_bytes": "bigint NOT NULL",
    "source_sha256": "text NOT NULL",
    "source_rows": "bigint NOT NULL",
    "quarantined_rows": "bigint NOT NULL",
    "warehouse_rows": "bigint NOT NULL",
    "contract_fingerprint": "text NOT NULL",
    "contract_revision": "bigint NOT NULL",
    "checks_fingerprint": "text",
    "flow_run_id": "text",
    "published_address": "text",
    "published_etag": "text",
    "published_last_modified": "text",
    "published_length": "bigint",
    "loaded_at": "timestamptz NOT NULL DEFAULT clock_timestamp()",
}


def environment(connection: Connection, where: str) -> str | None:
    """Say whose database this is; None if Landfall has not been here.

    Raises:
        EnvironmentMismatch: there is a schema of this name that is not Landfall's.
    """
    found = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", [SCHEMA]
    ).fetchone()
    if found is None:
        return None
    said = found[0] or ""
    if not said.startswith(MARK):
        raise EnvironmentMismatch(
            f"{where}: found a schema {SCHEMA} that says {said or 'nothing'!r}, expected one of Landfall's own; rename"
            f" it, or give it to Landfall: COMMENT ON SCHEMA {SCHEMA} IS '{MARK}<name>'; nothing was written"
        )
    return str(said.removeprefix(MARK))


def check(connection: Connection, wanted: str, where: str) -> bool:
    """Refuse another environment's database; tell whether this one's ledger is there.

    Raises:
        EnvironmentMismatch: the schema is another environment's, or not Landfall's at all.
    """
    found = environment(connection, where)
    if found is not None and found != wanted:
        raise EnvironmentMismatch(
            f"{where}: found the database of environment {found}, expected {wanted}'s; check LANDFALL_ENVIRONMENT and"
            " the block, nothing was written"
        )
    ready = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{SCHEMA}.landings"]).fetchone()
    return bool(ready and ready[0])


def ensure(connection: Connection, wanted: str, where: str) -> None:
    """Make schema, ledger, its view and the quarantine, if they are absent; one process at a time.

    Raises:
        EnvironmentMismatch: as for `check`.
    """
    if check(connection, wanted, where):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [SCHEMA])
        if check(connection, wanted, where):
            return
        if environment(connection, where) is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
            connection.execute(
                sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(SCHEMA), sql.Literal(MARK + wanted))
            )
        columns = [sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in COLUMNS.items()]
        connection.execute(
            sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY (contract, partition, n))").format(TABLE, LIST.join(columns))
        )
        connection.execute(
            sql.SQL(
                "CREATE VIEW {} AS SELECT DISTINCT ON (contract, partition) * FROM {}"
                " ORDER BY contract, partition, n DESC"
            ).format(sql.Identifier(SCHEMA, "landings_current"), TABLE)
        )
        connection.execute(
            sql.SQL(
                "CREATE TABLE {} (contract text, partition text, n bigint, file text, record bigint, line bigint,"
                ' "column" text, reason text, raw text)'
            ).format(QUARANTINE)
        )


def last(connection: Connection, contract: str, first: Partition, end: Partition) -> dict[str, Landed]:
    """Read the newest row of each partition of a range, in one query."""
    with connection.cursor(row_factory=class_row(Landed)) as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT DISTINCT ON (partition) {} FROM {} WHERE contract = %s"
                ' AND partition COLLATE "C" BETWEEN %s AND %s ORDER BY partition, n DESC'
            ).format(LIST.join(map(sql.Identifier, COLUMNS)), TABLE),
            [contract, str(first), str(end)],
        )
        return {row.partition: row for row in cursor}


def append(connection: Connection, made: Landed) -> bool:
    """Write a row under its number; False if that number is taken.

    Whoever is about to take the same number is waited for: this is what lines landings of one partition up.
    """
    values = {name: value for name, value in dataclasses.asdict(made).items() if name != "loaded_at"}
    written = connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
            TABLE,
            LIST.join(map(sql.Identifier, values)),
            LIST.join(sql.Placeholder() * len(values)),
        ),
        list(values.values()),
    )
    return written.rowcount == 1


def remember(connection: Connection, row: Landed, checks: str | None, published: Published | None = None) -> None:
    """Note what is known by now of a row's content: the checks that it passed, what the publisher answers for it.

    Else each run would check, or read, all of it again.
    """
    values: dict[str, object] = {"checks_fingerprint": checks, **(noted(published) if published else {})}
    connection.execute(
        sql.SQL("UPDATE {} SET {} WHERE contract = %s AND partition = %s AND n = %s").format(
            TABLE, LIST.join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values)
        ),
        [*values.values(), row.contract, row.partition, row.n],
    )
