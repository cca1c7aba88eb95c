"""What `landfall serve` registers and asks for: at a real Prefect server, each test with an environment of its own."""

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from blocks.server import Server
from deployments import serving
from deployments.declared import Declared
from deployments.errors import DeclarationError
from deployments.next_run import next_run, shown
from deployments.serving import Served
from flows import settings
from flows.cli import serve as command
from flows.doctor.registered import declared_names
from flows.etl import contract as contracts
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)
RULE = "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1;BYHOUR=7;BYMINUTE=0;BYSECOND=0"
KNOWN = contracts.names(settings.CONTRACTS)


@pytest.fixture
def environment() -> str:
    return f"s{uuid.uuid4().hex[:8]}"


@pytest.fixture
def server(cloud: dict[str, str], environment: str) -> Iterator[Server]:
    """The server; what is registered is removed, for it would plan its runs."""
    with prefect_api(cloud) as client:
        yield Server(client)
        asked = {"deployments": {"tags": {"all_": serving.tags(environment)}}}
        for each in Server(client).pages("/deployments/filter", asked):
            remove(client, each["id"])


def remove(client: SyncPrefectClient, deployment: str) -> None:
    client.request("DELETE", f"/deployments/{deployment}")  # type: ignore[arg-type]


def choose(environment: str, *names: str, monkeypatch: pytest.MonkeyPatch) -> list[Declared]:
    monkeypatch.chdir(ROOT)
    variables = {"LANDFALL_ENVIRONMENT": environment}
    return serving.choose(Path("prefect.yaml"), environment, variables, names, KNOWN)


@pytest.fixture
def flights(environment: str, monkeypatch: pytest.MonkeyPatch) -> Declared:
    (found,) = choose(environment, "flights", monkeypatch=monkeypatch)
    return found


def test_everything_is_served_but_what_looks_after_cloud_run(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [each.full_name for each in choose("local", monkeypatch=monkeypatch)]
    declared = declared_names(ROOT / "prefect.yaml", "local")
    assert declared - Counter(name.partition("/")[2] for name in names) == Counter(["often-local"])
    assert [name for name in names if name.startswith(("recover", "reconcile", "sweep"))] == [
        "reconcile/nightly-local",
        "sweep/nightly-local",
    ]


def test_a_name_may_leave_out_flow_and_environment_and_may_be_a_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("flights", "weather-local", "sweep/nightly", "airlines", "flights")
    found = choose("local", *asked, monkeypatch=monkeypatch)
    assert [(each.full_name, each.fields["parameters"]) for each in found] == [
        ("web-to-bigquery/flights-local", {"contract": "flights"}),
        ("web-to-bigquery/weather-local", {"contract": "weather"}),
        ("sweep/nightly-local", {}),
        ("web-to-bigquery/airlines-local", {"contract": "airlines"}),
    ]


def test_an_unknown_name_and_what_cannot_be_served_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeclarationError, match=r"^fligths: found no such deployment, expected one of airlines, "):
        choose("local", "fligths", monkeypatch=monkeypatch)
    with pytest.raises(DeclarationError, match=r"^recover/often-local: cannot be served: it looks after Cloud Run's"):
        choose("local", "often", monkeypatch=monkeypatch)


def test_each_kind_of_schedule_is_at_the_server_as_given(server: Server, flights: Declared, environment: str) -> None:
    planned = serving.by_hand("0 6 * * *", 3600, RULE, "America/New_York")
    (found,) = serving.register(server, [serving.served(flights, environment, ROOT, planned)])
    assert found.full_name == f"web-to-bigquery/flights-{environment}-served"
    assert {each["slug"]: (shown(each["schedule"]), each["active"]) for each in found.schedules} == {
        "cron": ("cron 0 6 * * * America/New_York", True),
        "interval": ("every 3600 s from 2026-01-01T00:00:00", True),
        "rrule": (f"rrule {RULE} America/New_York", True),
    }
    there = server.read(f"/deployments/{found.id}")
    assert (there["work_pool_name"], there["job_variables"], there["tags"]) == (
        None,
        {},
        ["landfall", f"served:{environment}"],
    )
    assert there["pull_steps"] == [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}]


