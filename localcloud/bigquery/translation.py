"""GoogleSQL into the engine's SQL: names resolved in the catalog, pseudo-columns, INFORMATION_SCHEMA, exact types."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from localcloud.bigquery import catalog, functions, information_schema, parameters
from localcloud.bigquery.columns import logical_bytes
from localcloud.bigquery.database import Cursor, count
from localcloud.bigquery.faults import Fault, not_implemented
from localcloud.bigquery.partitions import ARRIVAL, by_arrival
from localcloud.bigquery.resources import Column, DatasetKey, DatasetReference, Table, TableKey


@dataclass(frozen=True, slots=True)
class Scope:
    """What names in a query mean, and what it has read so far."""

    project: str
    location: str
    default_dataset: DatasetReference | None = None
    parameters: dict[str, exp.Expr] = field(default_factory=dict)
    tables_read: dict[TableKey, Table] = field(default_factory=dict)

    def table_key(self, table: exp.Table) -> TableKey:
        """Complete a table's name.

        Raises:
            Fault: invalid for a name without dataset where there is no default.
        """
        if table.db:
            return TableKey(table.catalog or self.project, table.db, table.name)
        if self.default_dataset is None:
            message = f'Table "{table.name}" must be qualified with a dataset (e.g. dataset.table).'
            raise Fault("invalid", message)
        return TableKey(*self.default_dataset.key(self.project), table.name)

    def dataset_key(self, table: exp.Table) -> DatasetKey:
        """Complete a dataset's name, which the parser keeps where a table's dataset stands."""
        return DatasetKey(table.catalog or self.project, table.db or table.name)

    def bytes_read(self, cursor: Cursor) -> int:
        """Estimate what reading the tables is billed as."""
        size = 0
        for key, table in self.tables_read.items():
            size += logical_bytes(table.columns, count(cursor, f"SELECT count(*) FROM {key.sql}"))
        return size


def translated(cursor: Cursor, tree: exp.Expr, scope: Scope) -> str:
    """Write a statement in the engine's SQL.

    Raises:
        Fault: notFound for a table, dataset or location; notImplemented for what the engine cannot say.
    """
    resolved = resolve(cursor, tree, scope)
    if isinstance(resolved, exp.Query):
        _name_the_unnamed(resolved)
    try:
        return resolved.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise not_implemented(str(error)) from error


def resolve(cursor: Cursor, tree: exp.Expr, scope: Scope) -> exp.Expr:
    """Replace parameters, names and types by what the engine knows, in a copy."""
    tree = tree.copy()
    parameters.fill_in(tree, scope.parameters)
    tables = _resolve_tables(cursor, tree, scope)
    if isinstance(tree, exp.Merge):
        _spell_out_merge(tree, tables)
    if isinstance(tree, exp.Insert) and isinstance(tree.this, exp.Table):
        tree.set("this", exp.Schema(this=tree.this, expressions=_identifiers(tables[id(tree.this)].columns)))
    for column in list(tree.find_all(exp.Column)):
        if column.name.upper() == "_PARTITIONDATE":
            column.replace(exp.cast(exp.column(ARRIVAL, column.table or None), "date"))
    return _rewritten(tree)


def _resolve_tables(cursor: Cursor, tree: exp.Expr, scope: Scope) -> dict[int, Table]:
    """Point every table at its rows; give the resources by the node's identity."""
    local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    resources: dict[int, Table] = {}
    for node in list(tree.find_all(exp.Table)):
        if isinstance(node.this, exp.Func) or (not node.db and node.name.lower() in local):
            continue
        if node.name.upper().startswith(information_schema.PREFIX):
            _replace(node, _information(cursor, node, scope), node.name.partition(".")[2])
            continue
        key = scope.table_key(node)
        table = _look_up(cursor, key, scope)
        if table.view is not None:
            inner = Scope(scope.project, scope.location, tables_read=scope.tables_read)
            _replace(node, resolve(cursor, sqlglot.parse_one(table.view.query, read="bigquery"), inner), node.name)
            continue
        scope.tables_read[key] = table
        select = node.find_ancestor(exp.Select)
        if by_arrival(table) and select is not None:
            _hide_arrival(select)
        node.set("this", exp.to_identifier(key.table, quoted=True))
        node.set("db", exp.to_identifier(key.parent.schema_name, quoted=True))
        node.set("catalog", None)
        resources[id(node)] = table
    return resources


