"""The whole way into a Postgres database, for a range of periods: web -> Postgres.

python flows/web_to_postgres.py flights 2013-01 2013-12
"""

from prefect import flow

from flows import settings, tasks
from flows.artifacts import landing
from flows.database import connect
from flows.logs import join_run_log
from flows.order import take_order, with_secrets
from flows.report import Report, gather, told
from flows.run_names import by_periods


@flow(name="web-to-postgres", flow_run_name=by_periods, task_runner=tasks.FOUR_AT_ONCE)
def web_to_postgres(
    contract: str, first: str | None = None, last: str | None = None, source: str | None = None
) -> Report:
    """Land the partitions of a contract that are not up to date in the environment's Postgres database.

    Args:
        contract: The data set: a file in flows/contracts/.
        first: The first period, or the only one; all of the contract's if it is left out.
        last: The last period, included.
        source: An address to read in place of the contract's, for one period.
    """
    join_run_log(contract)
    values = settings.read()
    order = with_secrets(take_order(values, contract, first, last, source))
    plan = tasks.plan_to_postgres(connect(values), order)
    rechecks = tasks.recheck_in_postgres.map(plan.unchecked)
    report = gather(plan, "landed", tasks.land_in_postgres.map(plan.due), rechecks)
    return told(report, values.environment, f"{contract}-in-postgres", landing.artifacts(report, None))


if __name__ == "__main__":
    from flows.by_hand import run

    run(web_to_postgres)