def test_the_server_makes_runs_of_a_schedule(server: Server, flights: Declared, environment: str) -> None:
    wanted = serving.served(flights, environment, ROOT, serving.by_hand(None, 3600, None, "UTC"))
    (found,) = serving.register(server, [wanted])
    asked = {"flow_runs": {"deployment_id": {"any_": [found.id]}}, "sort": "EXPECTED_START_TIME_ASC"}
    until = time.monotonic() + 60
    while not (runs := server.pages("/flow_runs/filter", asked)):
        assert time.monotonic() < until, "no run within a minute"
        time.sleep(0.5)
    assert [run["auto_scheduled"] for run in runs[:2]] == [True, True]
    first, second = (dt.datetime.fromisoformat(run["expected_start_time"]) for run in runs[:2])
    assert (first.minute, second - first) == (0, dt.timedelta(hours=1))


def test_what_people_paused_or_added_is_so_after_another_start(
    server: Server, flights: Declared, environment: str
) -> None:
    def start(cron: str) -> Served:
        planned = serving.by_hand(cron, 3600, None, "UTC")
        (found,) = serving.register(server, [serving.served(flights, environment, ROOT, planned)])
        return found

    first = start("0 6 * * *")
    path = f"/deployments/{first.id}"
    (cron,) = (each for each in first.schedules if each["slug"] == "cron")
    server.patch(f"{path}/schedules/{cron['id']}", {"active": False})
    server.post(f"{path}/schedules", [{"schedule": {"cron": "5 5 * * *", "timezone": "UTC"}}])
    server.patch(path, {"paused": True})
    again = start("0 7 * * *")
    assert again.paused
    assert {(each["slug"], shown(each["schedule"]), each["active"]) for each in again.schedules} == {
        ("cron", "cron 0 7 * * * UTC", False),
        ("interval", "every 3600 s from 2026-01-01T00:00:00", True),
        (None, "cron 5 5 * * * UTC", True),
    }


def test_a_schedule_that_is_given_no_more_goes(server: Server, flights: Declared, environment: str) -> None:
    serving.register(
        server, [serving.served(flights, environment, ROOT, serving.by_hand("0 6 * * *", None, None, "UTC"))]
    )
    (found,) = serving.register(server, [serving.served(flights, environment, ROOT, [])])
    assert found.schedules == []


def test_the_work_pools_deployment_of_the_same_name_is_named_if_both_would_run(
    server: Server, flights: Declared, environment: str
) -> None:
    planned = serving.by_hand("0 6 * * *", None, None, "UTC")
    found = serving.register(server, [serving.served(flights, environment, ROOT, planned)])
    assert serving.also_active(server, found) == []
    flow = server.post("/flows/", {"name": "web-to-bigquery"})
    body = {
        "flow_id": flow["id"],
        "name": f"flights-{environment}",
        "tags": serving.tags(environment),
        "schedules": [{"schedule": {"cron": "0 6 * * *"}}],
    }
    pools = server.post("/deployments/", body)
    assert serving.also_active(server, found) == [f"web-to-bigquery/flights-{environment}"]
    server.patch(f"/deployments/{pools['id']}", {"paused": True})
    assert serving.also_active(server, found) == []


