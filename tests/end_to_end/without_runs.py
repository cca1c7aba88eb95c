"""Landing without a flow run: the same work, called by the test itself, where Prefect has no part in what is asked."""

import dataclasses
import datetime as dt

from flows.etl import claims, lake, ledger, load, plan
from flows.etl.contract import Contract
from flows.etl.plan import Order
from flows.etl.restore import restore
from tests.end_to_end.place import Place


def order_of(place: Place, agreed: Contract, *periods: str) -> Order:
    """Ask for these periods of a contract, from the place's publisher."""
    url = place.publisher.url
    return Order(agreed, [agreed.period(each) for each in periods], url, None, None, trusted=(url,))


def land(
    place: Place, agreed: Contract, period: str, *, loaded: bool = True, as_of: int | dt.datetime | None = None
) -> bool:
    """Land one period if it is due, and tell whether it was; or only claim it. `as_of` brings an older claim back."""
    order = dataclasses.replace(order_of(place, agreed, period), as_of=as_of)
    due = plan.from_web(place.destination, order).due
    for landing in due:
        if as_of is None:
            claims.claim(landing, lake.bring(landing.bucket, landing.source))
        else:
            restore(landing)
        if loaded:
            ledger.record(landing.destination, load.finish(landing))
    return bool(due)
