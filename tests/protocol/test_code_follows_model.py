"""The model's steps are the code's: one landing's requests, named by what they do, are the model's path."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from flows.settings import CONTRACTS
from tests.end_to_end.place import Place
from tests.protocol.landing_model import RULES, Search, World, alone, bigquery, start, step
from tests.proxy import Asked, Proxy

# what the code asks for in each step of the model; a step that is only a look at what was answered asks for nothing
REQUESTS = {
    "plan": ["list all"],
    "bring": ["bring"],
    "upload": ["upload"],
    "list": ["list"],
    "look": ["look"],
    "claim": ["claim"],
    "history": ["list"],
    "served": ["look"],
    "copy": ["copy"],
    "fence": ["list", "fence"],
    "wait": ["wait"],
    "relist": ["list"],
    "submit": ["submit"],
    "await": [],
    "count": ["count", "list"],
    "repair": ["copy", "claim"],
    "record": ["record"],
}


def name_of(asked: Asked) -> str | None:  # noqa: C901, PLR0911 - a table of requests
    """Name what a request does for a step; None for those that neither change nor decide anything."""
    address = urlsplit(asked.path)
    path, query = unquote(address.path), parse_qs(address.query)
    match asked.method:
        case "GET" if path.endswith(".csv.gz"):
            return "bring"
        case "HEAD" if path.endswith(".csv.gz"):
            return "look"
        case "PUT" if "/upload/" in path and not asked.headers["Content-Range"].endswith("*"):
            return "upload"
        case "GET" if path.endswith("/o") and query["prefix"] == ["log/flights/"]:
            return "list all"
        case "GET" if path.endswith("/o"):
            return "list"
        case "POST" if "/upload/" in path and b"log/flights" in asked.body:
            return "claim"
        case "POST" if "/rewriteTo/" in path or "/copyTo/" in path:
            return "fence" if "superseded/" in path.rpartition("To/")[2] else "copy"
        case "GET" if "/jobs/landfall-" in path:
            return "wait"
        case "POST" if path.endswith("/jobs") and b'"load"' in asked.body:
            return "submit"
        case "POST" if b"SELECT COUNT" in asked.body:
            return "count"
        case "POST" if b"INSERT INTO" in asked.body:
            return "record"
    return None


@pytest.fixture
def watched(place: Place, cloud: dict[str, str]) -> Iterator[tuple[dict[str, str], list[Asked]]]:
    """Addresses of proxies before publisher, storage and BigQuery, and all that passes them, in order."""
    seen: list[Asked] = []
    with (
        Proxy(place.publisher.url, seen=seen) as publisher,
        Proxy(cloud["STORAGE_EMULATOR_HOST"], seen=seen) as storage,
        Proxy(cloud["BIGQUERY_EMULATOR_HOST"], seen=seen) as warehouse,
    ):
        yield (
            {
                "LANDFALL_PUBLISHER": publisher.url,
                "STORAGE_EMULATOR_HOST": storage.url,
                "BIGQUERY_EMULATOR_HOST": warehouse.url,
            },
            seen,
        )


def shortened(names: Sequence[str]) -> list[str]:
    return [name for name, _ in groupby(names)]


def asked_for(seen: list[Asked]) -> list[str]:
    """Name what was asked for, less whether a job just sent is done: a slow machine asks that, too."""
    names = shortened([name for asked in seen if (name := name_of(asked))])
    return [
        name
        for before, name in zip(["", *names], names, strict=False)
        if (before, name) not in (("submit", "wait"), ("record", "wait"))
    ]


def steps_of_the_model(world: World, wants: int) -> list[str]:
    """Let one process of the model run alone, and give what the code should ask for."""
    steps, end = alone(world, set(RULES), Search("A"), wants)
    assert isinstance(end, World)
    if wants >= 0:
        assert end.table == world.log[wants].content
        return shortened([name for each in steps for name in REQUESTS[each]])
    assert end.table in (world.feed[0], world.log[-1].content if world.log else "")
    older = world.log[max(world.ledger, default=0) :]
    if steps[-1] == "plan":
        return ["list all", "look"]
    names = [name for each in steps for name in REQUESTS[each]]
    if not older or (len(older) == 1 and older[0].content == world.feed[0]):  # nothing to fence, nothing to wait for
        names = [name for name in names if name not in ("fence", "wait")]
    if world.ledger:
        names.insert(1, "look")  # the plan's own HEAD request, for a partition that is settled
    return shortened(names)


def after_one_run(*contents: str, until: str = "end") -> World:
    """Let a process of the model land these contents, one after the other, the last up to a step."""
    world = start(Search(contents[0], processes=1))
    for number, content in enumerate(contents):
        world = world._replace(feed=(content,), processes=start(Search(content, processes=1)).processes)
        last = until if number == len(contents) - 1 else "end"
        while world.processes[0].step != last:
            following = step(world, 0, set(RULES), Search(content)) or [
                w for w in bigquery(world) if "flaky" not in dict(w.jobs).values()
            ]
            world = following[0]
    return world


@pytest.mark.parametrize(
    "scenario",
    [
        *("first", "claimed, not loaded", "re-published", "re-published, with rows put aside", "up to date"),
        *("brought back", "brought back, and stands"),
    ],
)
def test_the_code_takes_the_models_steps(
    scenario: str, place: Place, january: list[str], watched: tuple[dict[str, str], list[Asked]], tmp_path: Path
) -> None:
    addresses, seen = watched
    plant, arguments, wants = None, ["flights", "2013-01"], -1
    place.publish("2013-01", january[:50])
    match scenario:
        case "first":
            world = start(Search("A", processes=1))
        case "claimed, not loaded":
            assert place.run("flights", "2013-01", flow="web_to_gcs", **addresses).code == 0
            world = after_one_run("A", until="fence")
        case "re-published":
            assert place.run("flights", "2013-01", **addresses).code == 0
            place.publish("2013-01", january[:60])
            world = after_one_run("A")._replace(feed=("B",))
        case "re-published, with rows put aside":
            checked = "[quarantine]\nmax_rows = 2\n[[checks]]\ncheck = 'change'\nmax_fraction = 0.5\n"
            (tmp_path / "flights.toml").write_text((CONTRACTS / "flights.toml").read_text() + checked)
            plant = "tests.end_to_end.plants:other_contracts"
            addresses["OTHER_CONTRACTS"] = str(tmp_path)
            for rows in (50, 60):
                place.publish("2013-01", [*january[:rows], "not a flight"])
                if rows == 50:
                    assert place.run("flights", "2013-01", plant=plant, **addresses).code == 0
            world = after_one_run("A")._replace(feed=("B",))
        case "brought back" | "brought back, and stands":
            for rows in (50, 60):
                place.publish("2013-01", january[:rows])
                assert place.run("flights", "2013-01", **addresses).code == 0
            world, back = start(Search("B", landed="AB")), ["--as-of", "0"]
            if scenario == "brought back":
                arguments, wants = [*arguments, *back], 0
            else:
                assert place.run(*arguments, *back, **addresses).code == 0
                after = alone(world, set(RULES), Search("B"), 0)[1]
                assert isinstance(after, World)
                world = after
        case _:
            assert place.run("flights", "2013-01", **addresses).code == 0
            world = after_one_run("A")
    seen.clear()
    run = place.run(*arguments, plant=plant, **addresses)
    assert run.code == 0, run.text
    assert asked_for(seen) == steps_of_the_model(world, wants)
    put_aside = [asked for asked in seen if "quarantine/" in unquote(asked.path)]
    assert bool(put_aside) == (plant is not None)
