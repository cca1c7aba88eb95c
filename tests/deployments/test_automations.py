"""`make deploy` registers automations, and Prefect's own server sends what they say, to receivers on this machine."""

import io
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State, StateType
from prefect.states import Crashed, Failed, Pending

from blocks.__main__ import main as blocks
from deployments.__main__ import main
from flows.web_to_bigquery import web_to_bigquery
from tests.blocks.outputs import outputs
from tests.deployments import receivers
from tests.prefect_api import prefect_api

FILE = Path(__file__).parents[2] / "automations.yaml"
SECRET = "s3cr3t-0f-a-chat-4417"  # noqa: S105 - that is what it is for
PASSWORD = "passw0rd-0f-a-mailbox-9020"  # noqa: S105 - likewise
NAMES = ("a run crashed", "a run does not begin", "a run failed")

Deploy = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def environment() -> str:
    return f"a{uuid.uuid4().hex[:8]}"


@pytest.fixture
def api(cloud: dict[str, str], environment: str) -> Iterator[SyncPrefectClient]:
    """The server; its automations are removed in the end, for they would hear of other tests' runs."""
    with prefect_api(cloud) as client:
        yield client
        for each in automations(client, environment):
            client.request("DELETE", f"/automations/{each['id']}")  # type: ignore[arg-type]


def automations(api: Any, environment: str) -> list[dict[str, Any]]:
    found = api.request("POST", "/automations/filter", json={}).json()
    return sorted(
        (each for each in found if f"environment:{environment}" in each["tags"]), key=lambda each: each["name"]
    )


@pytest.fixture
def make_blocks(
    environment: str, api: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[list[str], str]]:
    """Run `make blocks` with these variables; gives the lines about notifications, and all that it printed."""
    assert api is not None

    def run(**variables: str) -> tuple[list[str], str]:
        for name in ("LANDFALL_SLACK_WEBHOOK", "LANDFALL_EMAIL"):
            monkeypatch.setenv(name, variables.get(name, ""))
        monkeypatch.setattr(sys, "stdin", io.StringIO(outputs(environment)))
        capsys.readouterr()
        blocks([])
        printed = capsys.readouterr()
        lines = [
            line for line in printed.out.splitlines() if f"landfall-{environment}-chat" in line or "-email" in line
        ]
        return lines, printed.out + printed.err

    return run


@pytest.fixture
def deploy(
    environment: str,
    api: SyncPrefectClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Deploy:
    """Run `make deploy` with no deployments and the repository's automations, or a changed text of them."""
    assert api is not None
    monkeypatch.setenv("LANDFALL_ENVIRONMENT", environment)
    (tmp_path / "prefect.yaml").write_text("deployments: []\n")
    given = tmp_path / "automations.yaml"

    def run(*options: str, change: tuple[str, str] = ("", "")) -> tuple[int, list[str], str]:
        given.write_text(FILE.read_text().replace(*change) if change[0] else FILE.read_text())
        capsys.readouterr()
        code = main([f"--file={tmp_path / 'prefect.yaml'}", f"--automations={given}", *options])
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err

    return run


def all_of(environment: str, word: str) -> list[str]:
    order = ("a run failed", "a run crashed", "a run does not begin")  # as in the file
    return [f"{word:<9} landfall-{environment}: {name} (automation)" for name in order]


def test_without_a_place_to_tell_no_block_and_no_automation_is_made(
    make_blocks: Callable[..., tuple[list[str], str]], deploy: Deploy
) -> None:
    assert make_blocks()[0] == []
    assert deploy() == (0, [], "")


def test_addresses_are_kept_secret_and_stay_where_they_are_not_given_again(
    make_blocks: Callable[..., tuple[list[str], str]], api: Any, environment: str
) -> None:
    chat, email = f"https://hooks.example.org/{SECRET}", f"mailtos://me:{PASSWORD}@smtp.example.org?to=team@example.org"
    names = [f"landfall-{environment}-chat (custom-webhook)", f"landfall-{environment}-email (slack-webhook)"]
    made = make_blocks(LANDFALL_SLACK_WEBHOOK=chat, LANDFALL_EMAIL=email)
    again, moved = make_blocks(), make_blocks(LANDFALL_SLACK_WEBHOOK=f"{chat}-2")
    assert [lines for lines, _ in (made, again, moved)] == [
        [f"created   {name}" for name in names],
        [f"unchanged {name}" for name in names],
        [f"updated   {names[0]}", f"unchanged {names[1]}"],
    ]
    assert "secrets.address: (a secret) -> (a secret)" in moved[1]
    named = {"block_documents": {"name": {"like_": environment}}}
    shown = api.request("POST", "/block_documents/filter", json=named).text
    kept = api.request("POST", "/block_documents/filter", json={**named, "include_secrets": True}).text
    assert [secret in kept for secret in (f"{SECRET}-2", PASSWORD)] == [True, True]
    told = "".join([shown, *(text for _, text in (made, again, moved))])
    assert [secret for secret in (SECRET, PASSWORD) if secret in told] == []


@pytest.mark.parametrize("name", ["LANDFALL_SLACK_WEBHOOK", "LANDFALL_EMAIL"])
def test_what_is_no_address_is_refused_and_not_repeated(
    make_blocks: Callable[..., tuple[list[str], str]], name: str
) -> None:
    lines, text = make_blocks(**{name: f"hooks.example.org/{SECRET}"})
    assert lines == []
    assert text.startswith(f"{name}: found something else than an address, expected ")
    assert SECRET not in text


def test_a_second_registration_changes_nothing_and_a_persons_pause_stays(
    make_blocks: Callable[..., tuple[list[str], str]], deploy: Deploy, api: Any, environment: str
) -> None:
    make_blocks(LANDFALL_SLACK_WEBHOOK=f"https://hooks.example.org/{SECRET}")
    assert deploy("--check") == (2, all_of(environment, "to create"), "")
    assert automations(api, environment) == []
    assert deploy() == (0, all_of(environment, "created"), "")
    before = automations(api, environment)
    assert deploy() == (0, all_of(environment, "unchanged"), "")
    assert automations(api, environment) == before
    assert [each["name"] for each in before] == [f"landfall-{environment}: {name}" for name in NAMES]
    api.request("PATCH", f"/automations/{before[1]['id']}", json={"enabled": False})
    code, lines, error = deploy(change=("within: 900", "within: 60"))
    assert (code, lines[2:], error) == (
        0,
        [
            f"updated   landfall-{environment}: a run does not begin (automation)",
            "          trigger.within: 900.0 -> 60.0",
        ],
        "",
    )
    after = automations(api, environment)
    assert [(each["id"], each["enabled"]) for each in after] == [
        *((before[0]["id"], True), (before[1]["id"], False), (before[2]["id"], True)),
    ]
    make_blocks(LANDFALL_EMAIL="mailtos://smtp.example.org?to=team@example.org")
    assert deploy()[1][0] == f"updated   landfall-{environment}: a run failed (automation)"
    assert [len(each["actions"]) for each in automations(api, environment)] == [2, 2, 2]


def test_what_has_left_the_file_is_listed_and_removed_when_asked_for(
    make_blocks: Callable[..., tuple[list[str], str]], deploy: Deploy, api: Any, environment: str
) -> None:
    make_blocks(LANDFALL_SLACK_WEBHOOK=f"https://hooks.example.org/{SECRET}")
    deploy()
    code, lines, _ = deploy(change=(": a run crashed", ": a run is gone"))
    left = f"landfall-{environment}: a run crashed (automation)"
    assert (code, lines[-1]) == (0, f"left over {left}: --prune removes it")
    assert deploy("--prune", change=(": a run crashed", ": a run is gone"))[1][-1] == f"removed   {left}"
    assert len(automations(api, environment)) == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("subject: ", "title: "), "found the key title, expected one of body, description, name, subject, trigger"),
        (("posture: Reactive", "posture: Idle"), "trigger."),
        (("$LANDFALL_ENVIRONMENT", "$NOBODY_SET_IT"), "found no value of NOBODY_SET_IT, expected one; set it"),
        (("automations:\n", "automation:\n"), "found the key automation, expected one of automations, definitions"),
    ],
)
def test_a_declaration_that_does_not_hold_is_refused_in_one_line(
    make_blocks: Callable[..., tuple[list[str], str]], deploy: Deploy, change: tuple[str, str], why: str
) -> None:
    make_blocks(LANDFALL_SLACK_WEBHOOK=f"https://hooks.example.org/{SECRET}")
    code, lines, error = deploy(change=change)
    assert (code, lines) == (1, [])
    assert why in error
    assert error.endswith("nothing was written\n")


