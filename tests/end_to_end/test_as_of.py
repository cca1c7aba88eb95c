"""An older claim's content comes back, and stands until the publisher changes its own."""

import datetime as dt
from pathlib import Path

import pytest

from flows.etl import contract, history
from flows.etl.contract import Contract
from flows.etl.errors import ClaimGone, ContractError, Outdated
from flows.etl.plan import Order
from flows.order import with_as_of
from flows.settings import CONTRACTS
from tests.end_to_end import without_runs
from tests.end_to_end.place import Place, content
from tests.end_to_end.without_runs import order_of

FILE = "/flights/flights_2013-01.csv.gz"
SILENT = ("ETag", "Last-Modified")
FLIGHTS = contract.read(CONTRACTS, "flights")


def land(place: Place, rows: list[str], *, silent: tuple[str, ...] = (), agreed: Contract = FLIGHTS) -> bool:
    place.publish("2013-01", rows)
    place.publisher.files[FILE].silent = silent
    return without_runs.land(place, agreed, "2013-01")


def bring_back(place: Place, as_of: int | dt.datetime, agreed: Contract = FLIGHTS, period: str = "2013-01") -> None:
    without_runs.land(place, agreed, period, as_of=as_of)


def kinds(place: Place) -> list[tuple[str, int]]:
    return [(claim["kind"], claim["source_rows"]) for claim in place.claims()]


def test_an_older_content_comes_back_and_stands_until_the_publisher_changes(place: Place, january: list[str]) -> None:
    a, b, c = january[:20], january[:30], january[:40]
    land(place, a)
    land(place, b)
    run = place.run("flights", "2013-01", "--as-of", "0")
    assert run.last_line == "1 partition landed: 20 source rows = 20 loaded + 0 quarantined", run.text
    assert (place.landed(), kinds(place)) == (content(a), [("landing", 20), ("landing", 30), ("as_of", 20)])
    assert place.ask("SELECT n, kind FROM {landings_current}") == [(2, "as_of")]
    first, _, again = place.claims()
    assert (again["as_of"], again["source_sha256"], again["lake_crc32c"]) == (
        *(0, first["source_sha256"], first["lake_crc32c"]),
    )
    assert place.objects("lake/") == [again["lake_uri"].removeprefix(f"gs://{place.bucket}/")]

    place.publisher.requests.clear()
    assert not without_runs.land(place, FLIGHTS, "2013-01")
    assert place.publisher.requests == [("HEAD", FILE)]
    bring_back(place, 0)  # twice equals once
    place.publisher.files[FILE].headers["ETag"] = '"the same bytes under another tag"'
    assert without_runs.land(place, FLIGHTS, "2013-01")
    assert (place.landed(), len(place.claims()), len(place.jobs())) == (content(a), 3, 3)

    land(place, c)
    assert (place.landed(), kinds(place)[3:]) == (content(c), [("landing", 40)])


def test_a_content_brought_back_does_not_outlive_a_change_that_a_run_has_seen(place: Place, january: list[str]) -> None:
    a, b = january[:20], january[:30]
    land(place, a)
    land(place, b)
    bring_back(place, 0)
    land(place, a)  # the publisher itself goes back: nothing changes in the table, but what stands is a landing again
    assert kinds(place)[3:] == [("landing", 20)]
    land(place, b)
    assert place.landed() == content(b)


def test_a_content_brought_back_over_a_publisher_that_tells_nothing_stands(place: Place, january: list[str]) -> None:
    a, b, c = january[:20], january[:30], january[:40]
    land(place, a, silent=SILENT)
    land(place, b, silent=SILENT)
    bring_back(place, 0)
    land(place, b, silent=SILENT)
    assert (place.landed(), len(place.claims())) == (content(a), 3)
    land(place, c, silent=SILENT)
    assert place.landed() == content(c)


