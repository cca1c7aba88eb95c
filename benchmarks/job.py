"""Measure how much memory a landing takes as a Cloud Run job: all processes of the container, and its files.

Usage: python -m benchmarks.job [--cases csv,parquet]; prints a table, writes docs/job-memory.md.

The local Cloud Run measures (localcloud/run/memory.py): pages that processes share count once, and temporary files
count, for on Cloud Run they are memory. Each job has the limit that prefect.yaml gives such a landing, and a job that
exceeds it is ended, with which this ends in an error: what is in the table has fitted.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from benchmarks import yellow
from benchmarks.measure import served
from flows.web_to_bigquery import web_to_bigquery

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".local" / "benchmarks"
PAGE = ROOT / "docs" / "job-memory.md"
MONTHS = ("2021-01", "2021-02", "2021-03", "2021-04")
BIG = 12  # times the rows of 2021-01: 16.4 million; the fullest month of yellow trips, 2012-03, has 16.1
IMAGE = "local/landfall:benchmark"
JOBS = "v2/projects/local/locations/us-central1/jobs"
PEAK = re.compile(r"peak memory ([0-9.]+) of")


@dataclass(frozen=True, slots=True)
class Case:
    """What lands in one job of so much memory: *months* files at once, each with *scale* times the rows of 2021-01."""

    form: str
    scale: int
    months: int
    memory_mib: int = 512  # prefect.yaml's for a contract's months

    @property
    def parameters(self) -> dict[str, str]:
        """Give the flow's parameters."""
        contract = f"yellow_{self.form}_{self.scale}"
        return {"contract": contract, "first": MONTHS[0], "last": MONTHS[self.months - 1]}


CASES = [Case("csv", 1, 1), Case("csv", 6, 1), Case("csv", 1, 4),
         Case("parquet", 1, 1), Case("parquet", 6, 1), Case("parquet", BIG, 1),
         Case("parquet", BIG, 4, 1024)]  # fmt: skip


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", default="csv,parquet", help="the formats to measure (default: %(default)s)")
    forms = parser.parse_args().cases.split(",")
    cases = [case for case in CASES if case.form in forms]
    with (
        tempfile.TemporaryDirectory() as scratch,
        _cloud(Path(scratch)) as variables,
        served("benchmarks.file_server", f"{scratch}/files") as publisher,
    ):
        for case in cases:
            _publish(case, Path(scratch))
        _settle(Path(scratch), variables)
        rows = []
        for case in cases:
            rows.append(_row(case, *_land(case, variables, publisher), Path(scratch)))
            print(rows[-1], flush=True)
    if cases == CASES:
        PAGE.write_text(_page(rows), encoding="utf-8")


@contextmanager
def _cloud(scratch: Path) -> Iterator[Mapping[str, str]]:
    """Run a local cloud and a Prefect server, and give the variables of a process that uses them."""
    command = [sys.executable, "-m", "localcloud"]
    data = f"--data={scratch}/cloud"
    (scratch / "files").mkdir()
    subprocess.run([*command, "up", data], check=True, stdout=subprocess.DEVNULL)
    try:
        said = subprocess.run([*command, "env", data], check=True, capture_output=True, text=True).stdout
        exports = (shlex.split(line)[1] for line in said.splitlines() if line.startswith("export "))
        yield {**os.environ, **dict(each.split("=", 1) for each in exports)}
    finally:
        subprocess.run([*command, "down", data], check=True, stdout=subprocess.DEVNULL)


def _settle(scratch: Path, variables: Mapping[str, str]) -> None:
    """Make bucket, dataset, blocks, and an image: the flows with the benchmark's contracts."""
    image = scratch / "image"
    shutil.copytree(ROOT / "flows", image / "flows")
    agreed = (ROOT / "benchmarks" / "contracts" / "yellow.toml").read_text()
    for case in CASES:
        text = agreed.replace("/yellow_tripdata_", f"/{case.form}_{case.scale}_")
        if case.form == "parquet":
            text = text.replace('format = "csv"', 'format = "parquet"').replace('compression = "gzip"\n', "")
            text = text.replace(".csv.gz", ".parquet")
        (image / "flows" / "contracts" / f"{case.parameters['contract']}.toml").write_text(text)
    outputs = _python(variables, "-m", "localcloud", "provision")
    _python(variables, "-m", "blocks", given=outputs)
    _python(variables, "-m", "localcloud", "image", IMAGE, f"--folder={image}", f"--data={scratch}/cloud")


def _python(variables: Mapping[str, str], *arguments: str, given: str = "") -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, input=given, text=True, check=True, stdout=subprocess.PIPE, env=variables).stdout


def _publish(case: Case, scratch: Path) -> None:
    """Put a case's file where the publisher serves it, once for each month."""
    made = _csv(case.scale) if case.form == "csv" else _parquet(case.scale)
    for month in MONTHS[: case.months]:
        there = scratch / "files" / f"{case.form}_{case.scale}_{month}{''.join(made.suffixes)}"
        if not there.exists():
            there.symlink_to(made)


def _csv(scale: int) -> Path:
    path = CACHE / f"yellow_{scale}.csv.gz"
    if not path.exists():
        yellow.make(path, scale)
    return path


