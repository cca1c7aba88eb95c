"""Landings killed, cut off or left without an answer at every step: the old rows, whole, or the new, and never more."""

import random
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess

import pytest

from tests.postgres.attempt import Attempt
from tests.postgres.content import LENIENT, Content, Rows, state, watched
from tests.postgres.line import Fault, Line
from tests.postgres.place import Place

STEPS = {
    "begin": b"BEGIN",
    "table by itself": b'CREATE TABLE "landfall"."trips_2021_01_',
    "copy": b'COPY "landfall"."trips_2021_01_',
    "data": b"d1,",
    "end of data": b"c",
    "number": b'INSERT INTO "landfall"."landings"',
    "delete": b'DELETE FROM "landfall"."trips"',
    "insert": b'INSERT INTO "landfall"."trips"',
    "drop": b'DROP TABLE "landfall"."trips_2021_01_',
    "count": b'SELECT count(*) FROM "landfall"."trips"',
    "quarantine": b'COPY "landfall"."quarantine"',
    "commit": b"COMMIT",
}
FIRST = {"make": b'CREATE TABLE "landfall"."trips" (', "attach": b"ATTACH PARTITION"}


OLD, NEW = Content("old", 20), Content("new", 30)


def strike(place: Place, fault: Fault, *, kill: str) -> None:
    """Land through a line with a fault, which kills the process before a step, after it, or only loses the answer."""
    started: list[ForkServerProcess] = []
    ready = threading.Event()

    def end() -> None:
        ready.wait(10)
        started[0].kill()
        wait([started[0].sentinel], 10)  # its exit code is for one thread to read

    fault.before, fault.after, fault.lost = (
        end if kill == "before" else None,
        end if kill == "after" else None,
        kill == "no answer",
    )
    with Line(place.server.port, fault) as line:
        address = place.server.address(port=line.port, sslmode="disable", gssencmode="disable")
        started.append(Attempt(address, place.contract(**LENIENT), place.publisher.url).start())
        ready.set()
        started[0].join(30)
    assert fault.fired.is_set()
    assert started[0].exitcode == (3 if kill == "no answer" else -9)


def settle(place: Place, before: tuple[Rows, list[str], list[int]], number: int) -> None:
    """See that a strike left all or nothing, and that the next run brings all, once."""
    after = (NEW.rows, NEW.bad, [*before[2], number])
    deadline = time.monotonic() + 10
    while place.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'landfall'") != [(0,)]:
        assert time.monotonic() < deadline  # Postgres ends what a client that is gone has begun
        time.sleep(0.01)
    assert state(place) in (before, after)
    Attempt(place.server.address(), place.contract(**LENIENT), place.publisher.url)()
    assert state(place) == after
    left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'landfall'::regnamespace AND relkind = 'r'"
    assert place.ask(left) == [(3,)]  # the partition, the ledger and the quarantine


@pytest.mark.parametrize("kill", ["before", "after", "no answer"])
@pytest.mark.parametrize("step", STEPS)
def test_a_strike_at_any_step_of_a_replacement_leaves_the_old_rows_or_the_new(
    place: Place, step: str, kill: str
) -> None:
    place.publish(*OLD.lines)
    place.land(place.contract(**LENIENT))
    before = state(place)
    assert before == (OLD.rows, OLD.bad, [0])
    place.publish(*NEW.lines)
    strike(place, Fault(STEPS[step]), kill=kill)
    settle(place, before, 1)


@pytest.mark.parametrize("kill", ["before", "after", "no answer"])
@pytest.mark.parametrize("step", FIRST)
def test_a_strike_at_any_step_of_a_first_landing_leaves_nothing_or_all(place: Place, step: str, kill: str) -> None:
    place.publish(*NEW.lines)
    strike(place, Fault(FIRST[step]), kill=kill)
    settle(place, ([], [], []), 0)


def test_a_commit_whose_answer_was_lost_is_found_in_the_ledger_and_the_file_not_read_again(place: Place) -> None:
    place.publish(*NEW.lines)
    place.land(place.contract(**LENIENT))
    place.publish(*OLD.lines)
    fault = Fault(STEPS["commit"], lost=True)
    with Line(place.server.port, fault) as line:
        address = place.server.address(port=line.port, sslmode="disable", gssencmode="disable")
        place.publisher.requests.clear()
        Attempt(address, place.contract(**LENIENT), place.publisher.url, tries=2)()
    assert fault.fired.is_set()
    assert place.publisher.asked("GET") == ["/202101"]
    assert state(place) == (OLD.rows, OLD.bad, [0, 1])


def test_kills_at_any_moment_lose_and_double_nothing_and_readers_see_whole_contents(place: Place) -> None:
    chance = random.Random(27)
    contents = [Content(name, 3000 + number) for number, name in enumerate(("a", "b"))]
    agreed = place.contract(**LENIENT)
    place.publish(*contents[0].lines)
    place.land(agreed)
    killed = 0
    with watched(place, contents) as seen:
        for number in range(12):
            content = contents[(number + 1) % 2]
            place.publish(*content.lines)
            process = Attempt(place.server.address(), agreed, place.publisher.url).start()
            process.join(chance.uniform(0.0, 0.4))
            process.kill()
            process.join(10)
            killed += process.exitcode == -9
            Attempt(place.server.address(), agreed, place.publisher.url, tries=20)()
            assert state(place)[:2] == (content.rows, content.bad)
    assert killed >= 3
    assert len(seen) >= 2
