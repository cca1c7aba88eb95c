"""Checks and quarantine through real runs: what stops, what warns, what is put aside, and what follows a change."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.place import Place
from tests.end_to_end.runner import Run

TRIPS = """
revision = 1
description = "Trips"
owner = "data-team"
source = "{publisher}/trips_{yyyy}-{mm}.csv"
format = "csv"
partition = "month"
first_partition = "2021-01"
columns = [{ name = "id", type = "INT64", nullable = false }, { name = "day", type = "DATE" }]
"""
MONTHS = "2021-01", "2021-02", "2021-03"


class Trips:
    """A contract that a test changes from run to run, and its files."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place, self._folder = place, folder

    def publish(self, month: str, ids: list[Any], day: str | None = None) -> None:
        rows = [f"{each},{day or f'{month}-15'}" for each in ids]
        self._place.publisher.serve(f"/trips_{month}.csv", "\n".join(["id,day", *rows, ""]).encode())

    def run(self, contract: str, *periods: str, flow: str = "web_to_bigquery") -> Run:
        (self._folder / "trips.toml").write_text(contract)
        return self._run("trips", *periods, flow=flow)

    def quarantine(self, *arguments: str) -> Run:
        return self._run("quarantine", "trips", *arguments, flow="landfall")

    def _run(self, *arguments: str, flow: str) -> Run:
        plant = "tests.end_to_end.plants:other_contracts"
        return self._place.run(*arguments, flow=flow, plant=plant, OTHER_CONTRACTS=str(self._folder))


@pytest.fixture
def trips(place: Place, tmp_path: Path) -> Trips:
    return Trips(place, tmp_path)


def check(**keys: Any) -> str:
    """Write one check as TOML."""
    lines = [f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in keys.items()]
    return "\n".join(["[[checks]]", *lines, ""])


def test_bad_rows_are_put_aside_and_land_after_a_fix_of_the_contract(place: Place, trips: Trips) -> None:
    wrong = {7: "n/a", 50: "n/a", 99: "n/a"}
    trips.publish("2021-01", [wrong.get(number, number) for number in range(100)])
    lenient = TRIPS + "[quarantine]\nmax_rows = 5\n"
    first = trips.run(lenient, "2021-01")
    assert first.last_line == "1 partition landed: 100 source rows = 97 loaded + 3 quarantined", first.text
    assert place.ask("SELECT COUNT(*), MIN(id), MAX(id) FROM {trips}") == [(97, 0, 98)]
    counts = "SELECT source_rows, lake_rows, quarantined_rows, warehouse_rows FROM {landings} ORDER BY n"
    assert place.ask(counts) == [(100, 97, 3, 97)]
    listed = trips.quarantine("2021-01", "2021-02", "--json")
    assert [json.loads(line) for line in listed.text.splitlines()] == [
        {
            "partition": "2021-01",
            "file": f"{place.publisher.url}/trips_2021-01.csv",
            "record": line - 1,
            "line": line,
            "column": "id",
            "reason": "found 'n/a', expected INT64",
            "raw": "n/a,2021-01-15",
        }
        for line in (9, 52, 101)
    ]
    shown = trips.quarantine("2021-01")
    assert (shown.code, shown.last_line) == (0, "3 rows in quarantine")
    assert "│ 2021-01   │ http" in shown.text
    assert trips.run(lenient, "2021-01").last_line == "1 partition up to date"

    # the publisher writes n/a for what it does not know: the fix is to say so, and that an id may be unknown
    mended = lenient.replace("revision = 1", "revision = 2").replace(", nullable = false", "")
    second = trips.run(mended + '[dialect]\nnull_values = ["", "n/a"]\n', "2021-01")
    assert second.last_line == "1 partition landed: 100 source rows = 100 loaded + 0 quarantined", second.text
    assert place.ask("SELECT COUNT(*), COUNT(id) FROM {trips}") == [(100, 97)]
    assert place.ask(counts) == [(100, 97, 3, 97), (100, 100, 0, 100)]
    assert trips.quarantine().last_line == "0 rows in quarantine"
    assert place.objects("quarantine/") == []
    assert len(place.objects("superseded/")) == 2