def _parquet(scale: int) -> Path:
    """Write the month's rows *scale* times, as TLC's files are: Snappy, row groups of a million rows."""
    path = CACHE / f"yellow_{scale}.parquet"
    if not path.exists():
        times = dict.fromkeys(("tpep_pickup_datetime", "tpep_dropoff_datetime"), pa.timestamp("us"))
        month = pyarrow.csv.read_csv(_csv(1), convert_options=pyarrow.csv.ConvertOptions(column_types=times))
        partial = path.with_suffix(".partial")
        with pyarrow.parquet.ParquetWriter(partial, month.schema, compression="snappy") as file:
            for _ in range(scale):
                file.write_table(month, row_group_size=1 << 20)
        partial.rename(path)
    return path


def _land(case: Case, variables: Mapping[str, str], publisher: str) -> tuple[str, str]:
    """Land a case in a job as a worker would make it; give the job's name and the run's state."""
    settings = {PREFECT_API_URL: variables["PREFECT_API_URL"]}
    settings[PREFECT_API_AUTH_STRING] = variables["PREFECT_API_AUTH_STRING"]
    with temporary_settings(settings), get_client(sync_client=True) as client:
        run = _ask_for(client, case)
        names = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "LANDFALL_ENVIRONMENT")
        declared = {name: variables[name] for name in names}
        declared |= {"PREFECT__FLOW_RUN_ID": str(run), "LANDFALL_PUBLISHER": publisher}
        job = _job(variables["LANDFALL_CLOUD_RUN_ENDPOINT"], declared, case.memory_mib)
        state = client.read_flow_run(run).state
        return job, state.name or "" if state else ""


def _ask_for(client: SyncPrefectClient, case: Case) -> UUID:
    entrypoint = "flows/web_to_bigquery.py:web_to_bigquery"
    flow = client.create_flow(web_to_bigquery)
    deployment = client.create_deployment(flow, "benchmark", entrypoint=entrypoint, path=".")
    return client.create_flow_run_from_deployment(deployment, parameters=case.parameters).id


def _job(endpoint: str, declared: Mapping[str, str], memory_mib: int) -> str:
    """Run a job to its end, and give its name."""
    name = f"benchmark-{uuid4().hex[:8]}"
    container = {
        "image": IMAGE,
        "command": ["prefect", "flow-run", "execute"],
        "env": [{"name": key, "value": value} for key, value in declared.items()],
        "resources": {"limits": {"cpu": "1", "memory": f"{memory_mib}Mi"}},
    }
    task = {"containers": [container], "maxRetries": 0, "timeout": "3600s"}
    _ask(f"{endpoint}/{JOBS}?jobId={name}", {"template": {"template": task}})
    while _ask(f"{endpoint}/{JOBS}/{name}")["terminalCondition"]["state"] != "CONDITION_SUCCEEDED":
        time.sleep(0.1)
    execution = _ask(f"{endpoint}/{JOBS}/{name}:run", {})["metadata"]["name"]
    while "completionTime" not in _ask(f"{endpoint}/v2/{execution}"):
        time.sleep(0.5)
    return name


def _ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - the local cloud
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        found: dict[str, Any] = json.load(answer)
    return found


def _row(case: Case, job: str, state: str, scratch: Path) -> str:
    """Write a line of the table.

    Raises:
        RuntimeError: the landing failed.
    """
    said = "".join(log.read_text() for log in (scratch / "cloud" / "logs" / "run").glob(f"{job}-*.log"))
    peak = PEAK.search(said)
    if state != "Completed" or not peak:
        raise RuntimeError(f"{case}: found {state}, expected Completed; its log:\n{said[-3000:]}")
    size = (_csv(case.scale) if case.form == "csv" else _parquet(case.scale)).stat().st_size
    files = f"{case.months} at once, each" if case.months > 1 else "1,"
    what = f"{files} {yellow.ROWS * case.scale:,} rows, {size / 2**20:.0f} MiB"
    return f"| {case.form} | {what} | {float(peak[1]):.0f} | {case.memory_mib:,} |"


def _page(rows: list[str]) -> str:
    return f"""# What memory a job needs

<!-- Written by benchmarks/job.py: run it again instead of editing. -->

A landing as a Cloud Run job: `prefect flow-run execute`, the process that it starts for the flow, and the files that
they write, for on Cloud Run these are memory. The local Cloud Run looks 20 times a second, and ends a job that exceeds
its limit: what is in the table has landed under it. MiB are 2^20 bytes.

| format | files | peak MiB | limit MiB |
|---|---|---:|---:|
{chr(10).join(rows)}

- CSV and JSON lines stream: a file may be as long as it likes (the course's fullest month of yellow trips, 2019-03, has
  7.8 million rows). Four at once are the most that one run does.
- Parquet has what says where everything is at its end. That is asked for first, and the file is read while it
  arrives, some row groups in memory: here they have a million rows, as the publisher's. {BIG} times the rows of 2021-01
  are more than any month of yellow trips has. Four such months at once take more than 512 MiB: the deployments that
  land any contract have 1 GiB. `yellow_trips_parquet` and `backfill`, which land years, have 2 GiB: files of 2009 and
  2010, with coordinates in place of zones, are larger for their rows, and were not measured.
- A publisher that sends no parts of files is not measured here: its Parquet is put on disk first, and counts whole.

<!-- shown: minutes -->
```sh
.venv/bin/python -m benchmarks.job
```

What it does not show: Cloud Run's own way to count, which adds what the kernel keeps for the container.
"""


if __name__ == "__main__":
    main()
