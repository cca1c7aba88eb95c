"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE, with the number of rows that each changed."""

from __future__ import annotations

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
}


def change(cursor: Cursor, tree: exp.Expr, scope: Scope) -> tuple[int, DmlStats | None]:
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
    changed = count(cursor, sql)
    catalog.save_table(cursor, key, catalog.table(cursor, key))  # a change of rows is a change of the etag
    counter = _COUNTED.get(type(tree))
    return changed, DmlStats.model_validate({counter: changed}, by_name=True) if counter else None