def test_a_check_that_stops_leaves_everything_as_it_was_and_one_that_warns_lets_it_land(
    place: Place, trips: Trips
) -> None:
    checked = TRIPS + check(check="row_count", min=3) + check(check="change", max_fraction=0.5)
    checked += check(check="in_period", column="day", on_fail="warn", max_fraction=0.1)
    trips.publish("2021-01", [1, 2, 3])
    trips.publish("2021-02", [1, 2])
    run = trips.run(checked, "2021-01", "2021-02")
    assert run.last_line == "1 partition landed, 1 failed: 3 source rows = 3 loaded + 0 quarantined", run.text
    assert "trips 2021-02: check row_count: found 2 rows, expected at least 3; correct the file or the con" in run.text
    assert place.objects("lake/trips/2021-02/") == place.objects("log/trips/2021-02/") == []
    fingerprints = place.ask("SELECT checks_fingerprint FROM {landings}")
    assert fingerprints == [(place.claims("2021-01", "trips")[0]["checks_fingerprint"],)]
    assert fingerprints != [(None,)]

    trips.publish("2021-02", [1, 2, 3, 4, 5], day="2021-03-01")
    warned = trips.run(checked, "2021-01", "2021-02")
    assert warned.code == 0
    assert warned.last_line == (
        "1 partition landed, 1 up to date, 1 with warnings: 5 source rows = 5 loaded + 0 quarantined"
    )
    said = " ".join(warned.text.split())
    assert "check in_period of day: found 5 of 5 rows (100 %) outside 2021-02-01 to 2021-02-28, expected at" in said
    assert "check change: found 5 rows, 66.67 % more than the 3 of the period before, expected a change of" in said
    assert place.ask("SELECT day, COUNT(*) FROM {trips} WHERE file_month = DATE '2021-02-01' GROUP BY day") == [
        (dt.date(2021, 3, 1), 5)
    ]


def test_changed_checks_are_held_against_landed_rows_by_query_and_nothing_lands_again(
    place: Place, trips: Trips
) -> None:
    for month, rows in zip(MONTHS, (2, 4, 6), strict=True):
        trips.publish(month, list(range(rows)))
    assert trips.run(TRIPS, MONTHS[0], MONTHS[2]).code == 0
    before = (place.objects(""), len(place.jobs()))
    place.publisher.requests.clear()

    warning = TRIPS + check(check="range", column="id", max=4, on_fail="warn") + check(check="row_count", max=6)
    warned = trips.run(warning, MONTHS[0], MONTHS[2])
    assert (warned.code, warned.last_line) == (0, "3 partitions up to date, 3 re-checked, 1 with warnings")
    assert "check range of id: found 1 of 6 rows (16.67 %) above 4, expected none" in " ".join(warned.text.split())
    assert trips.run(warning, MONTHS[0], MONTHS[2]).last_line == "3 partitions up to date"

    stopping = TRIPS + check(check="row_count", min=3)
    # a failure is met again by every run
    for flow, others in (("web_to_bigquery", "2 up to date, 2 re-checked"), ("gcs_to_bigquery", "2 up to date")):
        stopped = trips.run(stopping, MONTHS[0], MONTHS[2], flow=flow)
        assert (stopped.code, stopped.last_line) == (1, f"1 partition failed, {others}")
        said = " ".join(stopped.text.split())
        assert "trips 2021-01: check row_count: found 2 rows, expected at least 3; correct the contract's" in said
        assert "the rows landed under other checks and stand in the table" in said
    assert place.ask("SELECT file_month, COUNT(*) FROM {trips} GROUP BY 1 ORDER BY 1") == [
        (dt.date(2021, month, 1), 2 * month) for month in (1, 2, 3)
    ]
    assert trips.run(TRIPS, MONTHS[0], MONTHS[2]).last_line == "3 partitions up to date"  # without checks

    assert (place.objects(""), len(place.jobs())) == before
    assert place.publisher.asked("GET") == []
