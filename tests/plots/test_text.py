"""The grid in a terminal, as a whole."""

import io

from rich.console import Console

from flows.etl.partition import Partition
from flows.plots.board import Board
from flows.plots.text import LISTED, draw
from tests.plots.generated import NOW, five_years_of_ten_contracts, periods, seven_weeks, small, standing


def shown(board: Board, *, ascii_only: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    console.print(draw(board, ascii_only=ascii_only), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_grid_shows_each_kind_of_period_and_each_state() -> None:
    assert shown(small()) == [
        "dev, 2026-11-24 02:40 UTC",
        "",
        "airlines  snapshot, 1 landed",
        " all   ●                                                   16   480 B    3 d ago",
        "",
        "counts  yearly, 2 landed",
        "       0   1   2   3   4   5   6   7   8   9             rows   bytes  last load",
        " 2010s                                     ●                7   210 B    3 d ago",
        " 2020s ●                                                    7   210 B    3 d ago",
        "",
        "flights  monthly, 2 landed, 1 quarantined, 1 stale, 1 missing, 1 failed",
        "       Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec   rows   bytes  last load",
        " 2024                                          ●   ◐     2.0k   60 kB    3 d ago",
        " 2025  ●   ~   ✗   ·                                     3.0k   90 kB    3 d ago",
        "",
        "sensors  daily, 4 landed, 1 missing",
        " 2025  ·1  ●2                                            4.0k  120 kB    3 d ago",
        "",
        "tides  monthly, none published yet",
        "",
        "zones  snapshot, 1 quarantined",
        " all   ◐                                                 1.0k   30 kB    3 d ago",
        "",
        "● landed   ◐ quarantined   ~ stale   · missing   ✗ failed",
        "a cell with a number: the worst state of its days or hours, and how many are in it",
        "flights 2025-02: stale, read by revision 1 of the contract, which is at 2",
        "flights 2025-03: failed, BigQuery refused claim 1",
        "flights 2025-04: missing, never claimed",
        "sensors 2025-01-30: missing, never claimed",
    ]


def test_days_of_two_months_have_cells_of_their_own_and_a_line_for_each_week() -> None:
    assert shown(seven_weeks())[2:10] == [
        "sensors  hourly, 329 landed, 12 missing",
        "       Mon Tue Wed Thu Fri Sat Sun                       rows   bytes  last load",
        " 10-05 ●24 ●24 ·12 ●24 ●24 ●24 ●24                       156k  4.7 MB    3 d ago",
        " 10-12 ●24 ●24 ●24 ●24 ●24 ●24 ●24                       168k  5.0 MB    3 d ago",
        " 10-19 ●5                                                5.0k  150 kB    3 d ago",
        "",
        "tides  daily, 48 landed, 1 stale",
        " 10-05 ●   ●   ~   ●   ●   ●   ●                         7.0k  210 kB    3 d ago",
    ]


def test_five_years_of_ten_contracts_fit_into_80_columns_and_two_screens() -> None:
    lines = shown(five_years_of_ten_contracts())
    grid = lines[: next(number for number, line in enumerate(lines) if line.startswith("● landed"))]
    assert max(map(len, grid)) == 80
    assert len(grid) < 85
    assert lines[-1].endswith(" more reasons: --json has all")


def test_neighbours_with_the_same_reason_are_one_line() -> None:
    found = [standing("trips", each, "missing") for each in periods("month", "2024-01", "2024-06")]
    lines = shown(Board.of("dev", NOW, {"trips": ("month", found)}))
    assert lines[-1] == "trips 2024-01 to 2024-06, 6: missing, never claimed"


def test_more_reasons_than_anyone_reads_are_counted() -> None:
    two = ["failed", "missing"] * 15
    found = [
        standing("trips", each, state)  # type: ignore[arg-type]
        for each, state in zip(periods("month", "2024-01", "2026-06"), two, strict=True)
    ]
    lines = shown(Board.of("dev", NOW, {"trips": ("month", found)}))
    assert sum(": failed" in line or ": missing" in line for line in lines) == LISTED == 20
    assert lines[-1] == "... and 10 more reasons: --json has all"


def test_a_terminal_that_writes_ascii_alone_tells_states_apart() -> None:
    lines = shown(small(), ascii_only=True)
    assert lines[12:14] == [
        " 2024                                          #   q     2.0k   60 kB    3 d ago",
        " 2025  #   ~   x   .                                     3.0k   90 kB    3 d ago",
    ]
    assert all(line.isascii() for line in lines)


def test_a_name_gives_the_terminal_no_orders() -> None:
    name = "[red]trips[/]\x1b[2J"
    lines = shown(Board.of("dev", NOW, {name: ("none", [standing(name, Partition("none", None), "stale")])}))
    assert lines[2] == "[red]trips[/]\\x1b[2J  snapshot, 1 stale"
    assert lines[-1].startswith("[red]trips[/]\\x1b[2J all: stale")
