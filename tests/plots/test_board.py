"""What is drawn, and numbers as people read them."""

import datetime as dt

import pytest

from flows.etl.partition import Grain, Partition
from flows.plots.board import Board, Strip
from flows.plots.words import lasting, many, moment, size
from tests.plots.generated import NOW, periods, small, standing

SNAPSHOT = Partition("none", None)


def test_a_board_says_what_it_holds_in_one_line() -> None:
    assert small().line == "15 partitions: 9 landed, 2 quarantined, 1 stale, 2 missing, 1 failed"
    assert Board.of("dev", NOW, {}).line == "no partitions"


def test_only_what_has_something_and_needs_nobody_is_in_order() -> None:
    def board(*states: str) -> Board:
        months = periods("month", "2024-01", "2024-12")
        found = [standing("trips", each, state) for each, state in zip(months, states, strict=False)]  # type: ignore[arg-type]
        return Board.of("dev", NOW, {"trips": ("month", found)})

    assert [board("landed", "quarantined").is_in_order, board().is_in_order] == [True, True]
    assert not any(board("landed", state).is_in_order for state in ("stale", "missing", "failed"))
    assert not Board.of("dev", NOW, {}).is_in_order


def test_a_strip_sums_what_is_in_the_table_and_counts_what_is_behind() -> None:
    months = periods("month", "2024-01", "2024-06")
    found = [standing("trips", each, rows=10 * number, days=number) for number, each in enumerate(months[:4], 1)]
    strip = Strip.of("trips", "month", [*found, *(standing("trips", each, "missing") for each in months[4:])])
    assert (strip.rows, strip.source_bytes, strip.seconds) == (100, 3000, 12)
    assert (strip.through, strip.behind, strip.loaded_at) == (months[3], 2, NOW - dt.timedelta(days=1))


def test_a_strip_of_nothing_has_no_sums() -> None:
    strip = Strip.of("trips", "none", [standing("trips", Partition("none", None), "missing")])
    assert (strip.rows, strip.seconds, strip.through, strip.behind, strip.loaded_at) == (0, None, None, 1, None)


def test_days_and_hours_share_their_months_cell_and_the_worst_is_its_state() -> None:
    hours = periods("hour", "2024-01-31T22", "2024-02-01T01")
    found = [standing("trips", each, "failed" if each == hours[1] else "landed") for each in hours]
    strip = Strip.of("trips", "hour", found)
    assert [(str(cell.period), cell.state, cell.counts, cell.rows) for cell in strip.cells] == [
        ("2024-01", "failed", {"failed": 1, "landed": 1}, 2000),
        ("2024-02", "landed", {"landed": 2}, 2000),
    ]


@pytest.mark.parametrize(
    ("grain", "first", "last", "is_close"),
    [
        ("day", "2024-01-01", "2024-03-02", True),
        ("day", "2024-01-01", "2024-03-03", False),
        ("hour", "2024-01-01T00", "2024-03-02T23", True),
        ("hour", "2024-01-01T00", "2024-03-03T00", False),
        ("month", "2024-01", "2024-01", False),
    ],
)
def test_days_have_cells_if_all_lie_within_62_days(grain: Grain, first: str, last: str, *, is_close: bool) -> None:
    found = [standing("trips", each) for each in periods(grain, first, last)]
    board = Board.of("dev", NOW, {"trips": (grain, found), "zones": ("none", [standing("zones", SNAPSHOT)])})
    (cells, _) = (strip.cells for strip in board.strips)
    assert (board.is_close, str(cells[0].period)) == (is_close, first[:10] if is_close else first[:7])


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (9949, "9.9k"), (9951, "10k"), (336776, "337k"), (999_600, "1.0M")],
)
def test_counts_are_short(count: int, expected: str) -> None:
    assert many(count) == expected


@pytest.mark.parametrize(("count", "expected"), [(0, "0 B"), (999, "999 B"), (8_300_000, "8.3 MB"), (2e15, "2.0 PB")])
def test_sizes_have_a_unit(count: int, expected: str) -> None:
    assert size(count) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *((-1, "0.0 s"), (0.44, "0.4 s"), (9.96, "10 s"), (99, "99 s"), (100, "2 min"), (99 * 60, "99 min")),
        *((100 * 60, "2 h"), (47 * 3600, "47 h"), (48 * 3600, "2 d"), (400 * 86400, "400 d")),
    ],
)
def test_durations_are_short(seconds: float, expected: str) -> None:
    assert lasting(seconds) == expected


def test_a_moment_is_in_utc() -> None:
    assert moment(dt.datetime(2026, 1, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))) == "2025-12-31 23:30 UTC"
