"""How partitions stand on the local cloud, from landings that really were: in a table, as JSON, by exit code."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import status as benchmark
from flows.etl import claims, contract, lake, ledger, load, plan, status
from flows.etl.contract import Contract
from flows.etl.destination import open_destination
from flows.etl.errors import WarehouseRefused
from flows.etl.lake_object import LakeObject
from flows.etl.plan import Order
from flows.etl.status import Span
from flows.settings import CONTRACTS
from tests.end_to_end.place import Place, clients
from tests.end_to_end.without_runs import land, order_of
from tests.proxy import Proxy

FLIGHTS = contract.read(CONTRACTS, "flights")
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def agreed(folder: Path, *, revision: int = 1, more: str = "") -> Contract:
    """Give the contract of flights with a quarantine, and whatever more."""
    text = (CONTRACTS / "flights.toml").read_text().replace("revision = 1", f"revision = {revision}")
    (folder / "flights.toml").write_text(f"{text}[quarantine]\nmax_rows = 2\n{more}")
    return contract.read(folder, "flights")


def refuse(place: Place, agreed: Contract, month: str, rows: list[str]) -> None:
    """Let BigQuery refuse a claim: its object is no Parquet."""
    place.publish(month, rows)
    (landing,) = plan.from_web(place.destination, order_of(place, agreed, month)).due
    upload = lake.bring(landing.bucket, landing.source)
    blob = landing.bucket.blob(f"lake/flights/{month}/broken.parquet")
    blob.upload_from_string(b"no Parquet", checksum="crc32c")
    broken = LakeObject(f"gs://{place.bucket}/{blob.name}", int(blob.generation), blob.crc32c)
    claims.claim(landing, dataclasses.replace(upload, lake_object=broken))
    with pytest.raises(WarehouseRefused):
        ledger.record(landing.destination, load.finish(landing))


def states(place: Place, agreed: Contract, span: Span = status.ALWAYS) -> dict[str, tuple[str, str, int | None]]:
    found = status.read(place.destination, [agreed], NOW, span)["flights"]
    return {
        str(each.partition): (each.state, each.why, each.held.warehouse_rows if each.held else None) for each in found
    }


def test_each_state_is_read_from_landings_that_were(place: Place, january: list[str], tmp_path: Path) -> None:
    old = agreed(tmp_path, more="[drift]\nmissing_column = 'null'\n")
    new = agreed(tmp_path, revision=2)
    place.publish("2013-04", january[:5])
    land(place, old, "2013-04")
    place.publish("2013-01", january[:3])
    land(place, new, "2013-01")
    place.publish("2013-02", [*january[:4], "not a flight"])
    land(place, new, "2013-02")
    place.publish("2013-03", january[:6])
    land(place, new, "2013-03")
    refuse(place, new, "2013-03", january[:7])
    refuse(place, new, "2013-05", january[:7])
    place.publish("2013-06", january[:8])
    land(place, new, "2013-06", loaded=False)
    assert states(place, new) == {
        "2013-01": ("landed", "", 3),
        "2013-02": ("quarantined", "1 of 5 rows put aside", 4),
        "2013-03": ("failed", "BigQuery refused claim 1", 6),
        "2013-04": ("stale", "read by revision 1 of the contract, which is at 2", 5),
        "2013-05": ("failed", "BigQuery refused claim 0", None),
        "2013-06": ("failed", "claim 0 is not loaded: its run ended before, or is at work", None),
        **{f"2013-{month:02}": ("missing", "never claimed", None) for month in range(7, 13)},
    }
    assert list(states(place, new, Span.read("2013-02", "2013-03"))) == ["2013-02", "2013-03"]

    checked = agreed(tmp_path, revision=2, more="[[checks]]\ncheck = 'row_count'\nmin = 1\n")
    assert states(place, checked)["2013-01"] == ("stale", "not held against the contract's present checks", 3)
    place.bigquery.delete_table(f"{place.dataset}.flights")
    assert states(place, new)["2013-01"] == ("missing", "the table was dropped after it was loaded", None)


def test_before_anything_has_landed_everything_is_missing(place: Place) -> None:
    expected = {f"2013-{month:02}": ("missing", "never claimed", None) for month in range(1, 13)}
    assert states(place, FLIGHTS) == expected
    place.publish("2013-01", [])
    early = dt.datetime(2013, 1, 15, tzinfo=dt.UTC)
    assert status.read(place.destination, [FLIGHTS], early)["flights"] == []  # no month is over


def test_a_period_that_landed_before_it_was_over_is_shown(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:3])
    land(place, FLIGHTS, "2013-01")
    early = dt.datetime(2013, 1, 15, tzinfo=dt.UTC)
    found = status.read(place.destination, [FLIGHTS], early)["flights"]
    assert [(str(each.partition), each.state) for each in found] == [("2013-01", "landed")]


def test_the_command_shows_the_grid_rows_for_programs_and_files(
    place: Place, january: list[str], tmp_path: Path
) -> None:
    def run(*arguments: str) -> Any:
        return place.run("status", *arguments, flow="landfall", COLUMNS="80")

    nothing = run()
    assert (nothing.code, nothing.last_line) == (1, "no partitions"), nothing.text
    for month in ("2013-01", "2013-02"):
        place.publish(month, january[:3])
        land(place, FLIGHTS, month)
    html, png = tmp_path / "status.html", tmp_path / "status.png"
    all_months = run("--html", str(html), "--png", str(png))
    lines = all_months.text.splitlines()
    assert (all_months.code, lines[-3:]) == (
        1,
        ["12 partitions: 2 landed, 10 missing", f"wrote {html}", f"wrote {png}"],
    ), all_months.text
    assert lines[2:4] == [
        "flights  monthly, 2 landed, 10 missing",
        "       Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec   rows   bytes  last load",
    ]
    assert lines[4].startswith(" 2013  ●   ●   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·        6 ")
    assert lines[7] == "flights 2013-03 to 2013-12, 10: missing, never claimed"
    assert lines[8].startswith("nothing has ever landed here of airlines, airports, fhv_trips, ")
    assert (html.read_bytes()[:15], png.read_bytes()[:4]) == (b"<!DOCTYPE html>", b"\x89PNG")

    both = run("flights", "--to", "2013-02", "--json")
    rows = [json.loads(line) for line in both.text.splitlines()]
    assert (both.code, [(row["partition"], row["state"], row["warehouse_rows"]) for row in rows]) == (
        0,
        [("2013-01", "landed", 3), ("2013-02", "landed", 3)],
    )
    assert dt.datetime.fromisoformat(rows[0]["claimed_at"]) < dt.datetime.fromisoformat(rows[0]["loaded_at"])

    wrong = run("flights", "--from", "2013-1")
    assert (wrong.code, wrong.text) == (
        2,
        (
            "status: found the period '2013-1', expected a year, month, day or hour: 2021, 2021-01, 2021-01-31,"
            " 2021-01-31T07\n"
        ),
    )


@pytest.fixture
def watched(place: Place, cloud: dict[str, str]) -> Iterator[tuple[Any, Proxy, Proxy]]:
    """The place's destination, past a proxy before storage and one before BigQuery."""
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as storage, Proxy(cloud["BIGQUERY_EMULATOR_HOST"]) as warehouse:
        addresses = {**cloud, "STORAGE_EMULATOR_HOST": storage.url, "BIGQUERY_EMULATOR_HOST": warehouse.url}
        lake_client, warehouse_client = clients(addresses)
        destination = open_destination(lake_client.bucket(place.bucket), warehouse_client, place.dataset, place.name)
        storage.seen.clear()
        warehouse.seen.clear()
        yield destination, storage, warehouse


