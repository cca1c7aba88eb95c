"""A landing in Postgres: from the publisher's bytes to rows, ledger and quarantine in one transaction.

The number of the ledger's last row is read before the file is asked for. The new row takes the next one, and whoever
finds it taken has read a content that may be older than what landed meanwhile: nothing of it is committed.
`docs/decisions/0027-postgres.md` says why each rule is there.
"""

import logging
import time
from contextlib import ExitStack

import psycopg

from flows.etl import passage
from flows.etl.errors import StartOver
from flows.etl.fetch import Download
from flows.etl.passage import Passed
from flows.etl.postgres import ledger, table
from flows.etl.postgres.content import Aside, Content
from flows.etl.postgres.database import Connection
from flows.etl.postgres.landed import Landed, Landing, noted
from flows.etl.revision import check_revision
from flows.etl.served import published_meanwhile, serves_the_same

log = logging.getLogger(__name__)


def land(landing: Landing) -> tuple[Landed, tuple[str, ...]]:
    """Bring a partition's content to its table, and give the ledger's row of it and what checks warn of.

    Memory is constant: one batch, and the first megabyte of bad rows.

    Raises:
        SourceError, BadFile, CheckFailed, Unequal, Outdated, DatabaseRefused, EnvironmentMismatch: nothing changed.
        StartOver: another content landed meanwhile, and nothing of this one.
        Transient: there was passing trouble; whether it landed, the next try reads in the ledger.
    """
    database, contract = landing.database, landing.contract
    with database.connect() as connection:
        ledger.ensure(connection, database.environment, database.where)
        before = newest(connection, landing)
        if before:
            check_revision(contract, before)
            if before.n > landing.settled and _is_done(connection, landing, before):
                log.info("%s: landed as number %d, by another run or by a try whose reply was lost", landing, before.n)
                return before, ()
        started, landed = time.monotonic(), False
        with (
            passage.opened(landing.source) as body,
            Aside(landing) as aside,
            ExitStack() as transaction,  # from the first row on: some formats are read when they have arrived whole
        ):
            content = Content(connection, landing, database.where, transaction)
            passed = passage.through(body, landing.source, aside, content.write)
            made = _row(landing, body, passed, before)
            if _is_same(connection, landing, before, made) or not ledger.append(connection, made):
                raise psycopg.Rollback
            content.replace(made)
            aside.replace(connection, made.n)
            landed = True
        if landed:
            _tell(made, time.monotonic() - started)
            return made, passed.warnings
        now = newest(connection, landing)
        if now and _is_same(connection, landing, now, made):
            ledger.remember(connection, now, contract.checks_fingerprint, made.published)
            log.info("%s: number %d has the same content", landing, now.n)
            return now, passed.warnings
        raise StartOver(f"{landing}: another content landed meanwhile, as number {now.n if now else '(none)'}")


def newest(connection: Connection, landing: Landing) -> Landed | None:
    """Read the newest row of the landing's partition."""
    found = ledger.last(connection, landing.contract.name, landing.partition, landing.partition)
    return found.get(str(landing.partition))


def _row(landing: Landing, body: Download, passed: Passed, before: Landed | None) -> Landed:
    contract, published = landing.contract, published_meanwhile(landing, body.validators)
    return Landed(
        contract=contract.name,
        partition=str(landing.partition),
        n=before.n + 1 if before else 0,
        source_uri=landing.where,
        etag=body.validators.etag,
        last_modified=body.validators.last_modified,
        source_bytes=body.bytes_read,
        source_sha256=body.sha256,
        source_rows=passed.source_rows,
        quarantined_rows=passed.quarantined_rows,
        warehouse_rows=passed.rows,
        contract_fingerprint=contract.fingerprint,
        contract_revision=contract.revision,
        checks_fingerprint=contract.checks_fingerprint,
        flow_run_id=landing.flow_run_id,
        **noted(published),
    )


def _is_done(connection: Connection, landing: Landing, row: Landed) -> bool:
    """Tell whether a row is what the publisher serves now, read under this contract, and in the table."""
    return (
        landing.override is None
        and row.contract_fingerprint == landing.contract.fingerprint
        and table.bound(landing.partition) in table.holds(connection, landing.contract)
        and serves_the_same(landing, row.published)
    )


def _is_same(connection: Connection, landing: Landing, row: Landed | None, made: Landed) -> bool:
    """Tell whether a row is of the content that has just been read, and in the table."""
    return (
        row is not None
        and (row.source_sha256, row.contract_fingerprint) == (made.source_sha256, made.contract_fingerprint)
        and table.bound(landing.partition) in table.holds(connection, landing.contract)
    )


def _tell(made: Landed, seconds: float) -> None:
    log.info(
        "%s %s: %s rows, %.2f MB read, %s rows/s",
        *(made.contract, made.partition, f"{made.warehouse_rows:,}", made.source_bytes / 1e6),
        f"{made.warehouse_rows / seconds:,.0f}",
    )
