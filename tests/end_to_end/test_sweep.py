"""What a sweep removes, and everything that it leaves."""

import datetime as dt
import threading

import pytest

from flows.etl.errors import Outdated
from flows.etl.sweep import sweep
from tests.end_to_end.place import Place, content
from tests.end_to_end.runner import Run
from tests.proxy import Asked, Fault, Proxy

NOW = dt.timedelta()


def put(place: Place, name: str, data: bytes = b"left") -> None:
    place.storage.bucket(place.bucket).blob(name).upload_from_string(data)


def swept(
    place: Place, older_than: dt.timedelta = NOW, contract: str | None = None, *, dry_run: bool = False
) -> list[str]:
    found = sweep(place.destination, contract, older_than, dry_run=dry_run)
    return [each.item.uri.removeprefix(f"gs://{place.bucket}/") for each in found]


LEFT = [
    "lake/flights/2013-01/0a.parquet",
    "lake/flights/2013-07/0b.parquet",
    "lake/gone/2013-01/0c.parquet",
    "lake/flights/stray.parquet",
    "lake/stray",
    "quarantine/flights/2013-01/0a.jsonl.gz",
]
NOT_ITS_OWN = ["superseded/flights/2013-01/0a.parquet", "elsewhere/0a.parquet"]


def test_a_sweep_removes_what_no_claim_names_and_nothing_else(place: Place, january: list[str]) -> None:
    for rows in (january[:20], january[:30]):
        place.publish("2013-01", rows)
        assert place.run("flights", "2013-01").code == 0
    place.publish("2013-02", january[:10])
    assert place.run("flights", "2013-02", flow="web_to_gcs").code == 0  # claimed, not loaded: no ledger row names it
    before = place.snapshot()
    for name in [*LEFT, *NOT_ITS_OWN]:
        put(place, name)

    assert swept(place, dt.timedelta(hours=24)) == []
    assert sorted(swept(place, dry_run=True)) == sorted(LEFT)
    assert place.snapshot().keys() == {*before, *LEFT, *NOT_ITS_OWN}
    assert sorted(swept(place, contract="flights")) == [name for name in sorted(LEFT) if "/flights/" in name]
    run = place.run("--older-than-hours", "0", flow="sweep")
    assert (run.code, run.last_line) == (0, "2 objects removed, 8 bytes"), run.text
    assert "lake/gone/2013-01/0c.parquet" in run.text
    assert place.snapshot().keys() == {*before, *NOT_ITS_OWN}
    assert place.run("flights", "2013-02").code == 0
    assert place.landed("2013-02") == content(january[:10])


def test_what_an_older_claim_owns_is_left_to_the_fence(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january[:20])
    assert place.run("flights", "2013-01", flow="web_to_gcs").code == 0
    place.publish("2013-01", january[:30])
    assert place.run("flights", "2013-01", flow="web_to_gcs").code == 0
    both = place.objects("lake/")
    assert (len(both), swept(place)) == (2, [])
    assert place.objects("lake/") == both


def test_a_run_whose_object_is_swept_before_its_claim_starts_over(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    place.publish("2013-01", january[:20])
    removed: list[list[str]] = []
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(is_claim, before=lambda: removed.append(swept(place))))
        run = place.run("flights", "2013-01", STORAGE_EMULATOR_HOST=proxy.url)
    assert (fault.fired, run.code) == (1, 0), run.text
    assert [len(each) for each in removed] == [1]
    assert [claim["n"] for claim in place.claims()] == [0, 1]
    assert place.landed() == content(january[:20])
    assert place.objects("lake/") == [place.claims()[1]["lake_uri"].removeprefix(f"gs://{place.bucket}/")]


def is_claim(asked: Asked) -> bool:
    return asked.method == "POST" and "/upload/" in asked.path and b"log/flights/" in asked.body


def test_what_is_claimed_while_a_sweep_lists_objects_is_seen_as_claimed(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    """The log is read after the objects are listed; the other way round, this landing's object would go."""
    place.publish("2013-01", january[:20])
    listed, claimed = threading.Event(), threading.Event()

    def hold() -> None:
        listed.set()
        claimed.wait(60)

    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy, Proxy(cloud["STORAGE_EMULATOR_HOST"]) as landing:
        proxy.add(Fault(lambda asked: "prefix=quarantine" in asked.path, before=hold))
        sweeps: list[Run] = []

        def sweep_until_objects_are_listed() -> None:
            sweeps.append(place.start("--older-than-hours", "0", flow="sweep", STORAGE_EMULATOR_HOST=proxy.url))
            assert listed.wait(60)

        landing.add(Fault(is_claim, before=sweep_until_objects_are_listed))
        assert place.run("flights", "2013-01", flow="web_to_gcs", STORAGE_EMULATOR_HOST=landing.url).code == 0
        claimed.set()
        assert sweeps[0].wait() == 0, sweeps[0].text
    assert sweeps[0].last_line == "0 objects removed, 0 bytes"
    assert len(place.objects("lake/")) == 1


def test_a_claim_that_this_code_cannot_read_stops_a_sweep(place: Place) -> None:
    put(place, "lake/flights/2013-01/0a.parquet")
    put(place, "log/flights/2013-01/00000000.json", b'{"something": "new"}')
    with pytest.raises(Outdated, match="found an entry of another form"):
        swept(place)
    assert place.objects("lake/") == ["lake/flights/2013-01/0a.parquet"]


def test_a_settled_partition_costs_a_sweep_no_reading_of_its_log(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    for month in ("2013-01", "2013-02"):
        place.publish(month, january[:5])
    assert place.run("flights", "2013-01", "2013-02").code == 0
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        run = place.run("--older-than-hours", "0", flow="sweep", STORAGE_EMULATOR_HOST=proxy.url)
        assert (run.code, run.last_line) == (0, "0 objects removed, 0 bytes"), run.text
        assert [asked.path for asked in proxy.seen if "log" in asked.path] == []
