"""Sixteen processes at once: one load job a claim, all Completed, and log, ledger and table agree."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.settings import CONTRACTS
from tests.end_to_end.place import Place, content
from tests.proxy import Fault, Proxy, is_last_part

PROCESSES = 16
TIMEOUT_S = 240  # sixteen processes on two cores


def current(place: Place) -> dict[str, tuple[Any, ...]]:
    rows = place.ask("SELECT `partition`, n, lake_uri, warehouse_rows FROM {landings_current}")
    return {row[0]: row[1:] for row in rows}


def assert_agreed(place: Place, month: str, rows: list[str], ledger: dict[str, tuple[Any, ...]]) -> None:
    """Table, log, ledger and lake hold these rows, once; each claim was loaded by one job."""
    assert place.landed(month) == content(rows)
    claims = place.claims(month)
    assert [claim["n"] for claim in claims] == list(range(len(claims)))
    assert ledger[month] == (claims[-1]["n"], claims[-1]["lake_uri"], len(rows))
    assert [f"gs://{place.bucket}/{name}" for name in place.objects(f"lake/flights/{month}/")] == [
        claims[-1]["lake_uri"]
    ]


def loads_by_claim(place: Place) -> Counter[str]:
    """Count the load jobs that did something, by month and claim."""
    done = [job.job_id for job in place.jobs() if job.error_result is None]
    return Counter("-".join(job_id.split("-flights-")[1].split("-")[:3]) for job_id in done)


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_sixteen_processes_landing_one_partition_make_one_claim_and_one_load(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january)
    runs = [place.start("flights", "2013-01") for _ in range(PROCESSES)]
    assert [run.wait(TIMEOUT_S) for run in runs] == [0] * PROCESSES, "\n".join(run.text for run in runs)
    assert loads_by_claim(place) == {"2013-01-0": 1}
    assert len(place.claims()) == 1
    assert place.ask("SELECT n, status FROM {landings}") == [(0, "loaded")]
    assert_agreed(place, "2013-01", january, current(place))


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_sixteen_processes_landing_sixteen_partitions_of_one_table_that_is_not_there_yet_do_not_disturb_each_other(
    place: Place, january: list[str], tmp_path: Path
) -> None:
    flights = (CONTRACTS / "flights.toml").read_text()  # the shipped contract ends after twelve
    (tmp_path / "flights.toml").write_text(flights.replace('last_partition = "2013-12"\n', ""))
    months = [f"{2013 + i // 12}-{i % 12 + 1:02d}" for i in range(PROCESSES)]
    rows = {month: january[i * 100 : i * 100 + 400] for i, month in enumerate(months)}
    for month in months:
        place.publish(month, rows[month])
    given = {"plant": "tests.end_to_end.plants:other_contracts", "OTHER_CONTRACTS": str(tmp_path)}
    runs = [place.start("flights", month, **given) for month in months]
    assert [run.wait(TIMEOUT_S) for run in runs] == [0] * PROCESSES, "\n".join(run.text for run in runs)
    assert loads_by_claim(place) == {f"{month}-0": 1 for month in months}
    assert place.ask("SELECT COUNT(*) FROM {landings}") == [(PROCESSES,)]
    ledger = current(place)
    for month in months:
        assert_agreed(place, month, rows[month], ledger)


@pytest.mark.timeout(2 * TIMEOUT_S)
def test_two_contents_of_one_partition_race_and_the_next_run_settles_on_what_is_served_now(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    old, new = january[:700], january[500:1500]
    place.publish("2013-01", old)
    changed = threading.Event()
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        # half of them have read the old content, and finalise it once the other half is on its way with the new one
        half = PROCESSES // 2
        held = proxy.add(Fault(is_last_part, times=half, before=lambda: changed.wait(TIMEOUT_S)))
        runs = [place.start("flights", "2013-01", STORAGE_EMULATOR_HOST=proxy.url) for _ in range(half)]
        while held.fired < half:
            time.sleep(0.05)
        place.publish("2013-01", new)
        runs += [place.start("flights", "2013-01") for _ in range(PROCESSES - half)]
        changed.set()
        assert [run.wait(TIMEOUT_S) for run in runs] == [0] * PROCESSES, "\n".join(run.text for run in runs)
    assert set(loads_by_claim(place).values()) == {1}
    assert place.run("flights", "2013-01").code == 0
    assert_agreed(place, "2013-01", new, current(place))
    assert place.run("flights", "2013-01").last_line == "1 partition up to date"


@pytest.mark.timeout(2 * TIMEOUT_S)
def test_a_publisher_that_goes_back_and_forth_is_settled_by_the_next_run(place: Place, january: list[str]) -> None:
    contents = [january[:300], january[100:500]]
    place.publish("2013-01", contents[0])
    runs = []
    for i in range(PROCESSES):
        runs.append(place.start("flights", "2013-01"))
        time.sleep(0.1)
        place.publish("2013-01", contents[i % 2])
    codes = [run.wait(TIMEOUT_S) for run in runs]
    assert codes == [0] * PROCESSES, "\n".join(run.text for run in runs)
    assert set(loads_by_claim(place).values()) == {1}
    served = contents[(PROCESSES - 1) % 2]
    assert place.run("flights", "2013-01").code == 0
    assert_agreed(place, "2013-01", served, current(place))
