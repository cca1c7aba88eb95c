"""Contents of a month that a test can tell apart, row by row, and a reader that sees none but whole ones."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.postgres.place import Place

LENIENT: dict[str, Any] = {"quarantine": {"max_rows": 10}}
Rows = list[tuple[Any, ...]]


class Content:
    """A file, its rows that fit, and the one that does not."""

    def __init__(self, name: str, rows: int) -> None:
        self.name = name
        self.rows = [(number, name) for number in range(1, rows + 1)]
        self.bad = [f"bad,{name}"]
        self.lines = [*(f"{number},{name}" for number, _ in self.rows), *self.bad]


def state(place: Place) -> tuple[Rows, list[str], list[int]]:
    """Give the rows, those put aside, and the ledger's numbers, all at one moment."""
    with psycopg.connect(**place.server.address()) as reader:  # type: ignore[arg-type]
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        if reader.execute("SELECT to_regclass('landfall.landings')").fetchone() == (None,):
            return [], [], []
        there = reader.execute("SELECT to_regclass('landfall.trips')").fetchone() != (None,)
        rows = reader.execute("SELECT id, name FROM landfall.trips ORDER BY 1, 2").fetchall() if there else []
        aside = reader.execute("SELECT raw FROM landfall.quarantine ORDER BY 1").fetchall()
        numbers = reader.execute("SELECT n FROM landfall.landings ORDER BY 1").fetchall()
    return rows, [raw for (raw,) in aside], [n for (n,) in numbers]


@contextmanager
def watched(place: Place, contents: list[Content]) -> Iterator[list[str]]:
    """Read the table again and again; fails unless each answer is one of these contents, whole.

    Gives the names of the contents that were seen, in order, each time that they changed.
    """
    wanted = {(len(each.rows), each.name, each.name): each.name for each in contents}
    seen: list[str] = []
    wrong: list[Any] = []
    stop = threading.Event()

    def look() -> None:
        with psycopg.connect(**place.server.address(), autocommit=True) as reader:  # type: ignore[arg-type]
            while not stop.is_set():
                found = reader.execute("SELECT count(*), min(name), max(name) FROM landfall.trips").fetchone()
                name = wanted.get(found or ())
                if name is None:
                    wrong.append(found)
                elif seen[-1:] != [name]:
                    seen.append(name)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert wrong == []
