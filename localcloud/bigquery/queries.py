"""Query jobs: one statement or a script, dry runs, results."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlglot import exp

from localcloud.bigquery.columns import column_of, describe
from localcloud.bigquery.configurations import Query
from localcloud.bigquery.database import Cursor, first, quoted
from localcloud.bigquery.ddl import define
from localcloud.bigquery.dml import change
from localcloud.bigquery.faults import Fault, not_implemented
from localcloud.bigquery.job_records import JobRecord, QueryStatistics, Status
from localcloud.bigquery.jobs import Run
from localcloud.bigquery.parameters import literals
from localcloud.bigquery.resources import Column, Schema
from localcloud.bigquery.results import BATCH_ROWS, Results
from localcloud.bigquery.sql import Unit, parse, statement_type, units
from localcloud.bigquery.translation import Scope, translated
from localcloud.bigquery.writing import Rows, Target, write


class _RolledBackError(Exception):
    """Leaves a transaction that a script rolls back."""


@dataclass(slots=True)
class _Script:
    """A query job at work."""

    run: Run
    query: Query
    results: Results
    scope: Scope
    statements: Sequence[exp.Expr]
    numbers: dict[str, object] = field(default_factory=dict)

    @property
    def is_single(self) -> bool:
        return len(self.statements) == 1

    def statistics(self) -> QueryStatistics:
        kind = statement_type(self.statements[0]) if self.is_single else "SCRIPT"
        return QueryStatistics(statement_type=kind).model_copy(update=self.numbers)

    def select(self, cursor: Cursor, tree: exp.Expr) -> None:
        sql = translated(cursor, tree, self.scope)
        _check_bytes(self.query, self.scope.bytes_read(cursor))
        self.keep(cursor, sql)

    def keep(self, cursor: Cursor, select: str) -> None:
        relation = cursor.sql(select)
        columns = [column_of(name, kind) for name, kind in zip(relation.columns, relation.types, strict=True)]
        self.results.store(str(self.run.record.key), columns, relation.to_arrow_reader(BATCH_ROWS))
        processed = self.scope.bytes_read(cursor)
        self.numbers = {"total_bytes_processed": processed, "total_bytes_billed": processed}

    def select_into(self, cursor: Cursor, tree: exp.Expr, target: Target) -> None:
        name = quoted(f"selected_{uuid.uuid4().hex}")
        sql = translated(cursor, tree, self.scope)
        _check_bytes(self.query, self.scope.bytes_read(cursor))
        cursor.execute(f"CREATE TEMP TABLE {name} AS {sql}")
        rows = Rows(f"SELECT * FROM {name}", describe(cursor, f"SELECT * FROM {name}"))
        write(cursor, target, rows)
        self.keep(cursor, rows.select)

    def execute(self, cursor: Cursor, tree: exp.Expr) -> None:
        """Do one statement in the open transaction."""
        target = _target(self.query, self.run.project)
        if isinstance(tree, exp.Query) and target:
            self.select_into(cursor, tree, target)
        elif isinstance(tree, exp.Query):
            self.select(cursor, tree)
        elif target:
            raise Fault("invalid", "Cannot set destination table in jobs with DDL or DML statements")
        elif isinstance(tree, exp.Create | exp.Drop | exp.Alter):
            define(cursor, tree, self.scope)
            self.numbers = {}
        else:
            changed, stats = change(cursor, tree, self.scope)
            self.numbers = {"num_dml_affected_rows": changed, "dml_stats": stats}


def run_query(run: Run, results: Results) -> None:
    """Do a query job.

    Each statement of a script commits by itself, and with it the note that it is done: after a kill the script goes on
    behind the last statement that happened.

    Raises:
        Fault: as the statements.
    """
    query = run.record.configuration.query
    if query is None:
        raise Fault("required", "Required parameter is missing: query")
    statements = parse(query.query)
    scope = _scope(query, run.project, run.record.location)
    script = _Script(run, query, results, scope, statements)
    if query.destination_table and not script.is_single:
        raise Fault("invalid", "Cannot set destination table in jobs with several statements")
    if script.is_single and isinstance(statements[0], exp.Query) and not query.destination_table:
        with run.reading() as cursor:  # changes nothing, so it waits for no one
            script.select(cursor, statements[0])
        _end(script)
        return
    divided = units(statements)
    with run.reading() as cursor:
        done = _progress(cursor, run)
    if done == len(divided):
        _end(script)
    for number, unit in enumerate(divided[done:], done + 1):
        _do(script, unit, number, is_last=number == len(divided))


def dry_run(cursor: Cursor, record: JobRecord) -> JobRecord:
    """Check a query and say what it would read, without running it.

    Raises:
        Fault: as the query would.
    """
    query = record.configuration.query
    if query is None:
        raise not_implemented("jobs.insert: dryRun of anything but a query")
    statements = parse(query.query)
    scope = _scope(query, record.key.project, record.location)
    columns: tuple[Column, ...] = ()
    if isinstance(statements[0], exp.Query):
        columns = describe(cursor, translated(cursor, statements[0], scope))
    elif len(statements) == 1 and isinstance(statements[0], exp.Insert | exp.Update | exp.Delete | exp.Merge):
        translated(cursor, statements[0], scope)
    size = scope.bytes_read(cursor)
    _check_bytes(query, size)
    statistics = QueryStatistics(
        statement_type=statement_type(statements[0]) if len(statements) == 1 else "SCRIPT",
        total_bytes_processed=size,
        result_schema=Schema(fields=columns),
    )
    return record.with_statistics(query=statistics, total_bytes_processed=size).model_copy(
        update={"status": Status(state="DONE")}
    )


def _do(script: _Script, unit: Unit, number: int, *, is_last: bool) -> None:
    """Do one unit; its progress, or the job's end, commits with it."""
    if unit.discards:
        with suppress(_RolledBackError):
            _try(script, unit)
    with script.run.writing() as cursor:
        if not unit.discards:
            _execute_all(script, unit, cursor)
        if is_last:
            _finish(script, cursor)
        else:
            _note_progress(cursor, script.run, number)


