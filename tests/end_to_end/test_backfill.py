"""Many periods of many data sets in one command: planned, landed once, stopped, and gone on with."""

import json
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.place import Place
from tests.end_to_end.runner import Run

CONTRACT = """
    revision = 1
    description = "Something that was counted"
    owner = "data-team"
    source = "{{publisher}}/{name}_{{yyyy}}-{{mm}}.csv"
    format = "csv"
    partition = "month"
    first_partition = "2020-01"
    columns = [{{ name = "id", type = "STRING" }}, {{ name = "n", type = "INT64", nullable = false }}]
"""
NAMES = ("buses", "ferries", "trams")
MONTHS = [f"{year}-{month:02}" for year in (2020, 2021) for month in range(1, 13)]


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / f"{name}.toml").write_text(CONTRACT.format(name=name))
    stops = CONTRACT.format(name="stops").replace('"month"', '"none"').replace('    first_partition = "2020-01"\n', "")
    (tmp_path / "stops.toml").write_text(stops.replace("_{yyyy}-{mm}", ""))
    return tmp_path


def publish(place: Place, name: str, month: str, number: str = "1") -> None:
    lines = [f"{name}/{month}/{n},{number}" for n in range(3)]
    place.publisher.serve(f"/{name}_{month}.csv", "\n".join(["id,n", *lines, ""]).encode())


def start(place: Place, contracts: Path, *arguments: str) -> Run:
    plant = "tests.end_to_end.plants:other_contracts"
    return place.start("backfill", *arguments, flow="landfall", plant=plant, OTHER_CONTRACTS=str(contracts))


def backfill(place: Place, contracts: Path, *arguments: str) -> tuple[int, list[str]]:
    """Run it to its end, and give its exit code and what it printed."""
    run = start(place, contracts, *arguments)
    return run.wait(180), run.text.splitlines()


def until_said(run: Run, text: str, times: int = 1) -> None:
    deadline = time.monotonic() + 60
    while run.text.count(text) < times:
        assert time.monotonic() < deadline, run.text
        time.sleep(0.05)


def ids(place: Place, name: str) -> Counter[str]:
    return Counter(each for (each,) in place.ask(f"SELECT id FROM {{{name}}}"))


@pytest.mark.timeout(300)
def test_24_months_of_three_data_sets_land_once_and_one_that_is_broken_is_listed_and_mended(
    place: Place, contracts: Path
) -> None:
    for name in NAMES:
        for month in MONTHS:
            publish(place, name, month, "one" if (name, month) == ("ferries", "2020-07") else "1")
    asked = (*NAMES, "--from", "2020-01", "--to", "2021-12")
    code, lines = backfill(place, contracts, *asked)
    why = (
        f"{place.publisher.url}/ferries_2020-07.csv: line 2, column n: found 'one', expected INT64; correct the file or"
        " the contract; nothing was written"
    )
    assert lines[-3:] == [
        f"ferries 2020-07 failed: {why}",
        "71 partitions landed, 1 failed: 213 source rows = 213 loaded + 0 quarantined",
        f"to go on: landfall backfill {' '.join(asked)}",
    ]
    assert code == 1
    every = {name: Counter(f"{name}/{month}/{n}" for month in MONTHS for n in range(3)) for name in NAMES}
    broken = Counter(f"ferries/2020-07/{n}" for n in range(3))
    assert {name: ids(place, name) for name in NAMES} == {**every, "ferries": every["ferries"] - broken}

    publish(place, "ferries", "2020-07")
    place.publisher.requests.clear()
    code, lines = backfill(place, contracts, *asked)
    assert (code, lines[-1]) == (
        0,
        "1 partition landed, 71 up to date: 3 source rows = 3 loaded + 0 quarantined",
    ), lines
    assert {name: ids(place, name) for name in NAMES} == every
    looked = Counter({("HEAD", f"/{name}_{month}.csv"): 1 for name in NAMES for month in MONTHS})
    once_more = Counter([("GET", "/ferries_2020-07.csv")])
    assert {*(Counter(place.publisher.requests) - looked)} <= {*once_more, ("HEAD", "/ferries_2020-07.csv")}

    before = place.snapshot()
    place.publisher.requests.clear()
    assert backfill(place, contracts, *asked)[1][-1] == "72 partitions up to date"
    assert (place.snapshot(), Counter(place.publisher.requests)) == (before, looked)


