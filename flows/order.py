"""From a flow's parameters to what is asked of the plan."""

import datetime as dt

from prefect.runtime import flow_run

from flows import settings
from flows.etl import contract
from flows.etl.errors import ContractError
from flows.etl.plan import Order


def take_order(values: settings.Settings, name: str, first: str | None, last: str | None, source: str | None) -> Order:
    """Read the contract and the periods that a run is asked for.

    Raises:
        ContractError: no such contract or period; or one address given for several periods.
    """
    agreed = contract.read(settings.CONTRACTS, name)
    periods = agreed.periods(first, last, dt.datetime.now(dt.UTC))
    if source and len(periods) > 1:
        raise ContractError(
            f"{name}: found one source for {len(periods)} periods, expected one period; name it, nothing was written"
        )
    return Order(agreed, periods, values.publisher, source, flow_run.id)
