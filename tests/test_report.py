import io
from dataclasses import replace

import pytest
from rich.console import Console

from flows.cli import quarantine
from flows.etl.landing_log import Claim
from flows.etl.load import Loaded
from flows.etl.quarantine_listing import PutAside
from flows.etl.recheck import Rechecked
from flows.report import NUMBERS, Report
from flows.tasks import Done


def done(partition: str, source: int, *, lake: int | None = None, table: int | None = None, bad: int = 0) -> Done:
    lake = source - bad if lake is None else lake
    claim = Claim(
        *("flights", partition, 0, "landing", "http://127.0.0.1/f", None, None, 100, "ab", source, bad),
        *("gs://lake/o", 1, "crc", lake, "1-ab", 1, None, 7, "2021-01-01T00:00:00+00:00"),
    )
    return Done(claim, Loaded(claim, "job", 0, lake if table is None else table, "2021-01-01T00:00:01+00:00"), 0.5)


def rechecked(partition: str, *warnings: str) -> Rechecked:
    return Rechecked(partition, warnings)


@pytest.mark.parametrize(
    ("report", "line", "holds"),
    [
        (
            Report("flights", "landed", [done(f"2013-{m:02}", 28064 + (m <= 8)) for m in range(1, 13)], []),
            "12 partitions landed: 336776 source rows = 336776 loaded + 0 quarantined",
            True,
        ),
        (Report("flights", "landed", [], ["2013-01"] * 12), "12 partitions up to date", True),
        (
            Report("flights", "landed", [done("2013-01", 7, bad=2)], ["2013-02", "2013-03"]),
            "1 partition landed, 2 up to date: 7 source rows = 5 loaded + 2 quarantined",
            True,
        ),
        (
            Report("flights", "landed", [done("2013-01", 7)], ["2013-02"], {"2013-03": "404"}),
            "1 partition landed, 1 failed, 1 up to date: 7 source rows = 7 loaded + 0 quarantined",
            False,
        ),
        (
            Report("flights", "claimed", [replace(done("2013-01", 7), loaded=None)], []),
            "1 partition claimed: 7 source rows = 7 in the lake + 0 quarantined",
            True,
        ),
        (
            Report("flights", "landed", [done("2013-01", 7, table=6)], []),
            "1 partition landed: 7 source rows != 6 loaded + 0 quarantined",
            False,
        ),
        (Report("flights", "landed", [], [], {"2013-03": "404"}), "1 partition failed", False),
        (
            Report("flights", "landed", [], ["2013-01"] * 12, rechecked=[rechecked("2013-01"), rechecked("2013-02")]),
            "12 partitions up to date, 2 re-checked",
            True,
        ),
        (
            Report(
                "flights",
                "landed",
                [replace(done("2013-01", 7), warnings=("few",))],
                ["2013-02"],
                {"2013-03": "check"},
                [rechecked("2013-02", "many", "more")],
            ),
            (
                "1 partition landed, 1 failed, 1 up to date, 1 re-checked, 2 with warnings:"
                " 7 source rows = 7 loaded + 0 quarantined"
            ),
            False,
        ),
    ],
)
def test_the_last_line_counts_partitions_and_holds_only_if_the_rows_do(
    report: Report, line: str, *, holds: bool
) -> None:
    assert (report.line, report.holds) == (line, holds)


def test_a_reason_is_shown_as_it_is_whatever_brackets_it_holds() -> None:
    report = Report("flights", "landed", [], [], {"2013-01": "[Errno 111] refused [/nothing] [red]"})
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(report.table())
    assert "failed: [Errno 111] refused [/nothing] [red]" in console.export_text()


def test_warnings_are_shown_beside_the_partition_that_they_are_about() -> None:
    landed = replace(done("2013-01", 7), warnings=("found [few]", "found many"))
    report = Report("flights", "landed", [landed], ["2013-02"], rechecked=[rechecked("2013-02", "found more")])
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(report.table())
    shown = [" ".join(line.replace("│", " ").split()) for line in console.export_text().splitlines()]
    assert shown[4:9] == [
        "2013-01 7 0 7 7 job 0.5",
        "warning: found [few]",
        "warning: found many",
        "2013-02 up to date, re-checked",
        "warning: found more",
    ]


def test_rows_put_aside_are_shown_as_they_are_and_a_terminal_does_not_obey_them() -> None:
    rows = [
        PutAside("2013-01", "http://127.0.0.1/f", 2, 3, "id", "found '[red]', expected INT64", "[red],\x1b[2J\t\nä"),
        PutAside("2013-02", "http://127.0.0.1/g", 7, None, None, "found 1 field, expected 2", ""),
    ]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(quarantine.table("flights", rows))
    shown = [" ".join(line.replace("│", " ").split()) for line in console.export_text().splitlines()]
    assert shown[4:6] == [
        r"2013-01 http://127.0.0.1/f 3 id found '[red]', expected INT64 [red],\x1b[2J\t\nä",
        "2013-02 http://127.0.0.1/g row 7 found 1 field, expected 2",
    ]


def test_rows_for_programs_say_of_each_partition_what_the_table_says() -> None:
    landed = replace(done("2013-02", 7, bad=2), warnings=("late",))
    report = Report("flights", "landed", [landed], ["2013-01"], {"2013-04": "404"}, [rechecked("2013-03", "few")])
    rows = report.rows()
    assert {(row["contract"], len(row)) for row in rows} == {("flights", 12)}
    assert [(row["partition"], row["status"], row["why"], row["warnings"]) for row in rows] == [
        ("2013-01", "up to date", None, ()),
        ("2013-02", "landed", None, ("late",)),
        ("2013-03", "re-checked", None, ("few",)),
        ("2013-04", "failed", "404", ()),
    ]
    assert {name: rows[1][name] for name in NUMBERS} == {
        "source_bytes": 100,
        "source_rows": 7,
        "quarantined_rows": 2,
        "lake_rows": 5,
        "warehouse_rows": 5,
        "job_id": "job",
        "seconds": 0.5,
    }
    assert {rows[0][name] for name in NUMBERS} == {None}
