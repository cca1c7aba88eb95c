"""One test's own environment on the local cloud: bucket, dataset, blocks, publisher, and questions about them."""

import csv
import gzip
import io
import json
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from flows.etl.destination import Destination, open_destination
from tests.end_to_end.runner import Run, Runner
from tests.publisher import Publisher

HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,"
    "origin,dest,air_time,distance,hour,minute,time_hour"
)


@dataclass
class Place:
    """An environment of its own, by name."""

    name: str
    runner: Runner
    publisher: Publisher
    storage: storage.Client
    bigquery: bigquery.Client

    @property
    def settings(self) -> dict[str, str]:
        return {"LANDFALL_ENVIRONMENT": self.name, "LANDFALL_PUBLISHER": self.publisher.url}

    @property
    def dataset(self) -> str:
        return f"landfall_{self.name}"

    @property
    def bucket(self) -> str:
        return f"landfall-{self.name}-lake"

    @property
    def destination(self) -> Destination:
        """Open it as a run does, to call the work without a run."""
        return open_destination(self.storage.bucket(self.bucket), self.bigquery, self.dataset, self.name)

    def make(self) -> None:
        """Make bucket, dataset and blocks, as Terraform and `make blocks` would."""
        bucket = self.storage.bucket(self.bucket)
        bucket.labels = {"environment": self.name}
        self.storage.create_bucket(bucket)
        dataset = bigquery.Dataset(f"local.{self.dataset}")
        dataset.labels = {"environment": self.name}
        self.bigquery.create_dataset(dataset)
        assert self.runner.run("register", self.name, "local", self.bucket).code == 0

    def start(self, *arguments: str, flow: str = "web_to_bigquery", plant: str | None = None, **settings: str) -> Run:
        """Start a flow here."""
        return self.runner.start(flow, *arguments, plant=plant, **{**self.settings, **settings})

    def run(self, *arguments: str, flow: str = "web_to_bigquery", plant: str | None = None, **settings: str) -> Run:
        """Run a flow here to its end."""
        run = self.start(*arguments, flow=flow, plant=plant, **settings)
        run.wait()
        return run

    def publish(self, month: str, rows: list[str], contract: str = "flights") -> None:
        """Let the publisher serve these lines as one month of flights."""
        text = "\n".join([HEADER, *rows]) + "\n"
        self.publisher.serve(f"/{contract}/{contract}_{month}.csv.gz", gzip.compress(text.encode(), mtime=0))

    def objects(self, prefix: str) -> list[str]:
        """List the names under a prefix."""
        return [blob.name for blob in self.storage.list_blobs(self.bucket, prefix=prefix)]

    def claims(self, partition: str = "2013-01", contract: str = "flights") -> list[dict[str, Any]]:
        """Read a partition's log."""
        blobs = self.storage.list_blobs(self.bucket, prefix=f"log/{contract}/{partition}/")
        return [json.loads(blob.download_as_bytes()) for blob in blobs]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask a query; a table's name stands in braces: `{flights}`."""
        tables = {t.table_id: f"`local.{self.dataset}.{t.table_id}`" for t in self.bigquery.list_tables(self.dataset)}
        return [tuple(row.values()) for row in self.bigquery.query(query.format(**tables)).result()]

    def tables(self) -> set[str]:
        return {table.table_id for table in self.bigquery.list_tables(self.dataset)}

    def snapshot(self) -> dict[str, int]:
        """Give all that a landing could have left: objects with their generations, tables with their row counts."""
        objects = {blob.name: int(blob.generation) for blob in self.storage.list_blobs(self.bucket)}
        return objects | {name: self.ask(f"SELECT COUNT(*) FROM {{{name}}}")[0][0] for name in self.tables()}

    def jobs(self, kind: str = "load") -> list[Any]:
        """List this dataset's load jobs, the oldest first."""
        found = [job for job in self.bigquery.list_jobs(all_users=True) if job.job_type == kind]
        return [job for job in reversed(found) if job.job_id.startswith(f"landfall-{self.dataset}-")]

    def landed(self, partition: str = "2013-01") -> Counter[tuple[str, ...]]:
        """Count the table's rows of one month by their content, as text."""
        rows = self.ask(f"SELECT * EXCEPT (file_month) FROM {{flights}} WHERE file_month = DATE '{partition}-01'")
        return Counter(tuple(_text(value) for value in row) for row in rows)


def content(rows: list[str]) -> Counter[tuple[str, ...]]:
    """Count published lines by their content, in the same words."""
    return Counter(tuple("" if value == "NA" else value for value in row) for row in csv.reader(rows))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else str(value)


def real_flights(publisher_url: str, month: str) -> list[str]:
    """Read one month of real flights from the local publisher, without its header."""
    with urllib.request.urlopen(f"{publisher_url}/flights/flights_{month}.csv.gz") as answer:
        lines = io.TextIOWrapper(gzip.GzipFile(fileobj=answer)).read().splitlines()
    assert lines[0] == HEADER
    return lines[1:]


def clients(cloud: dict[str, str]) -> tuple[storage.Client, bigquery.Client]:
    """Make clients for the test's own questions, past every proxy."""
    credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return (
        storage.Client("local", credentials, client_options={"api_endpoint": cloud["STORAGE_EMULATOR_HOST"]}),
        bigquery.Client("local", credentials, client_options={"api_endpoint": cloud["BIGQUERY_EMULATOR_HOST"]}),
    )
