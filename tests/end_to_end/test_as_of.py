"""An older claim's content comes back, and stands until the publisher changes its own."""

from pathlib import Path

from flows.etl import history
from flows.settings import CONTRACTS
from tests.end_to_end.place import Place, content
from tests.end_to_end.runner import Run

FILE = "/flights/flights_2013-01.csv.gz"
SILENT = ("ETag", "Last-Modified")


def land(place: Place, rows: list[str], *, silent: tuple[str, ...] = ()) -> Run:
    place.publish("2013-01", rows)
    place.publisher.files[FILE].silent = silent
    run = place.run("flights", "2013-01")
    assert run.code == 0, run.text
    return run


def bring_back(place: Place, n: int) -> Run:
    run = place.run("flights", "2013-01", "--as-of", str(n))
    assert run.code == 0, run.text
    return run


def kinds(place: Place) -> list[tuple[str, int]]:
    return [(claim["kind"], claim["source_rows"]) for claim in place.claims()]


def test_an_older_content_comes_back_and_stands_until_the_publisher_changes(place: Place, january: list[str]) -> None:
    a, b, c = january[:20], january[:30], january[:40]
    land(place, a)
    land(place, b)
    assert bring_back(place, 0).last_line == "1 partition landed: 20 source rows = 20 loaded + 0 quarantined"
    assert (place.landed(), kinds(place)) == (content(a), [("landing", 20), ("landing", 30), ("as_of", 20)])
    assert place.ask("SELECT n, kind FROM {landings_current}") == [(2, "as_of")]
    first, _, again = place.claims()
    assert (again["as_of"], again["source_sha256"], again["lake_crc32c"]) == (
        *(0, first["source_sha256"], first["lake_crc32c"]),
    )
    assert place.objects("lake/") == [again["lake_uri"].removeprefix(f"gs://{place.bucket}/")]

    place.publisher.requests.clear()
    assert place.run("flights", "2013-01").last_line == "1 partition up to date"
    assert place.publisher.requests == [("HEAD", FILE)]
    bring_back(place, 0)  # twice equals once
    place.publisher.files[FILE].headers["ETag"] = '"the same bytes under another tag"'
    assert place.run("flights", "2013-01").code == 0
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


def test_a_content_comes_back_while_the_publisher_does_not_answer(place: Place, january: list[str]) -> None:
    a, b = january[:20], january[:30]
    land(place, a)
    land(place, b)
    del place.publisher.files[FILE]
    assert "will not stand once the publisher answers again" in bring_back(place, 0).text
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
    for arguments, why in [
        (("2013-01", "--as-of", "0"), "found claim 0 without its object"),
        (("2013-01", "--as-of", "7"), "found no claim as of 7, expected one of its log (0 of "),
        (("2013-01", "--as-of", "2001-01-01"), "found no claim as of 2001-01-01 00:00:00+00:00"),
        (("2013-02", "--as-of", "0"), "expected one of its log (none)"),
        (("2013-01", "2013-02", "--as-of", "0"), "found one claim's number for 2 periods, expected one period"),
        (("2013-01", "--as-of", "yesterday"), "found as_of 'yesterday', expected a claim's number, such as 0"),
        (("2013-01", "--as-of", "0", "--source", "http://127.0.0.1/x"), "found both a source and an as_of"),
    ]:
        run = place.run("flights", *arguments)
        assert (run.code, why in run.text) == (1, True), run.text
        assert "nothing was written" in run.text
    assert place.snapshot() == before


def test_a_time_chooses_the_claim_that_was_the_newest_then(place: Place, january: list[str]) -> None:
    a, b = january[:20], january[:30]
    land(place, a)
    blob = place.storage.bucket(place.bucket).get_blob("log/flights/2013-01/00000000.json")
    land(place, b)
    assert place.run("flights", "2013-01", "--as-of", blob.time_created.isoformat()).code == 0
    assert place.landed() == content(a)


def loaded(place: Place) -> int:
    return int(place.ask("SELECT COUNT(*) FROM {flights}")[0][0])


def test_rows_put_aside_come_back_too_and_only_under_the_contract_that_they_were_read_by(
    place: Place, january: list[str], tmp_path: Path
) -> None:
    text = (CONTRACTS / "flights.toml").read_text() + "[quarantine]\nmax_rows = 2\n"
    wider = text.replace("columns = [", 'columns = [\n    { name = "gate", type = "STRING" },', 1)
    wider += '[drift]\nmissing_column = "null"\n'

    def run_with(contract: str, *arguments: str) -> Run:
        (tmp_path / "flights.toml").write_text(contract)
        plant = "tests.end_to_end.plants:other_contracts"
        return place.run("flights", "2013-01", *arguments, plant=plant, OTHER_CONTRACTS=str(tmp_path))

    for rows in (20, 30):
        place.publish("2013-01", [*january[:rows], "not a flight"])
        assert run_with(text).code == 0
    assert run_with(text, "--as-of", "0").code == 0
    assert [len(place.objects(prefix)) for prefix in ("lake/", "quarantine/", "superseded/")] == [1, 1, 4]

    second = run_with(wider.replace("revision = 1", "revision = 2"))
    assert second.code == 0, second.text
    assert loaded(place) == 30  # the contract has changed: what the publisher serves lands under it
    refused = run_with(wider.replace("revision = 1", "revision = 2"), "--as-of", "0")
    assert "found claim 0 read under revision 1 of the contract, whose columns" in refused.text

    third = text.replace("revision = 1", "revision = 3")
    assert run_with(third, "--as-of", "0").code == 0
    assert (loaded(place), place.claims()[-1]["contract_revision"]) == (20, 3)
    assert run_with(third).last_line == "1 partition up to date"
    assert (
        "expected none newer than this code's revision 2"
        in run_with(wider.replace("revision = 1", "revision = 2")).text
    )


def test_the_history_says_what_each_claim_was_and_where_its_object_is(place: Place, january: list[str]) -> None:
    land(place, january[:20])
    for blob in place.storage.list_blobs(place.bucket, prefix="lake/"):
        blob.delete()  # so that nothing is left to supersede
    land(place, january[:30])
    land(place, january[:40])
    bring_back(place, 1)
    place.publish("2013-01", january[:50])
    assert place.run("flights", "2013-01", flow="web_to_gcs").code == 0
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
