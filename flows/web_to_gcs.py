"""The first half: fetch a contract's files, convert them to Parquet in the lake, and claim them in its log.

python flows/web_to_gcs.py flights 2013-01
"""

from prefect import flow

from flows import settings, tasks
from flows.artifacts import landing
from flows.connection import connect
from flows.logs import join_run_log
from flows.order import take_order, with_secrets
from flows.report import Report, gather, told
from flows.run_names import by_periods


@flow(name="web-to-gcs", flow_run_name=by_periods, task_runner=tasks.FOUR_AT_ONCE)
def web_to_gcs(contract: str, first: str | None = None, last: str | None = None, source: str | None = None) -> Report:
    """Bring the partitions of a contract that are not up to date into the lake.

    Args:
        contract: The data set: a file in flows/contracts/.
        first: The first period, or the only one; all of the contract's if it is left out.
        last: The last period, included.
        source: An address to read in place of the contract's, for one period.
    """
    join_run_log(contract)
    values = settings.read()
    order = with_secrets(take_order(values, contract, first, last, source))
    destination = connect(values)
    plan = tasks.plan_from_web(destination, order)
    report = gather(plan, "claimed", tasks.to_lake.map(plan.due))
    return told(report, values.environment, contract, landing.artifacts(report, destination))


if __name__ == "__main__":
    from flows.by_hand import run

    run(web_to_gcs)
