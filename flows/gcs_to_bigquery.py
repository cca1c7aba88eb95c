"""The second half: load what is claimed in the lake and not yet in the table.

python flows/gcs_to_bigquery.py flights 2013-01
"""

from prefect import flow

from flows import settings, tasks
from flows.artifacts import landing
from flows.connection import connect
from flows.logs import join_run_log
from flows.order import take_order
from flows.report import Report, gather, told
from flows.run_names import by_periods


@flow(name="gcs-to-bigquery", flow_run_name=by_periods, task_runner=tasks.FOUR_AT_ONCE)
def gcs_to_bigquery(contract: str, first: str | None = None, last: str | None = None) -> Report:
    """Load the newest claim of each partition that the table does not hold yet.

    Args:
        contract: The data set: a file in flows/contracts/.
        first: The first period, or the only one; all of the contract's if it is left out.
        last: The last period, included.
    """
    join_run_log(contract)
    values = settings.read()
    order = take_order(values, contract, first, last, None)
    destination = connect(values)
    plan = tasks.plan_from_lake(destination, order)
    report = gather(plan, "landed", tasks.to_warehouse.map(plan.due), tasks.recheck.map(plan.unchecked))
    return told(report, values.environment, contract, landing.artifacts(report, destination))


if __name__ == "__main__":
    from flows.by_hand import run

    run(gcs_to_bigquery)
