"""The flow itself, as the page on it says: the block from a variable, a run by hand, and what it says in the end."""

import re
import uuid
from pathlib import Path

import pytest

from tests.end_to_end.runner import Run, Runner
from tests.postgres.place import Place
from tests.postgres.server import Server

PAGE = Path(__file__).parents[2] / "docs" / "postgres.md"


class Environment:
    """An environment of its own, with a database or without."""

    def __init__(self, runner: Runner, cloud: dict[str, str]) -> None:
        self._runner, self.name = runner, f"t{uuid.uuid4().hex[:8]}"
        self._publisher = cloud["LANDFALL_PUBLISHER"]

    def register(self, **settings: str) -> None:
        assert self._runner.run("register", self.name, "local", f"landfall-{self.name}-lake", **settings).code == 0

    def run(self, *arguments: str) -> Run:
        settings = {"LANDFALL_ENVIRONMENT": self.name, "LANDFALL_PUBLISHER": self._publisher}
        return self._runner.run("web_to_postgres", *arguments, **settings)


@pytest.fixture
def environment(runner: Runner, cloud: dict[str, str]) -> Environment:
    return Environment(runner, cloud)


def url(server: Server) -> str:
    return f"postgresql+psycopg://landfall@127.0.0.1:{server.port}/postgres"


def test_the_pages_lines_land_a_month_and_find_it_up_to_date(place: Place, environment: Environment) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (arguments,) = re.findall(r"^\.venv/bin/python flows/web_to_postgres\.py (.+)$", page, re.MULTILINE)
    environment.register(LANDFALL_DATABASE_URL=url(place.server), LANDFALL_DATABASE_PASSWORD="not asked for")  # noqa: S106
    first = environment.run(*arguments.split())
    assert (first.code, f"`{first.last_line}`" in page) == (0, True), first.text
    second = environment.run(*arguments.split())
    assert (second.code, f"`{second.last_line}`" in page) == (0, True), second.text
    assert second.last_line == "1 partition up to date"
    rows = place.ask("SELECT count(*), count(DISTINCT file_month) FROM landfall.practice_trips")
    assert rows == place.ask("SELECT source_rows, 1 FROM landfall.landings_current")
    (mark,) = place.ask("SELECT obj_description('landfall'::regnamespace)")
    assert mark == (f"Landfall's tables of the environment {environment.name}",)

    # a snapshot, and a month that is refused beside others that land
    assert environment.run("airlines").last_line == "1 partition landed: 16 source rows = 16 loaded + 0 quarantined"
    refused = environment.run("flights", "2013-01", "--source", f"{place.publisher.url}/none.csv.gz")
    assert (refused.code, refused.last_line) == (1, "1 partition failed")
    assert "found 404 Not Found, expected 200" in refused.text


def test_without_its_block_a_run_says_in_one_line_what_to_set(environment: Environment) -> None:
    run = environment.run("airlines")
    assert run.code == 1
    assert (
        f"expected the block of environment {environment.name}'s database: set the output database_url" in run.last_line
    )
    assert "Traceback" not in run.text


def test_a_block_of_another_database_is_refused_in_one_line(environment: Environment) -> None:
    environment.register(LANDFALL_DATABASE_URL="sqlite+pysqlite:///trips.db")
    run = environment.run("airlines")
    assert run.code == 1
    assert "found the driver sqlite+pysqlite, expected one of postgresql, postgresql+psycopg" in run.last_line
