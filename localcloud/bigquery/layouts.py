"""The clauses of CREATE and ALTER as fields of Google's resources."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlglot import exp

from localcloud.bigquery.faults import not_implemented
from localcloud.bigquery.parsing import parse
from localcloud.bigquery.partitions import ARRIVAL
from localcloud.bigquery.resources import Clustering, Column, TimePartitioning

_TRUNCATIONS = (exp.DateTrunc, exp.DatetimeTrunc, exp.TimestampTrunc)
_ARRIVAL_NAMES = {"_PARTITIONDATE", ARRIVAL}
_GRAINS = {"HOUR", "DAY", "MONTH", "YEAR"}


def clauses(create: exp.Create) -> dict[str, object]:
    """Read PARTITION BY, CLUSTER BY and OPTIONS as fields of a resource, named as in Python.

    Raises:
        Fault: notImplemented, naming the clause.
    """
    if create.args.get("clone"):
        raise not_implemented("CREATE TABLE with COPY or CLONE")
    found: dict[str, object] = {}
    properties = create.args.get("properties")
    for clause in properties.expressions if properties else ():
        if isinstance(clause, exp.PartitionedByProperty):
            found["time_partitioning"] = _time_partitioning(clause.this)
        elif isinstance(clause, exp.Cluster | exp.ClusterProperty | exp.ClusteredByProperty):
            found["clustering"] = Clustering(fields=tuple(column.name for column in clause.expressions))
        elif isinstance(clause, exp.LocationProperty):
            found["location"] = clause.this.name
        else:
            found |= _option(clause)
    return found


def columns(definitions: Iterable[exp.Expr]) -> tuple[Column, ...]:
    """Read column definitions.

    Raises:
        Fault: notImplemented for types with parameters and constraints other than NOT NULL and a description.
    """
    return tuple(_column(definition) for definition in definitions)


def _column(definition: exp.Expr) -> Column:
    if not isinstance(definition, exp.ColumnDef) or definition.kind is None:
        raise not_implemented(f"The definition {definition.sql('bigquery')}")
    column = _typed(definition.name, definition.kind)
    for constraint in definition.constraints:
        if isinstance(constraint.kind, exp.NotNullColumnConstraint) and not constraint.kind.args.get("allow_null"):
            column = column.model_copy(update={"mode": "REQUIRED"})
        elif isinstance(constraint.kind, exp.Properties):
            for option in constraint.kind.expressions:
                column = column.model_copy(update=_option(option, "description"))
        else:
            raise not_implemented(f"The constraint {constraint.sql('bigquery')}")
    return column


def _typed(name: str, kind: exp.DataType) -> Column:
    if kind.is_type("array"):
        return _typed(name, kind.expressions[0]).model_copy(update={"mode": "REPEATED"})
    if kind.is_type("struct"):
        return Column(name=name, type="RECORD", fields=columns(kind.expressions))
    if kind.expressions:
        raise not_implemented(f"The type {kind.sql('bigquery')}")
    return parse(Column, json.dumps({"name": name, "type": kind.sql("bigquery")}), f"The column {name}")


def _time_partitioning(expression: exp.Expr) -> TimePartitioning:
    grain, column = "DAY", expression
    if isinstance(expression, _TRUNCATIONS):
        grain, column = expression.args["unit"].name.upper(), expression.this
    elif isinstance(expression, exp.TsOrDsToDate | exp.Date | exp.Cast):
        column = expression.this
    while isinstance(column, exp.Cast | exp.TsOrDsToDate):  # the parser's own, around a column
        column = column.this
    if not isinstance(column, exp.Column | exp.Identifier) or grain not in _GRAINS:
        raise not_implemented(f"PARTITION BY {expression.sql('bigquery')}")
    field = None if column.name.upper() in _ARRIVAL_NAMES else column.name
    return TimePartitioning.model_validate({"type": grain, "field": field})


def _option(clause: exp.Expr, *known: str) -> dict[str, object]:
    """Read one OPTION; `known` limits which are understood."""
    value = clause.args.get("value") if isinstance(clause, exp.Property) else None
    name = clause.name.lower()
    if known and name not in known:
        value = None
    if value is not None and name in {"description", "friendly_name", "location"}:
        return {name: value.name}
    if value is not None and name == "labels":
        pairs = [pair.expressions for pair in value.find_all(exp.Tuple, exp.Struct)]
        return {"labels": {key.name: label.name for key, label in pairs}}
    raise not_implemented(f"The clause {clause.sql('bigquery')}")