def test_ctrl_c_lets_what_is_at_work_land_and_the_same_command_goes_on(place: Place, contracts: Path) -> None:
    gate = threading.Event()
    for month in MONTHS[:6]:
        publish(place, "trams", month)
        place.publisher.files[f"/trams_{month}.csv"].held = gate if month > "2020-02" else None
    place.publisher.serve("/stops.csv", b"id,n\nstops/all/0,1\n")
    asked = ("trams", "stops", "--from", "2020-01", "--to", "2020-06", "--at-once", "2")
    run = start(place, contracts, *asked)
    until_said(run, " landed; ", 2)
    while len(place.publisher.asked("GET")) < 4:
        time.sleep(0.05)
    run.kill(signal.SIGINT)
    until_said(run, "stopped: ")
    gate.set()
    assert run.wait() == 130
    assert run.text.splitlines()[-2:] == [
        "4 partitions landed, 3 not begun: 12 source rows = 12 loaded + 0 quarantined",
        f"to go on: landfall backfill {' '.join(asked)}",
    ], run.text
    assert ids(place, "trams") == Counter(f"trams/{month}/{n}" for month in MONTHS[:4] for n in range(3))

    code, lines = backfill(place, contracts, *asked)
    assert (code, lines[-1]) == (0, "3 partitions landed, 4 up to date: 7 source rows = 7 loaded + 0 quarantined")
    assert ids(place, "trams") == Counter(f"trams/{month}/{n}" for month in MONTHS[:6] for n in range(3))
    assert ids(place, "stops") == Counter(["stops/all/0"])


def test_a_second_ctrl_c_waits_for_nothing_and_loses_nothing(place: Place, contracts: Path) -> None:
    gate = threading.Event()
    publish(place, "buses", "2020-01")
    place.publisher.files["/buses_2020-01.csv"].held = gate
    run = start(place, contracts, "buses", "--from", "2020-01", "--to", "2020-01")
    while not place.publisher.asked("GET"):
        time.sleep(0.05)
    run.kill(signal.SIGINT)
    until_said(run, "stopped: ")
    run.kill(signal.SIGINT)
    assert run.wait() == 130
    gate.set()
    code, lines = backfill(place, contracts, "buses", "--from", "2020-01", "--to", "2020-01")
    assert (code, lines[-1]) == (0, "1 partition landed: 3 source rows = 3 loaded + 0 quarantined")
    assert ids(place, "buses") == Counter(f"buses/2020-01/{n}" for n in range(3))


def test_a_dry_run_gives_the_plan_and_writes_nothing(place: Place, contracts: Path) -> None:
    for month in ("2020-01", "2020-02"):
        publish(place, "trams", month)
    assert backfill(place, contracts, "trams", "--from", "2020-01", "--to", "2020-01")[0] == 0
    publish(place, "trams", "2020-01", "2")
    before = place.snapshot()
    asked = ("trams", "--from", "2020-01", "--to", "2020-03", "--dry-run")
    code, lines = backfill(place, contracts, *asked, "--json")
    rows = [json.loads(line) for line in lines]

    def row(month: str, why: str, announced: int | None) -> dict[str, str | int | None]:
        source = f"{place.publisher.url}/trams_{month}.csv"
        status = {"contract": "trams", "partition": month, "status": "due", "why": why}
        return {**status, "announced_bytes": announced, "source": source}

    assert code == 0
    assert rows == [
        row("2020-01", "published anew", 59),
        row("2020-02", "new", 59),
        row("2020-03", "new, not served", None),
    ]
    code, lines = backfill(place, contracts, *asked)
    assert (code, lines[-1]) == (0, "3 partitions to land (more than 118 bytes)")
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert cells == [
        ["trams", "1", "land, published anew", "2020-01", "59 bytes"],
        ["trams", "1", "land, new", "2020-02", "59 bytes"],
        ["trams", "1", "land, new, not served", "2020-03", "size not told"],
    ]
    assert place.snapshot() == before


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("trams", "trains"), "contract: found 'trains', expected one of buses, ferries, stops, trams"),
        (("trams", "--from", "2020-13"), "trams: partition: found '2020-13', expected YYYY-MM"),
        (("trams", "--from", "2021-02", "--to", "2021-01"), "trams: found 2021-02 to 2021-01, expected the earlier"),
        (("trams", "--on", "nowhere"), "web-to-bigquery/any-"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked_for(
    place: Place, contracts: Path, asked: tuple[str, ...], said: str
) -> None:
    code, lines = backfill(place, contracts, *asked)
    assert (code, len(lines), lines[0].startswith(said)) == (2, 1, True), lines
    assert (place.publisher.requests, place.snapshot()) == ([], {})
