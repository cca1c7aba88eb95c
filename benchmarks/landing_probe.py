"""What the stages around the conversion cost in a process of their own, without Prefect: what `landing.py` starts.

    python -m benchmarks.landing_probe FOLDER PARTITIONS PUBLISHER STORAGE WAREHOUSE

The last three are addresses of relays. Prints one line of JSON. CPU seconds are this process's, after its imports.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from benchmarks.relay import Counted
from benchmarks.scale import world
from flows.etl import claims, contract, lake, ledger, load, plan
from flows.etl.contract import Contract
from flows.etl.destination import Destination, open_destination
from flows.etl.landing import Landing
from flows.etl.plan import Order

NAME = "probe"
TIMES = 5


def main(folder: str, number: int, publisher: str, lake_at: str, warehouse_at: str) -> None:
    """Claim some days of parcels and a month of trips, load them, and plan them again; tell what each cost."""
    destination = _made(lake_at, warehouse_at)
    parcels, trips = (contract.read(Path(folder), name) for name in (world.CONTRACT, "yellow"))
    days = _order(parcels, world.days(number), publisher)
    month = _order(trips, ["2021-01"], publisher)
    warehouse = Counted(lake_at, warehouse_at)

    small, large = (_claimed(destination, order) for order in (days, month))
    _load(small[0])  # the table and the ledger are made with the first
    with warehouse as few:
        spent = [_load(each) for each in small[1:]]
    with Counted(lake_at, warehouse_at) as many:
        spent_month, rows = _load(large[0]), ledger.rows(destination, "yellow")

    plans = []
    with Counted(publisher) as asked:
        plans.append(_plan(destination, days))
    with Counted(publisher) as once:
        ones = [_plan(destination, _order(parcels, world.days(1), publisher)) for _ in range(TIMES)]
    found: dict[str, Any] = {
        "load_s": sorted(spent),
        "load_sent": few.sent / len(spent),
        "load_received": few.received / len(spent),
        "load_requests": len(few.requests) / len(spent),
        "month_s": spent_month,
        "month_rows": rows[0].lake_rows,
        "month_sent": many.sent,
        "month_received": many.received,
        "heads": asked.requests,
        "heads_once": once.requests,
        "plan_one_s": sorted(ones),
        "plan_more_s": (plans[0] - sorted(ones)[TIMES // 2]) / (number - 1),
    }
    print(json.dumps(found))


def _claimed(destination: Destination, order: Order) -> list[Landing]:
    """Bring all periods to the lake and claim them."""
    due = plan.from_web(destination, order).due
    for landing in due:
        claims.claim(landing, lake.bring(landing.bucket, landing.source))
    return due


def _load(landing: Landing) -> float:
    """From the claim to the ledger's row; gives the CPU time."""
    began = time.process_time()
    ledger.record(landing.destination, load.finish(landing))
    return time.process_time() - began


def _plan(destination: Destination, order: Order) -> float:
    """Plan periods of which nothing is due; gives the CPU time."""
    began = time.process_time()
    found = plan.from_web(destination, order)
    if found.due:
        raise RuntimeError(f"found {len(found.due)} due, expected none: all have landed")
    return time.process_time() - began


def _order(agreed: Contract, periods: list[str], publisher: str) -> Order:
    return Order(agreed, [agreed.period(each) for each in periods], publisher, None, None, trusted=(publisher,))


def _made(lake_at: str, warehouse_at: str) -> Destination:
    """Make a bucket and a dataset of this process's own."""
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    files = storage.Client("local", nobody, client_options={"api_endpoint": lake_at})
    tables = bigquery.Client("local", nobody, client_options={"api_endpoint": warehouse_at})
    bucket, dataset = files.bucket(NAME), bigquery.Dataset(f"local.{NAME}")
    bucket.labels = dataset.labels = {"environment": NAME}
    files.create_bucket(bucket)
    tables.create_dataset(dataset)
    return open_destination(bucket, tables, NAME, NAME)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