def test_a_content_comes_back_while_the_publisher_does_not_answer(
    place: Place, january: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    a, b = january[:20], january[:30]
    land(place, a)
    land(place, b)
    del place.publisher.files[FILE]
    bring_back(place, 0)
    assert "will not stand once the publisher answers again" in caplog.text
    assert place.landed() == content(a)
    bring_back(place, 0)
    assert len(place.claims()) == 3
    land(place, b)
    assert place.landed() == content(b)


def test_what_cannot_be_brought_back_is_refused_and_nothing_is_written(place: Place, january: list[str]) -> None:
    land(place, january[:20])
    land(place, january[:30])
    for blob in place.storage.list_blobs(place.bucket, prefix="superseded/"):
        blob.delete()  # as the lifecycle rule does
    before = place.snapshot()
    refused: list[tuple[str, int | dt.datetime, str]] = [
        ("2013-01", 0, "found claim 0 without its object"),
        ("2013-01", 7, r"found no claim as of 7, expected one of its log \(0 of "),
        ("2013-01", dt.datetime(2001, 1, 1, tzinfo=dt.UTC), r"found no claim as of 2001-01-01 00:00:00\+00:00"),
        ("2013-02", 0, r"expected one of its log \(none\)"),
    ]
    for period, as_of, why in refused:
        with pytest.raises(ClaimGone, match=f"{why}.* nothing was written"):
            bring_back(place, as_of, period=period)
    assert place.snapshot() == before


@pytest.mark.parametrize(
    ("months", "as_of", "source", "why"),
    [
        (["2013-01", "2013-02"], "0", None, "found one claim's number for 2 periods, expected one period"),
        (["2013-01"], "yesterday", None, "found as_of 'yesterday', expected a claim's number, such as 0"),
        (["2013-01"], "-1", None, "found as_of '-1', expected a claim's number"),
        (["2013-01"], 0, "https://example.org/x", "found both a source and an as_of, expected one of them"),
    ],
)
def test_what_names_no_claim_is_refused(months: list[str], as_of: int | str, source: str | None, why: str) -> None:
    order = Order(FLIGHTS, [FLIGHTS.period(month) for month in months], None, source, None)
    with pytest.raises(ContractError, match=f"{why}.*nothing was written"):
        with_as_of(order, as_of)


def test_a_time_chooses_the_claim_that_was_the_newest_then(place: Place, january: list[str]) -> None:
    a, b = january[:20], january[:30]
    land(place, a)
    blob = place.storage.bucket(place.bucket).get_blob("log/flights/2013-01/00000000.json")
    land(place, b)
    moment = with_as_of(order_of(place, FLIGHTS, "2013-01"), blob.time_created.isoformat()).as_of
    assert moment == blob.time_created
    bring_back(place, moment)
    assert place.landed() == content(a)


def loaded(place: Place) -> int:
    return int(place.ask("SELECT COUNT(*) FROM {flights}")[0][0])


def test_rows_put_aside_come_back_too_and_only_under_the_contract_that_they_were_read_by(
    place: Place, january: list[str], tmp_path: Path
) -> None:
    text = (CONTRACTS / "flights.toml").read_text() + "[quarantine]\nmax_rows = 2\n"
    wider = text.replace("columns = [", 'columns = [\n    { name = "gate", type = "STRING" },', 1)
    wider += '[drift]\nmissing_column = "null"\n'

    def flights(contract_text: str, revision: int) -> Contract:
        (tmp_path / "flights.toml").write_text(contract_text.replace("revision = 1", f"revision = {revision}"))
        return contract.read(tmp_path, "flights")

    first, second, third = flights(text, 1), flights(wider, 2), flights(text, 3)
    for rows in (20, 30):
        assert land(place, [*january[:rows], "not a flight"], agreed=first)
    bring_back(place, 0, first)
    assert [len(place.objects(prefix)) for prefix in ("lake/", "quarantine/", "superseded/")] == [1, 1, 4]

    assert without_runs.land(place, second, "2013-01")
    assert loaded(place) == 30  # the contract has changed: what the publisher serves lands under it
    with pytest.raises(Outdated, match="found claim 0 read under revision 1 of the contract, whose columns"):
        bring_back(place, 0, second)

    bring_back(place, 0, third)
    assert (loaded(place), place.claims()[-1]["contract_revision"]) == (20, 3)
    assert not without_runs.land(place, third, "2013-01")
    with pytest.raises(Outdated, match="expected none newer than this code's revision 2"):
        without_runs.land(place, second, "2013-01")


def test_the_history_says_what_each_claim_was_and_where_its_object_is(place: Place, january: list[str]) -> None:
    land(place, january[:20])
    for blob in place.storage.list_blobs(place.bucket, prefix="lake/"):
        blob.delete()  # so that nothing is left to supersede
    land(place, january[:30])
    land(place, january[:40])
    bring_back(place, 1)
    place.publish("2013-01", january[:50])
    without_runs.land(place, FLIGHTS, "2013-01", loaded=False)
    assert [
        (past.claim.n, past.claim.kind, past.claim.source_rows, past.status, past.where)
        for past in history.read(place.destination, "flights", "2013-01")
    ] == [
        (0, "landing", 20, "loaded", "gone"),
        (1, "landing", 30, "loaded", "superseded"),
        (2, "landing", 40, "loaded", "superseded"),
        (3, "as_of", 30, "loaded", "lake"),
        (4, "landing", 50, "not loaded", "lake"),
    ]
    assert history.read(place.destination, "flights", "2013-02") == []
    shown = place.run("history", "flights", flow="landfall")
    assert (shown.code, shown.last_line) == (0, "5 claims"), shown.text
    assert "as_of 1" in shown.text
