"""Kills, races and lost replies: whatever happens, each published row is in the table exactly once."""

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.end_to_end.place import Place, content
from tests.proxy import Asked, Fault, Proxy, is_last_part

KILLS = 20
LANES = 2  # partitions of the same table that are killed side by side


def is_load(asked: Asked) -> bool:
    return asked.method == "POST" and asked.path.partition("?")[0].endswith("/jobs") and b'"load"' in asked.body


def is_claim(asked: Asked) -> bool:
    return asked.method == "POST" and "/upload/" in asked.path and b"log/flights/" in asked.body


def assert_settled(place: Place, month: str, rows: list[str]) -> None:
    """Every row once by content; log, ledger and lake agree on the newest claim."""
    assert place.landed(month) == content(rows)
    claims = place.claims(month)
    assert [claim["n"] for claim in claims] == list(range(len(claims)))
    current = place.ask(f"SELECT n, lake_uri, warehouse_rows FROM {{landings_current}} WHERE `partition` = '{month}'")
    assert current == [(claims[-1]["n"], claims[-1]["lake_uri"], len(rows))]
    assert claims[-1]["lake_uri"].partition("lake/")[2] in " ".join(place.objects("lake/"))


@pytest.mark.timeout(300)
def test_twenty_kills_at_random_moments_lose_and_double_nothing(place: Place, january: list[str]) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    place.publish("2013-12", january)
    started = time.monotonic()
    assert place.run("flights", "2013-12").code == 0
    whole_s = time.monotonic() - started
    plans = [[(chance.uniform(0.05, 1.2), i) for i in range(KILLS // LANES)] for _ in range(LANES)]

    def lane(number: int) -> list[int]:
        month, codes = f"2013-0{number + 1}", []
        run_s = whole_s
        for share, i in plans[number]:
            moment = share * run_s  # of how long a run takes just now: the machine may have other work
            rows = january[i * 100 : i * 100 + 1500]  # another content each time: fence and wait have work to do
            place.publish(month, rows)
            killed = place.start("flights", month)
            time.sleep(moment)
            killed.kill()
            codes.append(killed.wait())
            began = time.monotonic()
            repeated = place.run("flights", month)
            run_s = time.monotonic() - began
            assert repeated.code == 0, f"seed {seed}, lane {number}, kill {i} at {moment:.2f} s: {repeated.text}"
            assert_settled(place, month, rows)
        return codes

    with ThreadPoolExecutor(LANES) as pool:
        codes = [code for lane_codes in pool.map(lane, range(LANES)) for code in lane_codes]
    assert len(codes) == KILLS
    assert codes.count(-9) >= KILLS // 2, f"most runs had ended before they were killed: {codes}"


def test_eight_processes_landing_one_partition_make_one_claim_and_one_load(place: Place, january: list[str]) -> None:
    place.publish("2013-01", january)
    runs = [place.start("flights", "2013-01") for _ in range(8)]
    assert [run.wait() for run in runs] == [0] * 8, "\n".join(run.text for run in runs)
    assert len(place.claims()) == 1
    assert len(place.jobs()) == 1
    assert place.ask("SELECT COUNT(*) FROM {landings}") == [(1,)]
    assert len(place.objects("lake/")) == 1
    assert_settled(place, "2013-01", january)


def test_a_claim_that_comes_second_finds_its_number_taken_and_adopts_the_first(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    place.publish("2013-01", january[:300])
    release = threading.Event()
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        held = proxy.add(Fault(is_claim, before=lambda: release.wait(60)))
        second = place.start("flights", "2013-01", STORAGE_EMULATOR_HOST=proxy.url)
        while not held.fired:
            time.sleep(0.02)
        assert place.run("flights", "2013-01").code == 0
        before = place.claims()
        release.set()
        assert second.wait() == 0, second.text
    assert place.claims() == before
    assert len(place.jobs()) == 1
    assert place.objects("lake/") == [before[0]["lake_uri"].removeprefix(f"gs://{place.bucket}/")]
    assert_settled(place, "2013-01", january[:300])


def test_a_claim_whose_run_died_does_not_stand_when_the_publisher_takes_its_content_back(
    place: Place, january: list[str]
) -> None:
    a, b = january[:300], january[100:500]
    place.publish("2013-01", a)
    assert place.run("flights", "2013-01").code == 0
    place.publish("2013-01", b)
    assert place.run("flights", "2013-01", flow="web_to_gcs").code == 0  # as if killed before its load
    place.publish("2013-01", a)
    assert place.run("flights", "2013-01").last_line.startswith("1 partition landed")
    assert [claim["source_rows"] for claim in place.claims()] == [300, 400, 300]
    assert_settled(place, "2013-01", a)


def test_a_held_back_load_does_not_put_old_rows_over_newer_ones(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    old, new = january[:700], january[500:1500]
    release = threading.Event()
    with Proxy(cloud["BIGQUERY_EMULATOR_HOST"]) as proxy:
        held = proxy.add(Fault(is_load, before=lambda: release.wait(60)))
        place.publish("2013-01", old)
        slow = place.start("flights", "2013-01", BIGQUERY_EMULATOR_HOST=proxy.url)
        while not held.fired:
            time.sleep(0.02)
        place.publish("2013-01", new)
        assert place.run("flights", "2013-01").code == 0
        assert place.landed() == content(new)
        release.set()
        assert slow.wait() == 0, slow.text
    first, second = place.claims()
    assert (first["source_rows"], second["source_rows"]) == (700, 1000)
    assert_settled(place, "2013-01", new)


@pytest.mark.parametrize(
    ("host", "meets"),
    [
        ("BIGQUERY_EMULATOR_HOST", is_load),
        ("STORAGE_EMULATOR_HOST", is_claim),
        ("STORAGE_EMULATOR_HOST", is_last_part),
    ],
    ids=["the load job", "the claim", "the upload's last part"],
)
def test_a_lost_reply_is_not_taken_for_a_failure(
    place: Place, january: list[str], cloud: dict[str, str], host: str, meets: object
) -> None:
    place.publish("2013-01", january[:300])
    with Proxy(cloud[host]) as proxy:
        fault = proxy.add(Fault(meets, lose_reply=True))  # type: ignore[arg-type]
        run = place.run("flights", "2013-01", **{host: proxy.url})
    assert fault.fired == 1
    assert run.code == 0, run.text
    assert len(place.claims()) == 1
    assert len(place.jobs()) == 1
    assert len(place.objects("lake/")) == 1
    assert_settled(place, "2013-01", january[:300])


@pytest.mark.parametrize(("host", "meets"), [("BIGQUERY_EMULATOR_HOST", is_load), ("STORAGE_EMULATOR_HOST", is_claim)])
def test_a_passing_503_is_retried(
    place: Place, january: list[str], cloud: dict[str, str], host: str, meets: object
) -> None:
    place.publish("2013-01", january[:300])
    with Proxy(cloud[host]) as proxy:
        fault = proxy.add(Fault(meets, status=503))  # type: ignore[arg-type]
        assert place.run("flights", "2013-01", **{host: proxy.url}).code == 0
    assert fault.fired == 1
    assert_settled(place, "2013-01", january[:300])


def failing(reason: str) -> Callable[[bytes], bytes]:
    """Say of a load job that it failed, whatever it did."""

    def rewrite(answer: bytes) -> bytes:
        job = json.loads(answer)
        error = {"reason": reason, "message": f"planted: {reason}", "location": ""}
        job["status"] = {"state": "DONE", "errorResult": error, "errors": [error]}
        return json.dumps(job).encode()

    return rewrite


@pytest.mark.parametrize("reason", ["backendError", "rateLimitExceeded", "stopped"])
def test_passing_trouble_inside_a_job_is_met_by_another_attempt(
    place: Place, january: list[str], cloud: dict[str, str], reason: str
) -> None:
    place.publish("2013-01", january[:300])
    with Proxy(cloud["BIGQUERY_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(is_load, rewrite=failing(reason)))
        run = place.run("flights", "2013-01", BIGQUERY_EMULATOR_HOST=proxy.url)
    assert (fault.fired, run.code) == (1, 0), run.text
    assert [job.job_id[-2:] for job in place.jobs()] == ["-0", "-1"]
    assert place.ask("SELECT attempt, status FROM {landings}") == [(1, "loaded")]
    assert_settled(place, "2013-01", january[:300])


def test_a_refusal_is_terminal_and_said_in_the_ledger(place: Place, january: list[str], cloud: dict[str, str]) -> None:
    place.publish("2013-01", january[:300])
    with Proxy(cloud["BIGQUERY_EMULATOR_HOST"]) as proxy:
        proxy.add(Fault(is_load, rewrite=failing("invalid")))
        run = place.run("flights", "2013-01", BIGQUERY_EMULATOR_HOST=proxy.url)
    assert run.code == 1
    assert "planted: invalid" in run.text
    assert "the old partition stands" in run.text
    assert len(place.jobs()) == 1
    assert place.ask("SELECT n, status, warehouse_rows FROM {landings}") == [(0, "refused", 0)]
    assert place.ask("SELECT n FROM {landings_current}") == []


def test_an_object_deleted_before_its_load_is_fetched_again(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    place.publish("2013-01", january[:300])

    def delete_the_claimed_object() -> None:
        for blob in place.storage.list_blobs(place.bucket, prefix="lake/"):
            blob.delete()

    with Proxy(cloud["BIGQUERY_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(is_load, before=delete_the_claimed_object))
        assert place.run("flights", "2013-01", BIGQUERY_EMULATOR_HOST=proxy.url).code == 0
    assert fault.fired == 1
    assert [claim["n"] for claim in place.claims()] == [0, 1]
    assert_settled(place, "2013-01", january[:300])


def test_content_that_changes_between_download_and_claim_starts_over(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    place.publish("2013-01", january[:300])
    with Proxy(cloud["STORAGE_EMULATOR_HOST"]) as proxy:
        fault = proxy.add(Fault(is_last_part, before=lambda: place.publish("2013-01", january[:400])))
        assert place.run("flights", "2013-01", STORAGE_EMULATOR_HOST=proxy.url).code == 0
    assert fault.fired == 1
    assert [claim["source_rows"] for claim in place.claims()] == [400]
    assert len(place.objects("lake/")) == 1
    assert_settled(place, "2013-01", january[:400])
