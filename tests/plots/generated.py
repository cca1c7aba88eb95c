"""Boards that nobody's data is behind: the same at every call."""

import datetime as dt
import random
from collections.abc import Mapping

from flows.etl.partition import Grain, Partition
from flows.etl.status import Said, Standing, State
from flows.plots.board import Board

NOW = dt.datetime(2026, 11, 24, 2, 40, tzinfo=dt.UTC)
WHY: Mapping[State, str] = {
    "failed": "BigQuery refused claim 1",
    "missing": "never claimed",
    "stale": "read by revision 1 of the contract, which is at 2",
    "quarantined": "3 of 1000 rows put aside",
    "landed": "",
}
TEN: Mapping[str, tuple[Grain, str, str]] = {
    "airlines": ("none", "all", "all"),
    "airports_of_the_world_by_name": ("year", "2021", "2025"),
    "fhv_trips": ("month", "2021-11", "2026-10"),
    "flights": ("month", "2021-11", "2026-10"),
    "green_trips": ("month", "2021-11", "2026-10"),
    "sensors": ("hour", "2026-09-01T00", "2026-11-23T23"),
    "stations": ("month", "2021-11", "2026-10"),
    "weather": ("month", "2021-11", "2026-10"),
    "weather_daily": ("day", "2021-11-01", "2026-11-22"),
    "yellow_trips_parquet": ("month", "2021-11", "2026-10"),
}


def standing(name: str, partition: Partition, state: State = "landed", *, rows: int = 1000, days: int = 3) -> Standing:
    """One partition, loaded so many days ago in 12 s, from 30 bytes a row."""
    loaded = NOW - dt.timedelta(days=days)
    said = Said(
        *(1, "landing", "loaded", rows * 30, rows, 3 if state == "quarantined" else 0, rows, "1-a", 1, None),
        *(loaded - dt.timedelta(seconds=12), loaded),
    )
    return Standing(name, partition, state, WHY[state], None if state == "missing" else said)


def periods(grain: Grain, first: str, last: str) -> list[Partition]:
    return list(Partition.parse(grain, first).through(Partition.parse(grain, last)))


def five_years_of_ten_contracts() -> Board:
    """Some 4,400 partitions, of which a few are of each state."""
    chance, found = random.Random(7), {}
    for name, (grain, first, last) in TEN.items():
        share = 0.001 if grain in ("hour", "day") else 0.02
        weights = [share, share, 1.5 * share, 2.5 * share, 1 - 6 * share]
        found[name] = (
            grain,
            [
                standing(
                    *(name, each, chance.choices(list(WHY), weights)[0]),
                    rows=max(int(chance.gauss(100, 20) * 1000), 0),
                    days=chance.randrange(90),
                )
                for each in periods(grain, first, last)
            ],
        )
    return Board.of("prod", NOW, found)


def seven_weeks() -> Board:
    """Hours and days, short enough for each day to have a cell."""
    seventh = dt.datetime(2026, 10, 7)
    hours, days = periods("hour", "2026-10-05T00", "2026-10-19T04"), periods("day", "2026-10-05", "2026-11-22")
    gone = [each for each in hours if each.start and each.start.date() == seventh.date() and each.start.hour < 12]
    return Board.of(
        "dev",
        NOW,
        {
            "sensors": ("hour", [standing("sensors", each, "missing" if each in gone else "landed") for each in hours]),
            "tides": (
                "day",
                [standing("tides", each, "stale" if each.start == seventh else "landed") for each in days],
            ),
        },
    )


def small() -> Board:
    """Each kind of period and each state, small enough to be written down."""
    months = periods("month", "2024-11", "2025-04")
    states: list[State] = ["landed", "quarantined", "landed", "stale", "failed", "missing"]
    days = periods("day", "2025-01-29", "2025-02-02")
    return Board.of(
        "dev",
        NOW,
        {
            "airlines": ("none", [standing("airlines", Partition("none", None), rows=16)]),
            "counts": ("year", [standing("counts", each, rows=7) for each in periods("year", "2019", "2020")]),
            "flights": (
                "month",
                [standing("flights", each, state) for each, state in zip(months, states, strict=True)],
            ),
            "sensors": (
                "day",
                [standing("sensors", each, "missing" if each == days[1] else "landed") for each in days],
            ),
            "tides": ("month", []),
            "zones": ("none", [standing("zones", Partition("none", None), "quarantined")]),
        },
    )
