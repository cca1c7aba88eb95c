"""How long `landfall status` takes for 10,000 partitions on the local cloud: asking, and drawing.

python -m localcloud exec --no-prefect -- python -m benchmarks.status

Ten hourly contracts of 1,000 hours each, with two loads of each in the ledger and one entry of each in the log.
"""

import datetime as dt
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from flows.etl import contract, ledger, plan, status
from flows.etl.contract import Contract
from flows.etl.destination import Destination, open_destination
from flows.etl.plan import Order
from flows.plots import page, picture, text
from flows.plots.board import Board

CONTRACTS, HOURS, RUNS = 10, 1000, 3
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
BEGIN = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
NAMES = [f"sensors_{number}" for number in range(CONTRACTS)]
PERIODS = [f"{BEGIN + dt.timedelta(hours=number):%Y-%m-%dT%H}" for number in range(HOURS)]
TOML = f"""
revision = 1
description = ""
owner = ""
source = "https://publisher.test/{{yyyy}}{{mm}}{{dd}}{{hh}}.csv"
format = "csv"
partition = "hour"
first_partition = "{PERIODS[0]}"
last_partition = "{PERIODS[-1]}"
expires_after_days = 400
columns = [{{ name = "id", type = "INT64" }}]
"""


def agreements(folder: Path) -> list[Contract]:
    """Write the contracts, and read them."""
    for name in NAMES:
        (folder / f"{name}.toml").write_text(TOML, encoding="utf-8")
    return [contract.read(folder, name) for name in NAMES]


def fill_ledger(destination: Destination, agreed: list[Contract]) -> None:
    """Write two rows for each partition, of claims 0 and 1, by one load job; and make the tables."""
    ledger.ensure(destination)
    for each in agreed:
        destination.warehouse.create_table(bigquery.Table(destination.table(each.name)))
    loaded = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)).isoformat()
    said = dict.fromkeys(ledger.COLUMNS) | {
        "kind": "landing",
        "status": "loaded",
        "source_bytes": 30,
        "source_rows": 1,
        "quarantined_rows": 0,
        "warehouse_rows": 1,
        "contract_revision": 1,
        "claimed_at": loaded,
        "loaded_at": loaded,
    }
    rows = [
        said | {"contract": each.name, "partition": period, "n": n, "contract_fingerprint": each.fingerprint}
        for each in agreed
        for period in PERIODS
        for n in (0, 1)
    ]
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
    )
    destination.warehouse.load_table_from_json(rows, destination.table(ledger.TABLE), job_config=config).result()


def fill_log(destination: Destination) -> None:
    """Write the newest entry of each partition's log; nobody reads what is in it."""
    with ThreadPoolExecutor(8) as pool:
        names = [f"log/{name}/{period}/00000001.json" for name in NAMES for period in PERIODS]
        list(pool.map(lambda name: destination.bucket.blob(name).upload_from_string("{}"), names))


def main() -> None:
    """Make it all in a bucket and a dataset of their own, and print a table, or one line of JSON without drawings."""
    name = f"b{uuid.uuid4().hex[:8]}"
    destination = _made(name)
    with tempfile.TemporaryDirectory() as folder:
        agreed = agreements(Path(folder))
    _timed("ledger filled", lambda: fill_ledger(destination, agreed))
    _timed("log filled", lambda: fill_log(destination))
    queries = Queries(destination.warehouse)
    orders = [Order(each, each.periods(None, None, NOW), None, None, None) for each in agreed]
    asked = [_timed("asked", lambda: status.read(destination, agreed, NOW)) for _ in range(RUNS)]
    said: dict[str, Any] = {"status": min(asked), "status_queries": queries.take() / RUNS}
    planned = [_timed("planned", lambda: _plan(destination, orders)) for _ in range(RUNS)]
    said |= {"plan": min(planned), "plan_queries": queries.take() / RUNS}
    if sys.argv[1:] == ["--json"]:
        print(json.dumps(said))
        return
    found = status.read(destination, agreed, NOW)
    board = Board.of(name, NOW, {each.name: ("hour", found[each.name]) for each in agreed})
    print(board.line)
    _timed("text", lambda: text.draw(board))
    _timed("png", lambda: picture.png(board))
    _timed("html", lambda: page.html(board))


def _plan(destination: Destination, orders: list[Order]) -> None:
    """Do what a survey does, but for its request to the publisher for each partition."""
    for settled in plan._settled(destination, orders):  # noqa: SLF001 - the half of it that asks Google
        if due := [landing for landing in settled.landings() if settled.lacks(landing)]:
            raise RuntimeError(f"found {len(due)} due, expected none")


class Queries:
    """Counts what a client asks BigQuery to compute."""

    def __init__(self, client: bigquery.Client) -> None:
        self._ask, self._count = client.query, 0
        client.query = self._counted  # type: ignore[method-assign]

    def take(self) -> int:
        """Give the count, and begin anew."""
        taken, self._count = self._count, 0
        return taken

    def _counted(self, *arguments: Any, **options: Any) -> bigquery.QueryJob:
        self._count += 1
        return self._ask(*arguments, **options)


def _made(name: str) -> Destination:
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    lake = storage.Client("local", anonymous, client_options={"api_endpoint": os.environ["STORAGE_EMULATOR_HOST"]})
    at = {"api_endpoint": os.environ["BIGQUERY_EMULATOR_HOST"]}
    warehouse = bigquery.Client("local", anonymous, client_options=at)
    bucket, dataset = lake.bucket(name), bigquery.Dataset(f"local.{name}")
    bucket.labels = dataset.labels = {"environment": name}
    lake.create_bucket(bucket)
    warehouse.create_dataset(dataset)
    return open_destination(bucket, warehouse, name, name)


def _timed(what: str, work: Callable[[], object]) -> tuple[float, float]:
    """Give this process's CPU time, and the clock's, which has the local cloud's work in it."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    took = time.process_time() - spent, time.perf_counter() - began
    print(f"{what:<14}{took[1]:6.2f} s, {took[0]:.2f} CPU s")
    return took


if __name__ == "__main__":
    main()
