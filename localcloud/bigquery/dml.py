"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE, with the number of rows that each changed."""

from __future__ import annotations

from collections import Counter

from sqlglot import exp

from localcloud.bigquery import catalog
from localcloud.bigquery.database import Cursor, count
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.job_records import DmlStats
from localcloud.bigquery.translation import Scope, translated

_COUNTED: dict[type[exp.Expr], str] = {
    exp.Insert: "inserted_row_count",
    exp.Update: "updated_row_count",
    exp.Delete: "deleted_row_count",
    exp.TruncateTable: "deleted_row_count",
}


def change(cursor: Cursor, tree: exp.Expr, scope: Scope) -> tuple[int, DmlStats]:
    """Run one statement in the caller's transaction; give the rows it changed, and of which kind they are.

    Raises:
        Fault: notFound for the table, invalidQuery where BigQuery demands a WHERE.
    """
    if isinstance(tree, exp.Update | exp.Delete) and not tree.args.get("where"):
        raise Fault("invalidQuery", f"{type(tree).__name__.upper()} must have a WHERE clause")
    named = tree.find(exp.Table)
    if named is None:
        raise Fault("invalidQuery", "A statement needs a table")
    key = scope.table_key(named)
    if isinstance(tree, exp.TruncateTable):
        translated(cursor, exp.select("*").from_(named.copy()), scope)  # finds the table, or says that it is missing
        sql = f"DELETE FROM {key.sql}"
    else:
        sql = translated(cursor, tree, scope)
    stats = _merge(cursor, sql) if isinstance(tree, exp.Merge) else _counted(type(tree), count(cursor, sql))
    catalog.save_table(cursor, key, catalog.table(cursor, key))  # a change of rows is a change of the etag
    return stats.total, stats


def _counted(kind: type[exp.Expr], changed: int) -> DmlStats:
    return DmlStats.model_validate({_COUNTED[kind]: changed}, by_name=True)


def _merge(cursor: Cursor, sql: str) -> DmlStats:
    """Run a MERGE, counting what it did to each row."""
    done = Counter(action for (action,) in cursor.execute(f"{sql} RETURNING merge_action").fetchall())
    return DmlStats(
        inserted_row_count=done["INSERT"], updated_row_count=done["UPDATE"], deleted_row_count=done["DELETE"]
    )
