"""A run's promise to who started it: rows landed once, said in one line, and nothing done twice."""

import datetime as dt
import gzip
import time
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.end_to_end.place import HEADER, Place, content
from tests.end_to_end.runner import Run
from tests.prefect_api import prefect_api

CONTRACTS = Path(__file__).parents[2] / "flows" / "contracts"
TODAY = dt.datetime.now(dt.UTC).date()
YESTERDAY = TODAY - dt.timedelta(days=1)


def test_a_month_lands_with_every_row_and_a_second_run_writes_nothing(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january)
    first = place.run("flights", "2013-01")
    assert first.last_line == "1 partition landed: 3000 source rows = 3000 loaded + 0 quarantined", first.text
    assert first.code == 0
    assert place.landed() == content(january)
    lake, log = place.objects("lake/"), place.objects("log/")

    place.publisher.requests.clear()
    second = place.run("flights", "2013-01")
    assert (second.last_line, second.code) == ("1 partition up to date", 0)
    assert place.publisher.requests == [("HEAD", "/flights/flights_2013-01.csv.gz")]
    assert (place.objects("lake/"), place.objects("log/")) == (lake, log)
    assert len(place.jobs()) == 1
    assert place.ask("SELECT COUNT(*) FROM {landings}") == [(1,)]


def test_one_bad_partition_does_not_stop_the_others(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:100])
    place.publish("2013-03", january[:200])
    run = place.run("flights", "2013-01", "2013-03")
    assert run.code == 1
    assert run.last_line == "2 partitions landed, 1 failed: 300 source rows = 300 loaded + 0 quarantined"
    assert "found 404 Not Found, expected 200" in run.text
    assert place.ask("SELECT file_month, COUNT(*) FROM {flights} GROUP BY 1 ORDER BY 1") != []

    place.publish("2013-02", january[:50])
    mended = place.run("flights", "2013-01", "2013-03")
    assert mended.code == 0
    assert mended.last_line == "1 partition landed, 2 up to date: 50 source rows = 50 loaded + 0 quarantined"


def test_the_table_follows_the_publisher_from_a_to_b_and_back_to_a(place: Place, january: list[str]) -> None:
    a, b = january[:500], january[400:1200]
    for number, rows in enumerate((a, b, a)):
        place.publish("2013-01", rows)
        assert place.run("flights", "2013-01").code == 0
        assert place.landed() == content(rows)
        assert [claim["n"] for claim in place.claims()] == list(range(number + 1))
    assert place.ask("SELECT n, status FROM {landings} ORDER BY n") == [(0, "loaded"), (1, "loaded"), (2, "loaded")]
    assert place.ask("SELECT n FROM {landings_current}") == [(2,)]
    assert len(place.objects("lake/")) == 1
    assert len(place.objects("superseded/")) == 2


def test_the_two_halves_land_what_the_whole_way_lands(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january)
    claimed = place.run("flights", "2013-01", flow="web_to_gcs")
    assert (claimed.code, claimed.last_line) == (
        0,
        "1 partition claimed: 3000 source rows = 3000 in the lake + 0 quarantined",
    )
    assert place.tables() == set()
    loaded = place.run("flights", "2013-01", flow="gcs_to_bigquery")
    assert (loaded.code, loaded.last_line) == (0, "1 partition landed: 3000 source rows = 3000 loaded + 0 quarantined")
    assert place.landed() == content(january)
    assert place.run("flights", "2013-01").last_line == "1 partition up to date"


def test_another_source_stands_until_the_publisher_changes_its_own(place: Place, january: list[str]) -> None:
    wrong, corrected, republished = january[:10], january[:12], january[:14]
    place.publish("2013-01", wrong)
    assert place.run("flights", "2013-01").code == 0
    place.publish("2013-01", corrected, contract="corrected")
    source = f"{place.publisher.url}/corrected/corrected_2013-01.csv.gz"
    assert place.run("flights", "2013-01", "--source", source).code == 0
    assert place.landed() == content(corrected)
    assert place.run("flights", "2013-01").last_line == "1 partition up to date"
    place.publish("2013-01", republished)
    assert place.run("flights", "2013-01").code == 0
    assert place.landed() == content(republished)


