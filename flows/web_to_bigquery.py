"""The whole way, for a range of periods: web -> GCS -> BigQuery.

python flows/web_to_bigquery.py flights 2013-01 2013-12
"""

from prefect import flow

from flows import settings, tasks
from flows.artifacts import landing
from flows.connection import connect
from flows.logs import join_run_log
from flows.order import take_order, with_as_of, with_secrets
from flows.report import Report, gather, told
from flows.run_names import by_periods


@flow(name="web-to-bigquery", flow_run_name=by_periods, task_runner=tasks.FOUR_AT_ONCE)
def web_to_bigquery(
    contract: str,
    first: str | None = None,
    last: str | None = None,
    source: str | None = None,
    as_of: int | str | None = None,
) -> Report:
    """Land the partitions of a contract that are not up to date.

    Args:
        contract: The data set: a file in flows/contracts/.
        first: The first period, or the only one; all of the contract's if it is left out.
        last: The last period, included.
        source: An address to read in place of the contract's, for one period.
        as_of: An older claim's number, for one period, or a time: its content is brought back, and stands until the
            publisher changes its own.
    """
    join_run_log(contract)
    values = settings.read()
    order = with_as_of(with_secrets(take_order(values, contract, first, last, source)), as_of)
    destination = connect(values)
    plan = tasks.plan_from_web(destination, order)
    report = gather(plan, "landed", tasks.land.map(plan.due), tasks.recheck.map(plan.unchecked))
    return told(report, values.environment, contract, landing.artifacts(report, destination))


if __name__ == "__main__":
    from flows.by_hand import run

    run(web_to_bigquery)