def test_a_run_that_failed_crashed_or_does_not_begin_sends_one_message_each_to_chat_and_mailbox(
    make_blocks: Callable[..., tuple[list[str], str]], deploy: Deploy, api: SyncPrefectClient, environment: str
) -> None:
    flow = api.create_flow(web_to_bigquery)

    def run(name: str, of: str, *states: State[Any]) -> None:
        deployment = api.create_deployment(flow, f"any-{of}", tags=["landfall", f"environment:{of}"])
        found = api.create_flow_run_from_deployment(deployment, name=name)
        for state in states:
            api.set_flow_run_state(found.id, state, force=True)

    late: State[Any] = State(type=StateType.SCHEDULED, name="Late")
    with receivers.chat() as (url, texts), receivers.mail_server() as (port, mails):
        make_blocks(
            LANDFALL_SLACK_WEBHOOK=f"{url}/{SECRET}",
            LANDFALL_EMAIL=f"mailto://127.0.0.1:{port}?from=landfall@example.org&to=team@example.org",
        )
        assert deploy(change=("within: 900", "within: 10"))[0] == 0
        run("flights-2013-01", environment, Failed(message="1 partition failed; 2013-01: no luck"))
        run("flights-2013-02", environment, Crashed(message="out of memory"))
        run("flights-2013-03", environment, late)
        run("flights-2013-04", environment, late, Pending())  # it began after all
        run("flights-2013-05", f"{environment}-2", Failed(message="another environment's"))
        deadline = time.monotonic() + 120
        while len(texts) < 3 or len(mails) < 3:
            assert time.monotonic() < deadline, (texts, mails)
            time.sleep(0.2)
        time.sleep(3)  # what comes twice comes soon
    where = f"(landfall-{environment})"
    ends = ("01 failed", "02 crashed", "03 does not begin")
    subjects = [f"flights-2013-{end} {where}" for end in ends]
    assert sorted(text.partition("\n")[0] for text in texts) == [f"/{SECRET} *{subject}*" for subject in subjects]
    assert sorted(mail.partition("\n")[0] for mail in mails) == [f"team@example.org {subject}" for subject in subjects]
    failed = next(text for text in texts if "flights-2013-01" in text)
    assert "1 partition failed; 2013-01: no luck" in failed
    assert "/runs/flow-run/" in failed
    assert "out of memory" in next(mail for mail in mails if "flights-2013-02" in mail)
