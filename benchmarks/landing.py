"""Measure what surrounds the conversion: loading, looking, planning, a backfill over a slow network, and the commands.

Usage: python -m benchmarks.landing; prints a table, writes its section of docs/performance.md. With --quick: few
partitions, one run each, and nothing is written.

All of it on a local cloud and a Prefect server of its own. Its clients go through relays that count; those of the
backfill's publisher and storage also wait 200 ms for each request.
"""

import argparse
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from benchmarks import yellow
from benchmarks.landing_page import Figures, Walk, section, targets
from benchmarks.measure import Cost, run, served
from benchmarks.own_cloud import ROOT, image, own_cloud, python
from benchmarks.page import put
from benchmarks.relay import Counted
from benchmarks.scale import world
from benchmarks.targets import missed, table

CACHE = ROOT / ".local" / "benchmarks"  # ignored by git; the made files stay for the next time
DELAY_MS, AT_ONCE = 200, 4
YEAR = ("--from", str(world.FIRST), "--to", str(world.FIRST))  # what has landed by then


@dataclass(frozen=True, slots=True)
class Ground:
    """Where commands run: a folder with the flows and the benchmark's contracts, and the variables that point there."""

    folder: Path
    variables: Mapping[str, str]

    def command(self, *words: str, **more: str) -> Cost:
        """Run `landfall` to its end."""
        return run("flows.cli", *words, environment={**self.variables, **more}, folder=self.folder)[1]


def main() -> int:
    """Measure, print and write; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few partitions, one run each; nothing is written")
    quick = parser.parse_args().quick
    number, runs = (6, 1) if quick else (24, 3)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch, _ground(Path(scratch), number, runs) as ground:
        figures = Figures(
            number,
            probe=_probe(ground, number),
            status=_ten_thousand(ground),
            help=[ground.command("--help") for _ in range(runs + 2)],
            first=[_first_request(ground, day) for day in world.days(runs)],
            status_command=[ground.command("status", world.CONTRACT, *YEAR) for _ in range(runs + 2)],
            walks=list(_backfills(ground, number, runs)),
            job_mb=None if quick else _job_mb(),
        )
    text = section(figures, DELAY_MS, AT_ONCE)
    print(table(targets(figures, AT_ONCE)))
    if not quick:
        put("landing", text)
    failures = missed(targets(figures, AT_ONCE))
    print("\n".join(failures) or "every target is met")
    return 1 if failures else 0


@contextmanager
def _ground(scratch: Path, number: int, runs: int) -> Iterator[Ground]:
    """Publish files, run a cloud, and make what `make blocks` makes; what runs find imported by others is compiled."""
    world.publish(scratch / "files", runs + number * (2 * runs + 1))
    month = CACHE / "yellow_1x.csv.gz"
    if not month.exists():
        yellow.make(month, 1)
    (scratch / "files" / "yellow_tripdata_2021-01.csv.gz").symlink_to(month)
    trips = (ROOT / "benchmarks" / "contracts" / "yellow.toml").read_text()
    folder = image(scratch / "image", {world.CONTRACT: world.TOML, "yellow": trips})
    with ExitStack() as stack:
        publisher = stack.enter_context(served("http.server", "0", "-b", "127.0.0.1", "-d", str(scratch / "files")))
        # Whether Python may write bytecode is the machine's business: compiling each import anew is nobody's cost
        settings = {"PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
        variables = stack.enter_context(own_cloud(scratch / "cloud", **settings))
        variables |= {"LANDFALL_PUBLISHER": publisher, "PYTHONPATH": str(folder)}
        outputs = python(variables, "-m", "localcloud", "provision")
        python(variables, "-m", "blocks", "--environment", "local", given=outputs)
        yield Ground(folder, variables)
        shutil.rmtree(folder)


def _probe(ground: Ground, number: int) -> dict[str, Any]:
    """Load, look and plan, in a process without Prefect."""
    names = ("LANDFALL_PUBLISHER", "STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")
    with ExitStack() as stack:
        relays = [stack.enter_context(served("benchmarks.relay", ground.variables[name])) for name in names]
        contracts = str(ground.folder / "flows" / "contracts")
        found, _ = run("benchmarks.landing_probe", contracts, str(number), *relays, environment=ground.variables)
    said: dict[str, Any] = json.loads(found)
    return said


def _ten_thousand(ground: Ground) -> dict[str, Any]:
    """Ask how 10,000 partitions stand, and plan them."""
    found, _ = run("benchmarks.status", "--json", environment=ground.variables)
    said: dict[str, Any] = json.loads(found)
    return said


def _job_mb() -> float:
    """Give the peak memory of Cloud Run jobs that land a file of CSV: the largest of those in docs/job-memory.md."""
    said = python(os.environ, "-m", "benchmarks.job", "--cases=csv")
    peaks = re.findall(r"^\| csv \| 1, .*\| (\d+) \| [\d,]+ \|$", said, re.MULTILINE)
    return max(float(peak) for peak in peaks) * 2**20 / 1e6


def _first_request(ground: Ground, day: str) -> tuple[float, float]:
    """Land a partition by hand, and give when its file was asked for: after the process began, and its flow."""
    with served("benchmarks.relay", ground.variables["LANDFALL_PUBLISHER"]) as relay, Counted(relay) as asked:
        cost = ground.command("run", world.CONTRACT, day, LANDFALL_PUBLISHER=relay)
    api = {name: ground.variables[name.name] for name in (PREFECT_API_URL, PREFECT_API_AUTH_STRING)}
    with temporary_settings(api), get_client(sync_client=True) as client:
        (flow_run,) = client.read_flow_runs(limit=1, sort=FlowRunSort.START_TIME_DESC)
    if asked.first is None or flow_run.start_time is None:
        raise RuntimeError(f"{day}: found no request for its file, expected one")
    return asked.first - cost.began, asked.first - flow_run.start_time.timestamp()


def _backfills(ground: Ground, number: int, runs: int) -> Iterator[Walk]:
    """Backfill the same number of partitions one at a time and some at once, in turn, and once more what has landed."""
    days = world.days(runs + number * (2 * runs + 1))[runs:]
    with ExitStack() as stack:
        slow = {
            name: stack.enter_context(served("benchmarks.relay", ground.variables[name], "--delay-ms", str(DELAY_MS)))
            for name in ("LANDFALL_PUBLISHER", "STORAGE_EMULATOR_HOST")
        }
        for _ in range(runs):
            for at_once in (1, AT_ONCE):
                some, days = days[:number], days[number:]
                span = ("--from", some[0], "--to", some[-1], "--at-once", str(at_once), "--yes")
                with Counted(*slow.values()) as counted:
                    landed = ground.command("backfill", world.CONTRACT, *span, **slow)
                again = ground.command("backfill", world.CONTRACT, *span, **slow)  # another address is another source
                yield Walk(at_once, landed, again, len(counted.requests))


if __name__ == "__main__":
    raise SystemExit(main())