def test_new_validators_for_the_same_content_are_remembered(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:10])
    assert place.run("flights", "2013-01").code == 0
    place.publisher.files["/flights/flights_2013-01.csv.gz"].headers["ETag"] = '"another"'
    assert place.run("flights", "2013-01").last_line == (
        "1 partition landed: 10 source rows = 10 loaded + 0 quarantined"
    )
    assert [claim["n"] for claim in place.claims()] == [0]
    assert len(place.jobs()) == 1
    place.publisher.requests.clear()
    assert place.run("flights", "2013-01").last_line == "1 partition up to date"
    assert place.publisher.asked("GET") == []


def test_a_snapshot_replaces_the_whole_table(place: Place) -> None:
    for names in (["AA,American", "UA,United"], ["AA,American Airlines"]):
        place.publisher.serve("/airlines.csv", "\n".join(["carrier,name", *names, ""]).encode())
        assert place.run("airlines").code == 0
        assert place.ask("SELECT * FROM {airlines} ORDER BY 1") == [tuple(name.split(",")) for name in names]


@pytest.mark.parametrize(
    ("grain", "first", "second", "column", "expires"),
    [
        # a partition that is older than its expiry is gone
        ("hour", f"{YESTERDAY}T23", f"{TODAY}T00", "file_hour", 30),
        ("day", "2021-01-31", "2021-02-01", "file_date", None),
        ("year", "2020", "2021", "file_year", None),
    ],
    ids=["hour", "day", "year"],
)
def test_a_partition_of_any_grain_is_replaced_by_itself(
    place: Place, tmp_path: Path, grain: str, first: str, second: str, column: str, expires: int | None
) -> None:
    address = {"hour": "{yyyy}-{mm}-{dd}T{hh}", "day": "{yyyy}-{mm}-{dd}", "year": "{yyyy}"}[grain]
    (tmp_path / "ticks.toml").write_text(
        f"""
        revision = 1
        description = "Ticks"
        owner = "data-team"
        source = "{{publisher}}/ticks_{address}.csv"
        format = "csv"
        partition = "{grain}"
        first_partition = "{first}"
        {f"expires_after_days = {expires}" if expires else ""}
        columns = [{{ name = "n", type = "INT64" }}]
        """
    )

    def land(*rows: int) -> None:
        place.publisher.serve(f"/ticks_{second}.csv", "\n".join(["n", *map(str, rows)]).encode())
        run = place.run(
            *("ticks", first, second),
            plant="tests.end_to_end.plants:other_contracts",
            OTHER_CONTRACTS=str(tmp_path),
        )
        assert run.code == 0, run.text

    place.publisher.serve(f"/ticks_{first}.csv", b"n\n1\n2\n")
    land(3)
    land(4, 5)
    rows = place.ask(f"SELECT {column}, n FROM {{ticks}} ORDER BY n")
    assert [n for _, n in rows] == [1, 2, 4, 5]
    assert [str(period).replace(" ", "T").startswith((first, second)) for period, _ in rows] == [True] * 4
    partitioning = place.bigquery.get_table(f"{place.dataset}.ticks").time_partitioning
    assert (partitioning.type_, partitioning.field) == (grain.upper(), column)
    assert partitioning.expiration_ms == (expires * 86_400_000 if expires else None)