def _try(script: _Script, unit: Unit) -> None:
    """Do a unit and take it back."""
    with script.run.writing() as cursor:
        _execute_all(script, unit, cursor)
        raise _RolledBackError


def _execute_all(script: _Script, unit: Unit, cursor: Cursor) -> None:
    for statement in unit.statements:
        script.execute(cursor, statement)


def _end(script: _Script) -> None:
    with script.run.recording() as cursor:
        _finish(script, cursor)


def _finish(script: _Script, cursor: Cursor) -> None:
    statistics = script.statistics()
    script.run.finish(cursor, query=statistics, total_bytes_processed=statistics.total_bytes_processed)


def _progress(cursor: Cursor, run: Run) -> int:
    select = "SELECT coalesce(max(statements), 0) FROM _catalog.script_progress WHERE project = ? AND id = ?"
    noted = first(cursor, select, run.record.key)
    return int(noted[0]) if noted else 0


def _note_progress(cursor: Cursor, run: Run, number: int) -> None:
    cursor.execute("INSERT INTO _catalog.script_progress VALUES (?, ?, ?)", [*run.record.key, number])


def _scope(query: Query, project: str, location: str) -> Scope:
    return Scope(project, location, query.default_dataset, literals(query.query_parameters))


def _target(query: Query, project: str) -> Target | None:
    if query.destination_table is None:
        return None
    return Target(
        key=query.destination_table.key(project),
        partition=query.destination_table.partition,
        create_disposition=query.create_disposition,
        write_disposition=query.write_disposition,
        schema_update_options=query.schema_update_options,
        time_partitioning=query.time_partitioning,
        range_partitioning=query.range_partitioning,
        clustering=query.clustering,
    )


def _check_bytes(query: Query, size: int) -> None:
    limit = query.maximum_bytes_billed
    if limit is not None and size > limit:
        message = f"Query exceeded limit for bytes billed: {limit}. {size} or higher required."
        raise Fault("bytesBilledLimitExceeded", message)
