"""A changed check on rows that have landed in Postgres: asked of the table by one query, and nothing lands again."""

from psycopg import sql

from flows.etl.checks.against import Against, Missing, Other, Outside, against
from flows.etl.postgres import ledger, table
from flows.etl.postgres.database import Connection
from flows.etl.postgres.landed import Landing
from flows.etl.postgres.landing import newest
from flows.etl.recheck import Rechecked, hold


def recheck(landing: Landing) -> Rechecked:
    """Hold a partition's rows in the table against the contract's checks, and remember that they passed.

    Raises:
        CheckFailed: they did not; the rows stand, and the next run asks again.
        Transient, DatabaseRefused: Postgres does not answer, or not as it should.
    """
    with landing.database.connect() as connection:
        # rows and ledger as they are at one moment, whatever lands meanwhile
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            row = newest(connection, landing)
            rows, found = count(connection, landing)
        verdict = hold(landing, rows, found)
        if row:
            ledger.remember(connection, row, landing.contract.checks_fingerprint)
    return Rechecked(str(landing.partition), verdict.warnings)


def count(connection: Connection, landing: Landing) -> tuple[int, list[int]]:
    """Count the partition's rows in the table, and those of them that count against each check."""
    contract, partition = landing.contract, landing.partition
    rules = [against(check, contract.columns, partition) for check in contract.checks]
    conditions = tuple(_condition(rule) if rule else sql.SQL("false") for rule in rules)
    rows, *found = table.count(connection, contract, partition, conditions)
    return rows, found


def _condition(rule: Against) -> sql.Composable:
    """Say in Postgres's SQL which rows count against a check, as `checks.against` does for Arrow and BigQuery.

    In Postgres NaN equals itself and is greater than every number; texts are compared by their code points, as Arrow
    does.
    """
    column: sql.Composable = sql.Identifier(rule.column.name.lower())
    match rule:
        case Missing():
            return sql.SQL("{} IS NULL").format(column)
        case Other(values=values):
            return sql.SQL("{} <> ALL ({})").format(column, sql.Literal(list(values)))
        case Outside(low=low, high=high):
            number, kind = rule.column.type == "FLOAT64", rule.column.type
            if kind == "STRING":
                column = sql.SQL('{} COLLATE "C"').format(column)
            found = [sql.SQL("{} = 'NaN'").format(column)] if number else []
            found += [sql.SQL("{} < {}").format(column, sql.Literal(low))] if low is not None else []
            found += [sql.SQL("{} > {}").format(column, sql.Literal(high))] if high is not None else []
            return sql.SQL(" OR ").join(found)
