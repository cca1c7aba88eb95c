"""Many at one partition: content lands once, and no older content comes over a newer one."""

import io
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.etl.errors import StartOver, Transient
from flows.etl.postgres import database
from flows.etl.postgres.landing import land
from tests.postgres.attempt import Attempt
from tests.postgres.content import LENIENT, Content, state, watched
from tests.postgres.line import Fault, Line
from tests.postgres.place import FEBRUARY, Place

A, B = Content("a", 2000), Content("b", 2100)


def test_twelve_at_once_land_one_content_once(place: Place) -> None:
    place.publish(*A.lines)
    attempt = Attempt(place.server.address(), place.contract(**LENIENT), place.publisher.url)
    processes = [attempt.start() for _ in range(12)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 12
    assert state(place) == (A.rows, A.bad, [0])


def test_while_contents_change_under_twelve_at_once_no_reader_sees_an_older_one_again(place: Place) -> None:
    contents = [Content(f"c{number}", 1000 + number) for number in range(5)]
    place.publish(*contents[0].lines)
    agreed = place.contract(**LENIENT)
    place.land(agreed)
    with watched(place, contents) as seen:
        for content in contents[1:]:
            place.publish(*content.lines)
            attempt = Attempt(place.server.address(), agreed, place.publisher.url, tries=30)
            processes = [attempt.start() for _ in range(3)]
            processes[0].join(60)  # the others go on beside those of the next content
        for process in processes:
            process.join(60)
        Attempt(place.server.address(), agreed, place.publisher.url, tries=30)()
    rows, bad, numbers = state(place)
    assert (rows, bad) == (contents[-1].rows, contents[-1].bad)
    assert numbers == list(range(len(numbers)))
    assert seen == sorted(seen)
    assert seen[-1] == contents[-1].name


@pytest.mark.parametrize(
    "held", [b"c", b'INSERT INTO "landfall"."landings"'], ids=["while copying", "before its number"]
)
@pytest.mark.parametrize("first", [False, True], ids=["replacement", "first landing"])
def test_older_content_that_was_held_up_does_not_come_over_newer(place: Place, held: bytes, *, first: bool) -> None:
    agreed = place.contract(**LENIENT)
    if not first:
        place.publish("1,before")
        place.land(agreed)
    place.publish(*A.lines)
    go_on, failed = threading.Event(), list[Exception]()
    fault = Fault(held, before=lambda: go_on.wait(30))
    with Line(place.server.port, fault) as line:
        slow = place.landing(agreed, through=line.port)

        def held_up() -> None:
            try:
                land(slow)
            except StartOver as error:
                failed.append(error)

        thread = threading.Thread(target=held_up)
        thread.start()
        assert fault.fired.wait(30)  # it has read A
        place.publish(*B.lines)
        place.land(agreed)
        go_on.set()
        thread.join(30)
    assert [str(error) for error in failed] == [
        f"trips 2021-01: another content landed meanwhile, as number {0 if first else 1}"
    ]
    assert state(place) == (B.rows, B.bad, [0] if first else [0, 1])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server end after 0.3 s, and not after a minute, who stands still in a transaction."""
    assert "idle_in_transaction_session_timeout = '60s'" in database.SESSION
    monkeypatch.setattr(database, "SESSION", database.SESSION.replace("'60s'", "'300ms'"))


@pytest.mark.usefixtures("impatient")
def test_who_stands_still_with_its_number_in_hand_is_ended_and_others_go_on(place: Place) -> None:
    agreed = place.contract(**LENIENT)
    place.publish("1,before")
    place.land(agreed)
    place.publish(*A.lines)
    go_on, failed = threading.Event(), list[Exception]()
    fault = Fault(b'DELETE FROM "landfall"."trips"', before=lambda: go_on.wait(30))
    with Line(place.server.port, fault) as line:
        slow = place.landing(agreed, through=line.port)

        def held_up() -> None:
            try:
                land(slow)
            except Transient as error:
                failed.append(error)

        thread = threading.Thread(target=held_up)
        thread.start()
        assert fault.fired.wait(30)
        place.publish(*B.lines)
        place.land(agreed)
        go_on.set()
        thread.join(30)
    assert "expected an answer; run again" in str(failed)
    assert state(place) == (B.rows, B.bad, [0, 1])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_that_takes_long_to_arrive_is_not_taken_for_one_that_stands_still(place: Place, kind: str) -> None:
    file = io.BytesIO(b"id,name\n1,a\n")
    if kind == "parquet":
        pq.write_table(pa.table({"id": [1], "Name": ["a"]}), file)
    place.publisher.serve("/202101", file.getvalue())
    place.publisher.files["/202101"].held = arrives = threading.Event()
    threading.Timer(1, arrives.set).start()
    place.land(place.contract(format=kind))
    assert place.rows() == [(1, "a")]


def test_months_that_land_at_once_do_not_stand_in_each_others_way(place: Place) -> None:
    place.publish(*A.lines)
    place.publish("1,february", month="202102")
    agreed = place.contract(**LENIENT)
    go_on = threading.Event()
    fault = Fault(b'INSERT INTO "landfall"."landings"', before=lambda: go_on.wait(30))
    with Line(place.server.port, fault) as line:
        thread = threading.Thread(target=land, args=(place.landing(agreed, through=line.port),))
        thread.start()
        assert fault.fired.wait(30)
        assert place.land(agreed, FEBRUARY).n == 0  # while January's transaction is open
        go_on.set()
        thread.join(30)
    assert place.ask("SELECT partition, n FROM landfall.landings ORDER BY 1") == [("2021-01", 0), ("2021-02", 0)]
