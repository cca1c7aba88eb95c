"""CREATE, DROP and ALTER."""

from __future__ import annotations

import uuid

from sqlglot import exp

from localcloud.bigquery import catalog, layouts
from localcloud.bigquery.columns import describe
from localcloud.bigquery.database import Cursor, quoted
from localcloud.bigquery.faults import Fault, not_implemented
from localcloud.bigquery.resources import Dataset, DatasetReference, Schema, Table, TableKey, TableReference, View
from localcloud.bigquery.translation import Scope, translated
from localcloud.bigquery.writing import Rows, Target, extend, write


def define(cursor: Cursor, tree: exp.Expr, scope: Scope) -> None:
    """Run one statement that defines something, in the caller's transaction.

    Raises:
        Fault: notFound, duplicate, or notImplemented naming the clause.
    """
    if tree.args.get("kind") == "SCHEMA":
        _schema(cursor, tree, scope)
    elif isinstance(tree, exp.Create):
        _create(cursor, tree, scope)
    elif isinstance(tree, exp.Drop):
        _drop(cursor, tree, scope)
    elif isinstance(tree, exp.Alter):
        _alter(cursor, tree, scope)


def _schema(cursor: Cursor, tree: exp.Expr, scope: Scope) -> None:
    named = tree.find(exp.Table)
    if named is None:
        raise Fault("invalidQuery", "A schema needs a name")
    key = scope.dataset_key(named)
    exists = catalog.find_dataset(cursor, key) is not None
    if isinstance(tree, exp.Create):
        if not (exists and tree.args.get("exists")):
            reference = DatasetReference(dataset_id=key.dataset, project_id=key.project)
            given = Dataset(dataset_reference=reference, location=scope.location)
            catalog.create_dataset(cursor, key, given.model_copy(update=layouts.clauses(tree)))
    elif exists or not tree.args.get("exists"):
        catalog.drop_dataset(cursor, key, with_tables=bool(tree.args.get("cascade")))


def _create(cursor: Cursor, tree: exp.Create, scope: Scope) -> None:
    named = tree.find(exp.Table)
    if named is None:
        raise Fault("invalidQuery", "A table needs a name")
    key = scope.table_key(named)
    catalog.dataset(cursor, key.parent, scope.location)
    old = catalog.find_table(cursor, key)
    if old and tree.args.get("exists"):
        return
    if old and not tree.args.get("replace"):
        raise Fault("duplicate", f"Already Exists: Table {key}")
    if tree.args["kind"] == "VIEW":
        body = _view(cursor, tree, scope, key)
        rows = None
    else:
        rows = _selected(cursor, tree.expression, scope) if tree.expression else None
        body = _table(tree, key, rows)
    if old:
        catalog.drop_table(cursor, key, old)
    catalog.create_table(cursor, key, body)
    if rows:
        write(cursor, Target(key=key), rows)


def _view(cursor: Cursor, tree: exp.Create, scope: Scope, key: TableKey) -> Table:
    if not isinstance(tree.expression, exp.Query):
        raise Fault("invalidQuery", "A view needs a query")
    qualified = tree.expression.copy()
    for table in qualified.find_all(exp.Table):  # a view means the same whatever the reader's default dataset is
        if not isinstance(table.this, exp.Func) and table.db and not table.catalog:
            table.set("catalog", exp.to_identifier(scope.project, quoted=True))
    found = describe(cursor, translated(cursor, tree.expression, scope))
    view = View(query=qualified.sql("bigquery"), use_legacy_sql=False)
    body = Table(table_reference=_reference(key), view=view, table_schema=Schema(fields=found))
    return body.model_copy(update=layouts.clauses(tree))


def _table(tree: exp.Create, key: TableKey, rows: Rows | None) -> Table:
    columns = layouts.columns(tree.this.expressions) if isinstance(tree.this, exp.Schema) else ()
    if not columns and rows is not None:
        columns = rows.columns
    body = Table(table_reference=_reference(key), table_schema=Schema(fields=columns))
    return body.model_copy(update=layouts.clauses(tree))


def _selected(cursor: Cursor, query: exp.Expr, scope: Scope) -> Rows:
    """Run a query into a temporary table, before its destination is made or replaced."""
    name = quoted(f"selected_{uuid.uuid4().hex}")
    cursor.execute(f"CREATE TEMP TABLE {name} AS {translated(cursor, query, scope)}")
    return Rows(f"SELECT * FROM {name}", describe(cursor, f"SELECT * FROM {name}"))


def _drop(cursor: Cursor, tree: exp.Drop, scope: Scope) -> None:
    for named in tree.find_all(exp.Table):
        key = scope.table_key(named)
        old = catalog.find_table(cursor, key)
        if old is None:
            if not tree.args.get("exists"):
                raise Fault("notFound", f"Not found: Table {key}")
            continue
        if (old.view is not None) != (tree.args["kind"] == "VIEW"):
            raise Fault("invalid", f"{key} is not a {tree.args['kind'].lower()}")
        catalog.drop_table(cursor, key, old)


def _alter(cursor: Cursor, tree: exp.Alter, scope: Scope) -> None:
    key = scope.table_key(tree.this)
    old = catalog.find_table(cursor, key)
    if old is None:
        if tree.args.get("exists"):
            return
        raise Fault("notFound", f"Not found: Table {key}")
    for action in tree.args["actions"]:
        if not isinstance(action, exp.ColumnDef):
            raise not_implemented(f"ALTER TABLE {action.sql('bigquery')}")
        (column,) = layouts.columns([action])
        known = {have.lower for have in old.columns}
        if column.lower in known and action.args.get("exists"):
            continue
        if column.lower in known:
            raise Fault("invalidQuery", f"Column already exists: {column.name}")
        old = extend(cursor, key, old, [column], ("ALLOW_FIELD_ADDITION",))
    catalog.save_table(cursor, key, old)


def _reference(key: TableKey) -> TableReference:
    return TableReference(project_id=key.project, dataset_id=key.dataset, table_id=key.table)
