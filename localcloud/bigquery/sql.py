"""GoogleSQL texts into statements, and the parts of a script that commit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from localcloud.bigquery.faults import Fault, not_implemented

POSITIONAL = "positional_"  # what the parameters that are written `?` are called here, with their number

_TYPES: dict[type[exp.Expr], str] = {
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
    exp.TruncateTable: "TRUNCATE_TABLE",
    exp.Transaction: "BEGIN_TRANSACTION",
    exp.Commit: "COMMIT_TRANSACTION",
    exp.Rollback: "ROLLBACK_TRANSACTION",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """Statements that happen together, or not at all where `discards` says that they are rolled back."""

    statements: tuple[exp.Expr, ...]
    discards: bool = False


def parse(text: str) -> list[exp.Expr]:
    """Read statements; positional parameters become named ones, numbered in the order of the text.

    Raises:
        Fault: invalidQuery for a syntax error, notImplemented for a statement that is not understood.
    """
    try:
        trees = [tree for tree in sqlglot.parse(_numbered(text), read="bigquery") if tree is not None]
    except SqlglotError as error:
        raise Fault("invalidQuery", f"Syntax error: {_where(error)}") from error
    if not trees:
        raise Fault("invalidQuery", "Syntax error: Unexpected end of statement")
    for tree in trees:
        statement_type(tree)
    return trees


def statement_type(tree: exp.Expr) -> str:
    """Name a statement as job statistics do.

    Raises:
        Fault: notImplemented.
    """
    if isinstance(tree, exp.Query):
        return "SELECT"
    if isinstance(tree, exp.Alter) and tree.args.get("kind") == "TABLE":
        return "ALTER_TABLE"
    if isinstance(tree, exp.Create) and tree.args.get("kind") in {"TABLE", "VIEW", "SCHEMA"}:
        suffix = "_AS_SELECT" if tree.args["kind"] == "TABLE" and tree.expression else ""
        return f"CREATE_{tree.args['kind']}{suffix}"
    if isinstance(tree, exp.Drop) and tree.args.get("kind") in {"TABLE", "VIEW", "SCHEMA"}:
        return f"DROP_{tree.args['kind']}"
    if type(tree) in _TYPES:
        return _TYPES[type(tree)]
    raise not_implemented(f"The statement {tree.sql('bigquery')[:80]!r}")


def units(statements: Sequence[exp.Expr]) -> list[Unit]:
    """Divide a script: each statement by itself, BEGIN to COMMIT as one.

    A transaction that a script leaves open is rolled back at its end, as at Google.

    Raises:
        Fault: invalidQuery for COMMIT or ROLLBACK without BEGIN, or BEGIN inside a transaction.
    """
    divided: list[Unit] = []
    inside: list[exp.Expr] | None = None
    for statement in statements:
        if isinstance(statement, exp.Transaction):
            if inside is not None:
                raise Fault("invalidQuery", "A transaction is already open")
            inside = []
        elif isinstance(statement, exp.Commit | exp.Rollback):
            if inside is None:
                raise Fault("invalidQuery", "There is no transaction to end")
            divided.append(Unit(tuple(inside), discards=isinstance(statement, exp.Rollback)))
            inside = None
        elif inside is not None:
            inside.append(statement)
        else:
            divided.append(Unit((statement,)))
    if inside is not None:
        divided.append(Unit(tuple(inside), discards=True))
    return divided


def _numbered(text: str) -> str:
    """Give each `?` a name: once parsed, their order in the text is lost."""
    pieces, end, number = [], 0, 0
    for token in sqlglot.tokenize(text, read="bigquery"):
        if token.token_type is sqlglot.TokenType.PLACEHOLDER and token.text == "?":
            pieces += [text[end : token.start], f"@{POSITIONAL}{number}"]
            end = token.end + 1
            number += 1
    return "".join([*pieces, text[end:]])


def _where(error: SqlglotError) -> str:
    if isinstance(error, ParseError) and error.errors:
        first = error.errors[0]
        return f"{first.get('description')} at [{first.get('line')}:{first.get('col')}]"
    return str(error)