def _look_up(cursor: Cursor, key: TableKey, scope: Scope) -> Table:
    if "*" in key.table:
        raise not_implemented(f"The wildcard table {key}")
    catalog.dataset(cursor, key.parent, scope.location)
    found = catalog.find_table(cursor, key)
    if found is None:
        raise Fault("notFound", f"Not found: Table {key} was not found in location {scope.location}")
    return found


def _information(cursor: Cursor, node: exp.Table, scope: Scope) -> exp.Expr:
    name = node.name.partition(".")[2].upper()
    default = scope.default_dataset
    if node.db:
        key = DatasetKey(node.catalog or scope.project, node.db)
    elif default is not None:
        key = default.key(scope.project)
    else:
        raise not_implemented(f"{node.name} of a whole project")
    return sqlglot.parse_one(information_schema.view(cursor, name, key), read="duckdb")


def _replace(node: exp.Table, query: exp.Expr, name: str) -> None:
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
    node.replace(exp.Subquery(this=query, alias=alias))


def _hide_arrival(select: exp.Select) -> None:
    """Leave the pseudo-column out of `*`, as BigQuery does."""
    for star in select.expressions:
        target = star.this if isinstance(star, exp.Column) else star
        if isinstance(target, exp.Star):
            hidden = list(target.args.get("except_") or [])
            if not any(column.name == ARRIVAL for column in hidden):
                target.set("except_", [*hidden, exp.to_identifier(ARRIVAL)])


def _spell_out_merge(tree: exp.Merge, tables: dict[int, Table]) -> None:
    """Write INSERT ROW with the target's columns, which the engine needs."""
    source = tree.args["using"].alias_or_name
    for when in tree.args["whens"].expressions:
        then = when.args.get("then")
        if isinstance(then, exp.Insert) and isinstance(then.this, exp.Var) and then.this.name.upper() == "ROW":
            columns = tables[id(tree.this)].columns
            then.set("this", exp.Tuple(expressions=[exp.column(name) for name in _identifiers(columns)]))
            values = [exp.column(name, source) for name in _identifiers(columns)]
            then.set("expression", exp.Tuple(expressions=values))


def _identifiers(columns: tuple[Column, ...]) -> list[exp.Identifier]:
    return [exp.to_identifier(column.name, quoted=True) for column in columns]


def _rewritten(tree: exp.Expr) -> exp.Expr:
    """Replace what the engine would take for something else; `transform` would leave out what stands inside of it."""
    for node in reversed(list(tree.walk())):  # inner ones first
        new = _exact_types(node)
        if new is node:
            continue
        if node is tree:
            return new
        node.replace(new)
    return tree


def _exact_types(node: exp.Expr) -> exp.Expr:
    """Keep nine digits in NUMERIC, and use BigQuery's functions: the engine's own defaults differ."""
    if isinstance(node, exp.DataType) and node.is_type("decimal") and not node.expressions:
        return exp.DataType.build("DECIMAL(38, 9)", dialect="duckdb")
    if isinstance(node, exp.DataType) and node.is_type("bigdecimal", "geography", "interval"):
        raise not_implemented(f"The type {node.sql('bigquery')}")
    return functions.googles(node)


def _name_the_unnamed(query: exp.Query) -> None:
    """Call columns without a name f0_, f1_ and so on, and refuse a name that comes twice."""
    select = query
    while isinstance(select, exp.SetOperation | exp.Subquery):
        select = select.this
    if not isinstance(select, exp.Select):
        return
    unnamed, named = 0, []
    for expression in list(select.expressions):
        if not expression.is_star and not isinstance(expression, exp.Alias | exp.Column | exp.Dot):
            expression.replace(exp.alias_(expression.copy(), f"f{unnamed}_", quoted=True))
            unnamed += 1
        elif not expression.is_star:
            named.append(expression.output_name.lower())
    for name in named:
        if named.count(name) > 1:
            message = f"Duplicate column names in the result are not supported. Found duplicate(s): {name}"
            raise Fault("invalidQuery", message)