def test_what_landed_in_a_table_that_was_dropped_lands_again(place: Place, january: list[str]) -> None:
    for month in ("2013-01", "2013-02"):
        place.publish(month, january[:20])
    assert place.run("flights", "2013-01", "2013-02").code == 0
    place.bigquery.delete_table(f"{place.dataset}.flights")
    assert place.run("flights", "2013-01").code == 0
    assert place.landed("2013-01") == content(january[:20])
    # the other month's rows went with the table: what was loaded before it was made does not count
    again = place.run("flights", "2013-01", "2013-02")
    assert again.last_line == "1 partition landed, 1 up to date: 20 source rows = 20 loaded + 0 quarantined"
    assert place.landed("2013-02") == content(january[:20])
    assert [claim["kind"] for claim in place.claims("2013-02")] == ["landing", "repair"]


def test_tables_are_made_from_the_contract(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:5])
    assert place.run("flights", "2013-01").code == 0
    table = place.bigquery.get_table(f"{place.dataset}.flights")
    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("MONTH", "file_month")
    assert table.clustering_fields == ["carrier", "origin"]
    assert table.labels["contract"] == "flights"
    assert table.labels["contract_fingerprint"] == place.claims()[0]["contract_fingerprint"]
    assert "Bureau of Transportation Statistics" in table.description
    assert {field.name: field.description for field in table.schema}["distance"] == "Miles"
    assert {field.mode for field in table.schema} == {"NULLABLE"}


def test_what_the_work_logs_reaches_prefects_run_log(place: Place, january: list[str], cloud: dict[str, str]) -> None:
    place.publish("2013-01", january[:5])
    run = place.run("flights", "2013-01")
    run_id = run.text.partition("/runs/flow-run/")[2][:36]
    with prefect_api(cloud) as api:
        logs = run_log(api, run_id)
    assert any(line.startswith("flights 2013-01: 5 rows") for line in logs), logs


def run_log(api: SyncPrefectClient, run_id: str) -> list[str]:
    deadline = time.monotonic() + 10  # the client sends logs in batches
    while True:
        answer = api.request("POST", "/logs/filter", json={"logs": {"flow_run_id": {"any_": [run_id]}}})
        lines = [line["message"] for line in answer.json()]
        if any("rows" in line for line in lines) or time.monotonic() > deadline:
            return lines
        time.sleep(0.2)


def test_a_raised_revision_lands_again_and_an_older_one_refuses(
    place: Place, january: list[str], tmp_path: Path
) -> None:
    def run_with(text: str) -> Run:
        (tmp_path / "flights.toml").write_text(text)
        return place.run(
            "flights", "2013-01", plant="tests.end_to_end.plants:other_contracts", OTHER_CONTRACTS=str(tmp_path)
        )

    first = (CONTRACTS / "flights.toml").read_text()
    wider = first.replace("columns = [", 'columns = [\n    { name = "gate", type = "STRING" },', 1)
    for month in ("2013-01", "2013-02"):
        place.publish(month, january[:20])
        assert place.run("flights", month).code == 0

    body = "\n".join([f"{HEADER},gate", *(f"{row},B7" for row in january[:20])])
    place.publisher.serve("/flights/flights_2013-01.csv.gz", gzip.compress(body.encode()))
    unraised = run_with(wider)
    assert unraised.code == 1
    assert "expected a raised `revision` with each change of columns" in unraised.text
    assert len(place.claims()) == 1
    assert len(place.objects("lake/")) == 2

    raised = run_with(wider.replace("revision = 1", "revision = 2"))
    assert raised.code == 0, raised.text
    assert place.ask("SELECT file_month, gate, COUNT(*) FROM {flights} GROUP BY 1, 2 ORDER BY 1") == [
        (dt.date(2013, 1, 1), "B7", 20),
        (dt.date(2013, 2, 1), None, 20),
    ]

    place.publish("2013-01", january[:30])
    outdated = place.run("flights", "2013-01")
    assert outdated.code == 1
    assert "found claim 1 by revision 2 (converter 1), expected none newer than this code's revision 1" in outdated.text
    assert [claim["contract_revision"] for claim in place.claims()] == [1, 2]
    assert len(place.objects("lake/")) == 2