def test_ten_thousand_partitions_are_one_query_to_show_and_one_to_plan(
    place: Place, watched: tuple[Any, Proxy, Proxy], tmp_path: Path
) -> None:
    destination, storage, warehouse = watched
    agreed = benchmark.agreements(tmp_path)
    benchmark.fill_ledger(place.destination, agreed)
    found = status.read(destination, agreed, benchmark.NOW)
    assert {name: len(each) for name, each in found.items()} == dict.fromkeys(benchmark.NAMES, 1000)
    # all rows came: of a log that was never written, all 10,000 are missed
    assert {each.why for name in found for each in found[name]} == {"the log has lost claim 1; reconcile"}
    sent = [(asked.method, asked.path.split("?")[0].rpartition("/")[2]) for asked in warehouse.seen]
    assert [name for method, name in sent if method == "POST"] == ["jobs"]
    assert len(sent) < 25, sent  # the query, its answer's pages, and a look at each of ten tables
    assert len(storage.seen) == 10

    warehouse.seen.clear()
    storage.seen.clear()
    orders = [Order(each, each.periods(None, None, benchmark.NOW), None, None, None) for each in agreed]
    planned = plan._settled(destination, orders)  # noqa: SLF001 - what a survey does before it asks the publishers
    assert [[landing.settled for landing in each.landings()] for each in planned] == [[1] * 1000] * 10
    sent = [(asked.method, asked.path.split("?")[0].rpartition("/")[2]) for asked in warehouse.seen]
    assert [name for method, name in sent if method == "POST"] == ["jobs"]
    assert (len(sent) < 25, len(storage.seen)) == (True, 10), sent