def test_a_schedule_without_what_the_flow_needs_is_refused(
    server: Server, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_of_them = choose(environment, "web-to-bigquery/any", monkeypatch=monkeypatch)
    planned = serving.by_hand("0 6 * * *", None, None, "UTC")
    with pytest.raises(DeclarationError, match=r"schedule cron: found no value of contract, expected one"):
        serving.register(server, [serving.served(each, environment, ROOT, planned) for each in any_of_them])
    assert server.pages("/deployments/filter", {"deployments": {"tags": {"all_": serving.tags(environment)}}}) == []


@pytest.mark.parametrize(
    ("cron", "interval_s", "rrule", "timezone"),
    [("every day", None, None, "UTC"), (None, None, "FREQ=NEVER", "UTC"), ("0 6 * * *", None, None, "Mars/Olympus")],
)
def test_a_schedule_that_is_none_is_refused(
    cron: str | None, interval_s: int | None, rrule: str | None, timezone: str
) -> None:
    with pytest.raises(DeclarationError, match=r"^landfall serve: schedules\[0\]: found .*; nothing was written$"):
        serving.by_hand(cron, interval_s, rrule, timezone)


class _Runs(Server):
    """Answers with runs, and notes what is cancelled."""

    def __init__(self, runs: list[dict[str, Any]]) -> None:
        self.runs, self.cancelled = runs, list[str]()

    def pages(self, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        assert (path, asked["sort"]) == ("/flow_runs/filter", "EXPECTED_START_TIME_DESC")
        assert asked["flow_runs"]["next_scheduled_start_time"] == {"before_": NOW.isoformat()}
        return self.runs

    def post(self, path: str, body: Any) -> None:
        assert (body["state"]["type"], body["force"]) == ("CANCELLED", True)
        self.cancelled.append(path)


def test_of_runs_that_nobody_served_the_last_of_each_kind_is_made_up_for() -> None:
    def run(name: str, deployment: str, contract: str, *, planned: bool = True) -> dict[str, Any]:
        return {"id": name, "deployment_id": deployment, "parameters": {"c": contract}, "auto_scheduled": planned}

    there = _Runs(
        [
            run("by hand", "a", "flights", planned=False),
            run("newest", "a", "flights"),
            run("another contract", "a", "weather"),
            run("older", "a", "flights"),
            run("another deployment", "b", "flights"),
            run("oldest", "a", "flights"),
        ]
    )
    assert serving.drop_missed(there, [Served("a", "f/a", False, []), Served("b", "f/b", False, [])], NOW) == 2
    assert there.cancelled == ["/flow_runs/older/set_state", "/flow_runs/oldest/set_state"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"cron": "0 6 * * *", "timezone": "America/New_York"}, "2026-11-24T11:00:00+00:00"),
        ({"interval": 3600, "anchor_date": "2026-01-01T00:30:00Z"}, "2026-11-24T03:30:00+00:00"),
        ({"rrule": f"DTSTART:20200101T000000\n{RULE}", "timezone": "UTC"}, "2026-12-07T07:00:00+00:00"),
    ],
)
def test_the_next_run_is_as_prefect_reckons(when: dict[str, Any], expected: str) -> None:
    found = next_run(when, NOW)
    assert found is not None
    assert found.astimezone(dt.UTC).isoformat() == expected


def test_a_rule_that_has_ended_has_no_next_run() -> None:
    assert next_run({"rrule": "DTSTART:20200101T000000\nFREQ=DAILY;COUNT=2", "timezone": "UTC"}, NOW) is None


def test_what_is_served_is_a_row_a_schedule_for_programs_and_for_people() -> None:
    cron = {"cron": "0 6 * * *", "timezone": "America/New_York"}
    ended = {"rrule": "DTSTART:20200101T000000\nFREQ=DAILY;COUNT=2", "timezone": "UTC"}
    schedules: list[dict[str, Any]] = [
        {"slug": "cron", "active": True, "schedule": cron},
        {"slug": None, "active": False, "schedule": {"interval": 60.0, "anchor_date": "2026-01-01T00:00:00Z"}},
        {"slug": "rrule", "active": True, "schedule": ended},
    ]
    served = [Served("1", "a/b", paused=False, schedules=schedules), Served("2", "c/d", paused=False, schedules=[])]
    served += [Served("3", "e/f", paused=True, schedules=schedules[:1])]
    found = [[*row.values()] for row in command.rows(served, NOW)]
    due = dt.datetime(2026, 11, 24, 11, tzinfo=dt.UTC)
    assert found == [
        ["a/b", None, "every 60 s from 2026-01-01T00:00:00", True, None],
        ["a/b", "cron", "cron 0 6 * * * America/New_York", False, due],
        ["a/b", "rrule", "rrule FREQ=DAILY;COUNT=2 UTC", False, None],
        ["c/d", None, None, False, None],
        ["e/f", "cron", "cron 0 6 * * * America/New_York", True, None],
    ]
    shown_when = [*command.table(served, NOW).columns[2].cells]
    assert shown_when == ["paused", "2026-11-24 06:00:00 EST", "never", "when somebody asks", "paused"]
