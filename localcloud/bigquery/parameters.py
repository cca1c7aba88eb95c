"""Query parameters as typed literals, so that the engine sees their exact types, NULLs and empty arrays included."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from localcloud.bigquery.configurations import QueryParameter, QueryParameterType, QueryParameterValue
from localcloud.bigquery.faults import Fault, not_implemented
from localcloud.bigquery.sql import POSITIONAL

_SCALARS = {
    "BIGINT": "INT64",
    "BOOL": "BOOL",
    "BOOLEAN": "BOOL",
    "BYTES": "BYTES",
    "DATE": "DATE",
    "DATETIME": "DATETIME",
    "FLOAT": "FLOAT64",
    "FLOAT64": "FLOAT64",
    "INT64": "INT64",
    "INTEGER": "INT64",
    "JSON": "JSON",
    "NUMERIC": "NUMERIC",
    "STRING": "STRING",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP",
}


def literals(parameters: Sequence[QueryParameter]) -> dict[str, exp.Expr]:
    """Write each parameter as SQL, by name in lower case; positional ones get the names that `sql.parse` gives them.

    Raises:
        Fault: notImplemented for types that the engine cannot keep exactly.
    """
    written = {}
    for position, parameter in enumerate(parameters):
        name = (parameter.name or f"{POSITIONAL}{position}").lower()
        written[name] = _literal(parameter.parameter_type, parameter.parameter_value)
    return written


def fill_in(tree: exp.Expr, values: dict[str, exp.Expr]) -> None:
    """Replace a statement's parameters by their values.

    Raises:
        Fault: invalidQuery for one that was not given.
    """
    for node in list(tree.find_all(exp.Parameter)):
        name = node.name.lower()
        if name not in values:
            raise Fault("invalidQuery", f"Query parameter '{node.name}' not found")
        node.replace(values[name].copy())


def _literal(kind: QueryParameterType, given: QueryParameterValue) -> exp.Expr:
    name = kind.type.upper()
    if name == "ARRAY" and kind.array_type:
        items = [_literal(kind.array_type, item) for item in given.array_values or ()]
        return exp.cast(exp.Array(expressions=items), _type(kind))
    if name == "STRUCT" and kind.struct_types:
        values = given.struct_values or {}
        fields = [
            exp.PropertyEQ(
                this=exp.to_identifier(field.name, quoted=True), expression=_literal(field.type, values[field.name])
            )
            for field in kind.struct_types
            if field.name and field.name in values
        ]
        return exp.Struct(expressions=fields)
    if given.value is None:
        return exp.cast(exp.Null(), _type(kind))
    if name == "BYTES":
        return exp.FromBase64(this=exp.Literal.string(given.value))
    return exp.cast(exp.Literal.string(given.value), _type(kind))


def _type(kind: QueryParameterType) -> exp.DataType:
    return exp.DataType.build(_type_name(kind), dialect="bigquery")


def _type_name(kind: QueryParameterType) -> str:
    name = kind.type.upper()
    if name == "ARRAY" and kind.array_type:
        return f"ARRAY<{_type_name(kind.array_type)}>"
    if name == "STRUCT" and kind.struct_types:
        return "STRUCT<" + ", ".join(f"{field.name} {_type_name(field.type)}" for field in kind.struct_types) + ">"
    if name not in _SCALARS:
        raise not_implemented(f"A query parameter of type {name}")
    return _SCALARS[name]
