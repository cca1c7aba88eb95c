"""What is to be done: which partitions are up to date in Postgres, and which are due."""

from flows.etl.contract.checks import Change
from flows.etl.plan import Order, Plan
from flows.etl.postgres import ledger, table
from flows.etl.postgres.database import Database
from flows.etl.postgres.landed import Landed, Landing
from flows.etl.served import ask_each, serves_the_same


def plan(database: Database, order: Order) -> Plan[Landing]:
    """Find the partitions whose content the publisher has changed, or that are not in the table.

    Two queries, and one HEAD request for each partition that has landed; nothing is written.

    Raises:
        EnvironmentMismatch: the database is another environment's.
        Transient, DatabaseRefused: Postgres does not answer, or is none that Landfall can use.
    """
    contract, first, last = order.contract, order.periods[0], order.periods[-1]
    compares = any(isinstance(check, Change) for check in contract.checks)
    rows: dict[str, Landed] = {}
    held: set[str] = set()
    with database.connect() as connection:
        if ledger.check(connection, database.environment, database.where):
            rows = ledger.last(connection, contract.name, first.previous if compares else first, last)
            held = table.holds(connection, contract)

    def is_up_to_date(landing: Landing) -> bool:
        row = rows.get(str(landing.partition))
        return (
            row is not None
            and order.override is None
            and row.contract_fingerprint == contract.fingerprint
            and table.bound(landing.partition) in held
            and serves_the_same(landing, row.published)
        )

    landings = [_landing(database, order, number, rows, compares=compares) for number in range(len(order.periods))]
    done = ask_each(landings, is_up_to_date)
    up_to_date = [landing for landing, is_done in zip(landings, done, strict=True) if is_done]
    wanted = contract.checks_fingerprint
    return Plan(
        contract.name,
        due=[landing for landing, is_done in zip(landings, done, strict=True) if not is_done],
        up_to_date=[landing.partition for landing in up_to_date],
        unchecked=[
            landing for landing in up_to_date if wanted and rows[str(landing.partition)].checks_fingerprint != wanted
        ],
    )


def _landing(database: Database, order: Order, number: int, rows: dict[str, Landed], *, compares: bool) -> Landing:
    period = order.periods[number]
    row, before = rows.get(str(period)), rows.get(str(period.previous)) if compares else None
    return Landing(
        database,
        order.contract,
        period,
        order.contract.address(period, order.publisher),
        order.override,
        row.n if row else -1,
        order.flow_run_id,
        before.warehouse_rows if before else None,
        order.headers,
        order.trusted,
    )
