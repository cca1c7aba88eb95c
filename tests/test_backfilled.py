"""What a backfill says of itself: its pace, its periods, and what became of each partition."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from flows.backfilled import Backfilled, Ended, Pace, Told, gather, periods
from flows.etl.contract import Column
from flows.etl.landing import Landing
from flows.etl.partition import Partition
from flows.etl.plan import Found
from tests.etl.agreed import contract_of

AGREED = contract_of(Column(name="id", type="INT64"))
NAME = AGREED.name


def found(month: str, why: str | None = "new", announced: int | None = None, *, unchecked: bool = False) -> Found:
    period = Partition.parse("month", month)
    landing = Landing(cast(Any, None), AGREED, period, "https://example.org/", None, -1, None)
    return Found(landing, why, announced, unchecked)


def months(*texts: str) -> list[Partition]:
    return [Partition.parse("month", text) for text in texts]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], ""),
        (["2020-01"], "2020-01"),
        (["2020-12", "2021-01", "2021-03"], "2020-12 to 2021-01, 2021-03"),
        (["2020-01", "2020-03", "2020-04", "2020-05"], "2020-01, 2020-03 to 2020-05"),
    ],
)
def test_periods_in_a_row_are_one_span(given: list[str], said: str) -> None:
    assert periods(months(*given)) == said


def test_a_snapshot_is_all() -> None:
    assert periods([Partition.parse("none", "all")]) == "all"


def pace(*work: Found) -> tuple[Pace, list[float]]:
    """A pace whose time is the list's last number."""
    now = [0.0]
    return Pace(work, lambda: now[-1]), now


def test_time_left_goes_by_bytes_where_all_are_announced_and_each_partition_costs_something_besides() -> None:
    measured, now = pace(found("2020-01", announced=9_000_000), found("2020-02", announced=19_000_000))
    assert measured.line == "0 of 2 partitions, 0 bytes of 28.0 MB, 0 bytes/s"
    now.append(10)
    measured.end(measured.work[0])
    assert measured.line == "1 of 2 partitions, 9.0 MB of 28.0 MB, 900.0 kB/s, 0:00:20 left"
    now.append(30)
    measured.end(measured.work[1])
    assert measured.line == "2 of 2 partitions, 28.0 MB of 28.0 MB, 933.3 kB/s"


def test_time_left_goes_by_partitions_where_a_length_is_missing() -> None:
    measured, now = pace(*(found(f"2020-0{month}", announced=None if month == 2 else 5) for month in range(1, 5)))
    now.append(60)
    measured.end(measured.work[0])
    assert measured.line == "1 of 4 partitions, 1.0 a minute, 0:03:00 left"


def landed(month: str, source: int = 5, loaded: int = 4, quarantined: int = 1) -> Ended:
    return Ended(NAME, month, "landed", None, 10, source, quarantined, loaded)


def test_everything_that_was_found_is_in_the_report_in_its_order() -> None:
    work = [
        found("2020-01"),
        found("2020-02", None),
        found("2020-03", None, unchecked=True),
        found("2020-04", "published anew"),
    ]

    def land(due: Sequence[Found], told: Told) -> list[Ended]:
        assert list(due) == [work[0], work[2], work[3]]
        ended = [landed("2020-04"), Ended(NAME, "2020-03", "re-checked"), landed("2020-01")]
        for each in ended:
            told.end(next(one for one in due if one.key == (each.contract, each.partition)), each)
        return ended

    report = gather(work, land, None)
    assert [(each.partition, each.status) for each in report.ended] == [
        ("2020-01", "landed"),
        ("2020-02", "up to date"),
        ("2020-03", "re-checked"),
        ("2020-04", "landed"),
    ]
    assert report.line == ("2 partitions landed, 1 up to date, 1 re-checked: 10 source rows = 8 loaded + 2 quarantined")


def test_one_that_failed_makes_the_run_fail_with_its_reason() -> None:
    ended = [landed("2020-01"), Ended(NAME, "2020-02", "failed", "no luck")]
    report = gather([found("2020-01"), found("2020-02")], lambda *_: ended, None)
    assert (report, report.holds) == (Backfilled(ended), False)
    assert str(report.failure()) == (
        f"1 partition landed, 1 failed: 5 source rows = 4 loaded + 1 quarantined; {NAME} 2020-02: no luck"
    )


def test_one_that_was_stopped_says_what_was_not_begun() -> None:
    def land(due: Sequence[Found], told: Told) -> list[Ended]:
        assert len(due) == 2
        told.stop("nothing is at work")
        return [landed("2020-01")]

    report = gather([found("2020-01"), found("2020-02")], land, None)
    assert str(report.failure()) == "stopped: 1 partition landed, 1 not begun: 5 source rows = 4 loaded + 1 quarantined"
    assert (report.stopped, report.holds) == (True, False)


@pytest.mark.parametrize(
    ("ended", "holds"),
    [
        ([], True),
        ([Ended(NAME, "2020-01", "up to date")], True),
        ([landed("2020-01")], True),
        ([landed("2020-01", source=6)], False),
        ([Ended(NAME, "2020-01", "at work")], False),
        ([Ended(NAME, "2020-01", "scheduled")], False),
        ([Ended(NAME, "2020-01", "not begun")], False),
    ],
)
def test_it_holds_only_if_every_partition_and_every_row_is_in_the_table(ended: list[Ended], holds: bool) -> None:
    assert Backfilled(ended).holds is holds
