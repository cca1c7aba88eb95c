"""Each divergence, made by hand: it alone is named, mended when asked, and then nothing is."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.etl import contract, ledger, load, plan
from flows.etl.contract import Contract
from flows.etl.destination import Destination, open_destination
from flows.etl.reconcile import twice
from flows.etl.reconcile.divergence import Divergence, compare
from flows.etl.reconcile.facts import gather
from flows.etl.reconcile.mend import BY_HAND, mend
from flows.etl.restore import restore
from flows.settings import CONTRACTS
from tests.end_to_end.place import Place, clients, content
from tests.end_to_end.without_runs import land, order_of
from tests.proxy import Fault, Proxy

FILE = "/flights/flights_2013-01.csv.gz"
OLD, NEW = slice(0, 20), slice(10, 40)


@pytest.fixture
def flights(tmp_path: Path) -> Contract:
    """The contract, with a quarantine."""
    text = (CONTRACTS / "flights.toml").read_text() + "[quarantine]\nmax_rows = 2\n"
    (tmp_path / "flights.toml").write_text(text)
    return contract.read(tmp_path, "flights")


def land_month(place: Place, flights: Contract, month: str, rows: list[str], *, loaded: bool = True) -> None:
    """Land a month with a row that is put aside."""
    place.publish(month, [*rows, "not a flight"])
    assert land(place, flights, month, loaded=loaded)


@pytest.fixture
def landed(place: Place, flights: Contract, january: list[str]) -> Place:
    land_month(place, flights, "2013-01", january[OLD])
    land_month(place, flights, "2013-01", january[NEW])
    assert found(place, flights) == []
    return place


def found(place: Place, flights: Contract, destination: Destination | None = None) -> list[Divergence]:
    return compare(gather(destination or place.destination, order_of(place, flights), dt.timedelta()))


def mend_all(place: Place, flights: Contract, destination: Destination | None = None) -> list[str]:
    gathered = gather(destination or place.destination, order_of(place, flights), dt.timedelta())
    divergences = compare(gathered)
    names = sorted({each.partition for each in divergences})
    return [
        mend(gathered.landings[name], [each for each in divergences if each.partition == name]).done for name in names
    ]


def only_object(place: Place, prefix: str):  # type: ignore[no-untyped-def] # noqa: ANN201 - the library's blob
    (blob,) = place.storage.list_blobs(place.bucket, prefix=prefix)
    return blob


def lose_the_object(place: Place) -> None:
    only_object(place, "lake/").delete()


def put_the_object_back(place: Place) -> None:
    blob = only_object(place, "lake/")
    data = blob.download_as_bytes()
    blob.delete()
    place.storage.bucket(place.bucket).blob(blob.name).upload_from_string(data)


def lose_the_rows_put_aside(place: Place) -> None:
    only_object(place, "quarantine/").delete()


def put_an_old_object_back(place: Place) -> None:
    bucket = place.storage.bucket(place.bucket)
    old = next(iter(place.storage.list_blobs(bucket, prefix="superseded/", match_glob="**.parquet")))
    bucket.copy_blob(old, bucket, old.name.replace("superseded/", "lake/"))


def leave_an_object(place: Place) -> None:
    place.storage.bucket(place.bucket).blob("lake/flights/2013-01/0a.parquet").upload_from_string(b"left")


def delete_rows(place: Place) -> None:
    place.ask("DELETE FROM {flights} WHERE day = 1 AND flight < 1000")


def drop_the_table(place: Place) -> None:
    place.bigquery.delete_table(f"{place.dataset}.flights")


def make_the_table_anew(place: Place) -> None:
    table = place.bigquery.get_table(f"{place.dataset}.flights")
    place.bigquery.delete_table(table)
    place.bigquery.create_table(table)


def lose_the_ledger(place: Place) -> None:
    place.bigquery.delete_table(f"{place.dataset}.landings_current")
    place.bigquery.delete_table(f"{place.dataset}.landings")


@pytest.mark.parametrize(
    ("name", "damage", "claims_after"),
    [
        ("lake object gone", lose_the_object, 3),
        ("lake object changed", put_the_object_back, 3),
        ("quarantine object gone", lose_the_rows_put_aside, 3),
        ("superseded object left", put_an_old_object_back, 2),
        ("unclaimed object", leave_an_object, 2),
        ("rows differ", delete_rows, 3),
        ("table dropped", drop_the_table, 3),
        ("table made anew", make_the_table_anew, 3),
        ("ledger row missing", lose_the_ledger, 2),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_differs_is_named_alone_and_mended(
    landed: Place, flights: Contract, january: list[str], name: str, damage: Callable[[Place], None], claims_after: int
) -> None:
    damage(landed)
    assert [(each.partition, each.name) for each in found(landed, flights)] == [("2013-01", name)]
    mend_all(landed, flights)
    assert found(landed, flights) == []
    assert landed.landed() == content(january[NEW])
    assert len(landed.claims()) == claims_after
    assert [len(landed.objects(prefix)) for prefix in ("lake/", "quarantine/")] == [1, 1]
    current = landed.ask("SELECT n, lake_rows, warehouse_rows, quarantined_rows FROM {landings_current}")
    assert current == [(claims_after - 1, 30, 30, 1)]
    if damage is lose_the_ledger:
        assert landed.ask("SELECT n, status, warehouse_rows FROM {landings} ORDER BY n") == [
            (0, "loaded", 20),
            (1, "loaded", 30),
        ]


def test_jobs_whose_records_are_gone_are_replaced_by_their_next_attempts(
    landed: Place, flights: Contract, january: list[str], cloud: dict[str, str]
) -> None:
    """After six months BigQuery knows a job's name, and nothing of it: inserting answers 409, asking 404."""
    gone = {job.job_id for job in landed.bigquery.list_jobs(all_users=True)}
    lose_the_ledger(landed)
    with Proxy(cloud["BIGQUERY_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(lambda asked: asked.path.split("?")[0].rpartition("/")[2] in gone, 99, status=404))
        _, warehouse = clients({**cloud, "BIGQUERY_EMULATOR_HOST": proxy.url})
        destination = dataclasses.replace(landed.destination, warehouse=warehouse)
        mend_all(landed, flights, destination)
    assert fault.fired > 0
    assert found(landed, flights) == []
    assert (landed.landed(), len(landed.claims())) == (content(january[NEW]), 2)
    # of the older claim nothing is known any more; the log has it
    assert landed.ask("SELECT n, attempt, warehouse_rows FROM {landings} ORDER BY n") == [(1, 1, 30)]


def test_a_changed_publisher_and_a_claim_that_was_not_loaded_are_mended_by_landing(
    landed: Place, flights: Contract, january: list[str]
) -> None:
    landed.publish("2013-01", january[:50])
    land_month(landed, flights, "2013-02", january[:5], loaded=False)
    assert [(each.partition, each.name) for each in found(landed, flights)] == [
        ("2013-01", "publisher changed"),
        ("2013-02", "claim not loaded"),
    ]
    mend_all(landed, flights)
    assert found(landed, flights) == []
    assert (landed.landed(), landed.landed("2013-02")) == (content(january[:50]), content(january[:5]))


def test_a_content_that_was_brought_back_is_mended_to_that_content(
    landed: Place, flights: Contract, january: list[str]
) -> None:
    (landing,) = plan.landings(landed.destination, order_of(landed, flights, "2013-01"))
    back = dataclasses.replace(landing, as_of=0)
    restored = restore(back)
    ledger.record(landed.destination, load.finish(back))
    lose_the_object(landed)
    assert [each.name for each in found(landed, flights)] == ["lake object gone"]
    mend_all(landed, flights)
    assert (found(landed, flights), landed.landed()) == ([], content(january[OLD]))
    assert [claim["kind"] for claim in landed.claims()] == ["landing", "landing", "as_of", "as_of"]
    assert restored.as_of == landed.claims()[3]["as_of"] == 0


def test_a_log_that_lost_entries_is_written_again_from_the_ledger(
    landed: Place, flights: Contract, january: list[str]
) -> None:
    before = landed.claims()
    for blob in landed.storage.list_blobs(landed.bucket, prefix="log/"):
        blob.delete()
    assert [each.name for each in found(landed, flights)] == ["ledger row without claim"]
    mend_all(landed, flights)
    aside = ("quarantine_uri", "quarantine_generation", "quarantine_crc32c")
    assert landed.claims() == [before[0] | dict.fromkeys(aside), before[1]]  # what was put aside first is superseded
    assert found(landed, flights) == []
    assert not land(landed, flights, "2013-01")
    assert landed.landed() == content(january[NEW])


def test_what_only_a_person_can_mend_is_named_and_left(landed: Place, flights: Contract) -> None:
    before = landed.snapshot()
    del landed.publisher.files[FILE]
    assert [(each.name, each.name in BY_HAND) for each in found(landed, flights)] == [
        ("publisher does not answer", True)
    ]
    assert mend_all(landed, flights) == ["nothing"]
    assert landed.snapshot() == before


def test_as_many_partitions_as_there_are_cost_the_same_requests(
    landed: Place, flights: Contract, january: list[str], cloud: dict[str, str]
) -> None:
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as storage, Proxy(cloud["BIGQUERY_EMULATOR_HOST"]) as warehouse:
        addresses = {"STORAGE_EMULATOR_HOST": storage.url, "BIGQUERY_EMULATOR_HOST": warehouse.url}
        lake_client, warehouse_client = clients(addresses)
        proxied = open_destination(lake_client.bucket(landed.bucket), warehouse_client, landed.dataset, landed.name)

        def cost() -> tuple[int, int, int]:
            for seen in (storage.seen, warehouse.seen, landed.publisher.requests):
                seen.clear()
            assert found(landed, flights, proxied) == []
            queries = [asked for asked in warehouse.seen if asked.method == "POST"]
            return len(storage.seen), len(queries), len(landed.publisher.requests)

        one = cost()
        for month in ("2013-02", "2013-03"):
            land_month(landed, flights, month, january[:5])
        three = cost()
    assert one[2] == 1
    assert three == (one[0], one[1], 3)


def test_a_landing_that_passes_meanwhile_is_no_divergence(
    landed: Place, flights: Contract, january: list[str], cloud: dict[str, str]
) -> None:
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as storage:
        lake_client, _ = clients({**cloud, "STORAGE_EMULATOR_HOST": storage.url})
        proxied = dataclasses.replace(landed.destination, bucket=lake_client.bucket(landed.bucket))

        def pass_by(rows: int) -> Fault:
            meanwhile = lambda: land_month(landed, flights, "2013-01", january[:rows])  # noqa: E731
            return storage.add(Fault(lambda asked: "prefix=log" in asked.path, before=meanwhile))

        fault = pass_by(50)
        at_first = {each.name for each in found(landed, flights, proxied)}
        assert at_first == {"lake object gone", "quarantine object gone", "superseded object left"}
        another = pass_by(60)
        assert twice.look(proxied, order_of(landed, flights), dt.timedelta()).divergences == []
        assert (fault.fired, another.fired) == (1, 1)


def test_a_nightly_run_compares_all_that_has_landed_and_mends_when_asked(place: Place, january: list[str]) -> None:
    assert place.run(flow="reconcile").last_line == "0 partitions compared, 0 divergences"
    place.publish("2013-01", january[:20])
    assert place.run("flights", "2013-01").code == 0
    same = place.run(flow="reconcile")
    assert (same.code, same.last_line) == (0, "1 partition compared, 0 divergences"), same.text
    drop_the_table(place)
    told = place.run(flow="reconcile")
    assert (told.code, told.last_line) == (1, "1 partition compared, 1 divergence"), told.text
    assert place.tables() == {"landings", "landings_current"}
    mended = place.run("flights", "--mend", flow="reconcile")
    assert (mended.code, mended.last_line) == (0, "1 partition compared, 1 divergence, 1 mended"), mended.text
    assert place.landed() == content(january[:20])
