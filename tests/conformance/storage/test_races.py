"""Sixteen clients at once: one of them wins, and the others know."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from urllib3.response import BaseHTTPResponse

from tests.conformance.promises import STORAGE_API, promise
from tests.conformance.storage.objects import Objects
from tests.conformance.storage.pages import CONSISTENCY, PRECONDITIONS

Write = Callable[[Objects, int, dict[str, int]], BaseHTTPResponse]

RACES = promise(
    "Preconditions are often used to prevent race conditions in mutating requests, such as uploads, deletes, or "
    "metadata updates.",
    PRECONDITIONS,
)
# the racer writes its own source's bytes
WRITES: dict[str, Write] = {
    "media": lambda objects, racer, query: objects.media("x", bytes_of(racer), **query),
    "multipart": lambda objects, racer, query: objects.multipart("x", bytes_of(racer), **query),
    "resumable": lambda objects, racer, query: objects.resumable("x", bytes_of(racer), **query),
    "copy": lambda objects, racer, query: objects.copy(f"source{racer}", "x", **query),
    "rewrite": lambda objects, racer, query: objects.rewrite(f"source{racer}", "x", **query),
    "move": lambda objects, racer, query: objects.move(f"source{racer}", "x", **query),
    "compose": lambda objects, racer, query: objects.compose([f"source{racer}"], "x", **query),
}


def bytes_of(racer: int) -> bytes:
    return b"%02d" % racer * 1000


def race(objects: Objects, racers: ThreadPoolExecutor, write: Write, conditions: dict[str, int]) -> None:
    """Hold that one of sixteen wins and that the object is its."""
    list(racers.map(lambda racer: objects.media(f"source{racer}", bytes_of(racer)), range(16)))
    replies = list(racers.map(lambda racer: write(objects, racer, conditions), range(16)))
    assert Counter(reply.status for reply in replies) == {200: 1, 412: 15}
    (winner,) = [racer for racer, reply in enumerate(replies) if reply.status == 200]
    assert objects.download("x").data == bytes_of(winner)


@RACES
@promise("Setting to 0 makes the operation succeed only if there are no live versions of the object.", STORAGE_API)
@pytest.mark.parametrize("name", WRITES)
def test_one_of_sixteen_racers_for_a_new_name_wins(objects: Objects, racers: ThreadPoolExecutor, name: str) -> None:
    race(objects, racers, WRITES[name], {"ifGenerationMatch": 0})


@RACES
@promise("conditional on whether the object's current generation matches the given value.", STORAGE_API)
@pytest.mark.parametrize("name", WRITES)
def test_one_of_sixteen_racers_over_a_generation_wins(objects: Objects, racers: ThreadPoolExecutor, name: str) -> None:
    generation = int(objects.media("x", b"old").json()["generation"])
    race(objects, racers, WRITES[name], {"ifGenerationMatch": generation})


@RACES
def test_one_of_sixteen_racers_over_a_metageneration_wins(objects: Objects, racers: ThreadPoolExecutor) -> None:
    objects.media("x", b"x")
    replies = list(
        racers.map(
            lambda racer: objects.patch("x", {"metadata": {"by": str(racer)}}, ifMetagenerationMatch=1), range(16)
        )
    )
    assert Counter(reply.status for reply in replies) == {200: 1, 412: 15}
    (winner,) = [racer for racer, reply in enumerate(replies) if reply.status == 200]
    assert objects.get("x").json()["metadata"] == {"by": str(winner)}


@RACES
def test_one_of_sixteen_racers_deletes_a_generation(objects: Objects, racers: ThreadPoolExecutor) -> None:
    generation = int(objects.media("x", b"x").json()["generation"])
    statuses = [
        reply.status for reply in racers.map(lambda _: objects.delete("x", ifGenerationMatch=generation), range(16))
    ]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 404, 412}
    assert objects.names() == []


@promise(
    "you never receive a 404 Not Found response or stale data for a read-after-write or "
    "read-after-metadata-update operation.",
    CONSISTENCY,
)
def test_readers_of_a_busy_name_never_see_two_writers(objects: Objects, racers: ThreadPoolExecutor) -> None:
    def write(racer: int) -> set[int]:
        return {objects.media("x", bytes([65 + racer]) * 100_000).status for _ in range(10)}

    objects.media("x", b"@" * 100_000)
    writers = [racers.submit(write, racer) for racer in range(3)]
    seen = [objects.download("x") for _ in range(30)]
    assert [writer.result() for writer in writers] == [{200}] * 3
    assert {(reply.status, len(reply.data), len(set(reply.data))) for reply in seen} == {(200, 100_000, 1)}


@promise("Moves the source object to the destination object in the same bucket.", STORAGE_API)
def test_a_moving_object_is_always_there_once(objects: Objects, racers: ThreadPoolExecutor) -> None:
    objects.media("n0", b"x")

    def move_on() -> set[int]:
        return {objects.move(f"n{turn}", f"n{turn + 1}").status for turn in range(30)}

    moving = racers.submit(move_on)
    seen = {len(objects.names()) for _ in range(30)}
    assert moving.result() == {200}
    assert seen == {1}
