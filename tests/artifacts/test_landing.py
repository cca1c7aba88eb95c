"""What a landing leaves in Prefect's UI: rows that add up, links that lead somewhere, and nobody else's markup."""

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from flows.artifacts import landing
from flows.artifacts.artifact import SHOWN, Artifact, key, literal, table
from flows.etl.destination import Destination
from flows.etl.landing_log import Claim
from flows.etl.load import Loaded
from flows.etl.recheck import Rechecked
from flows.report import Report
from flows.tasks import Done

GOOGLES = "https://bigquery.googleapis.com/bigquery/v2/projects/acme/datasets/landfall_dev"
DATASET = {"project": "acme", "dataset_id": "landfall_dev", "location": "europe-west4"}


def destination(self_link: str | None) -> Destination:
    return Destination(
        cast(Any, SimpleNamespace(name="acme-lake")),
        cast(Any, None),
        cast(Any, SimpleNamespace(**DATASET, self_link=self_link)),
    )


def done(partition: str, source: int, bad: int = 0) -> Done:
    lake = f"gs://acme-lake/lake/flights/{partition}/0a.parquet"
    claim = Claim(
        *("flights", partition, 0, "landing", "http://127.0.0.1/f", None, None, 100, "ab", source, bad),
        *(lake, 1, "crc", source - bad, "1-ab", 1, None, 7, "2021-01-01T00:00:00+00:00"),
    )
    return Done(claim, Loaded(claim, f"job-{partition}", 0, source - bad, "2021-01-01T00:00:01+00:00"), 0.54)


MIXED = Report(
    "flights",
    "landed",
    [done("2013-01", 7, bad=2), replace(done("2013-04", 3), warnings=("few", "old"))],
    ["2013-03"],
    {"2013-02": "http://127.0.0.1/g: found a `|` and <b>, expected none"},
    [Rechecked("2013-03", ())],
)


def summary(report: Report, where: Destination | None) -> str:
    return str(next(each for each in landing.artifacts(report, where) if each.kind == "markdown").data)


def test_the_table_has_a_row_for_each_partition_in_order_with_the_counts_or_the_reason() -> None:
    names = ["partition", "status", "source rows", "quarantined rows", "lake rows", "warehouse rows", "job id"]
    names += ["seconds", "remark"]
    assert [tuple(row[name] for name in names) for row in landing.records(MIXED)] == [
        ("2013-01", "landed", 7, 2, 5, 5, "job-2013-01", 0.5, ""),
        ("2013-02", "failed", *[None] * 6, "http://127.0.0.1/g: found a `|` and <b>, expected none"),
        ("2013-03", "re-checked", *[None] * 6, ""),
        ("2013-04", "landed", 3, 0, 3, 3, "job-2013-04", 0.5, "few; old"),
    ]


def test_a_run_leaves_a_table_a_summary_and_a_chart_and_without_rows_no_chart() -> None:
    assert [each.about for each in landing.artifacts(MIXED, None)] == ["rows", "summary", "chart"]
    nothing = Report("flights", "landed", [], ["2013-01"])
    assert landing.artifacts(nothing, None) == [
        Artifact("rows", "table", landing.records(nothing), "1 partition up to date"),
        Artifact("summary", "markdown", "## flights\n\n**1 partition up to date**\n", "1 partition up to date"),
    ]


def test_on_google_cloud_object_table_and_job_are_links_to_the_console() -> None:
    links = dict(re.findall(r"\[`([^`]*)`\]\(([^)]*)\)", summary(MIXED, destination(GOOGLES))))
    console = "https://console.cloud.google.com"
    assert {name: links[name] for name in ("acme.landfall_dev.flights", "job-2013-01")} == {
        "acme.landfall_dev.flights": (f"{console}/bigquery?project=acme&p=acme&d=landfall_dev&t=flights&page=table"),
        "job-2013-01": f"{console}/bigquery?project=acme&j=bq:europe-west4:job-2013-01&page=queryresults",
    }
    assert links["lake/flights/2013-01/0a.parquet"] == (
        f"{console}/storage/browser/_details/acme-lake/lake/flights/2013-01/0a.parquet?project=acme"
    )


def test_where_google_serves_nothing_there_is_no_link_and_the_summary_says_so() -> None:
    for link in (None, "http://127.0.0.1:9/bigquery/v2/x", "https://bigquery.googleapis.com.example.org/"):
        said = summary(MIXED, destination(link))
        assert "](http" not in said
        assert "are not Google's" in said
        assert "- **2013-01**: 5 rows in `lake/flights/2013-01/0a.parquet` by `job-2013-01`" in said


def test_a_summary_names_what_failed_and_what_is_warned_of_as_it_was_said_and_not_as_markup() -> None:
    said = summary(MIXED, None).splitlines()
    assert "- **2013-02**: `http://127.0.0.1/g: found a '\\|' and <b>, expected none`" in said
    assert "- **2013-04**: `few; old`" in said
    assert literal("a\nb`\x1b[2J") == r"`a b'\x1b[2J`"


def test_a_claimed_partition_has_an_object_and_no_table_and_no_job() -> None:
    said = summary(Report("flights", "claimed", [replace(done("2013-01", 7), loaded=None)], []), destination(GOOGLES))
    assert "Table " not in said
    assert "_details/acme-lake/lake/flights/2013-01/0a.parquet?project=acme)\n" in said


def test_a_landing_elsewhere_than_in_bigquery_has_no_object_no_job_and_all_its_rows() -> None:
    rows, said, chart = landing.artifacts(MIXED, None)
    assert len(rows.data) == 4
    assert "Where it is" not in str(said.data)
    assert str(chart.data).startswith("data:image/svg+xml")


def test_years_of_hours_leave_artifacts_of_a_size_that_a_page_shows() -> None:
    long = Report("flights", "landed", [done(f"2013-01-01T{hour:05}", 7) for hour in range(9000)], [])
    rows, said, chart = landing.artifacts(long, destination(GOOGLES))
    assert (len(rows.data), rows.data[-1]["partition"]) == (SHOWN, "2013-01-01T08999")  # type: ignore[index]
    assert rows.description.endswith("The last 500 rows of 9000.")
    assert len(said.data) + len(chart.data) < 150_000


def test_keys_are_what_prefect_takes_and_tell_environments_contracts_and_kinds_apart() -> None:
    assert key("dev-2", "yellow_trips", "rows") == "landfall-dev-2-yellow-trips-rows"
    made = {key("dev", contract, about) for contract in ("x", "x_rows") for about in ("rows", "chart")}
    assert len(made) == 4


def test_a_table_of_nothing_is_one() -> None:
    assert table([], "nothing") == Artifact("rows", "table", [], "nothing")
