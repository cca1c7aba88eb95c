"""Prefect's UI, used as the tutorial's reader would: a run from the form, its artifacts, a block, a schedule."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import expect
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter
from prefect.client.schemas.objects import Artifact, FlowRun

from tests.ui.seen import Seen

NAME = "practice_trips-2021-01-to-2021-02"
LINE = "2 partitions landed: 104253 source rows = 104253 loaded + 0 quarantined"
SLOW_S = 240  # until a run has ended, on a machine that is busy

pytestmark = pytest.mark.timeout(600)


def deployment(api: SyncPrefectClient) -> Any:
    return api.read_deployment_by_name("web-to-bigquery/practice_trips-local")


def ended(api: SyncPrefectClient, run_id: UUID) -> FlowRun:
    deadline = time.monotonic() + SLOW_S
    while not ((run := api.read_flow_run(run_id)).state and run.state.is_final()):
        assert time.monotonic() < deadline, run
        time.sleep(0.5)
    return run


@pytest.fixture(scope="module")
def landed(seen: Seen, api: SyncPrefectClient) -> FlowRun:
    """A run of two months, started from the form and watched in the UI until it has ended."""
    seen.go(f"/deployments/deployment/{deployment(api).id}", "practice_trips-local")
    seen.button("Run").click()
    seen.page.get_by_role("menuitem", name="Custom run").click()
    seen.text("The first period, or the only one").wait_for()
    for index, period in enumerate(("2021-01", "2021-02")):
        seen.page.get_by_role("tab", name="str").nth(index).click()
        seen.page.locator("form textarea").nth(1 + index).fill(period)  # behind the contract's
    seen.page.keyboard.press("Tab")  # or the click would first end the typing, and the button move away under it
    seen.picture("form")
    with seen.page.expect_response(lambda answer: answer.url.endswith("/create_flow_run")) as started:
        seen.button("Submit").click()
    run = FlowRun.model_validate(started.value.json())
    seen.go(f"/runs/flow-run/{run.id}")
    seen.page.get_by_text("Completed", exact=True).first.wait_for(timeout=SLOW_S * 1000)
    return ended(api, run.id)


@pytest.fixture
def left(landed: FlowRun, api: SyncPrefectClient) -> dict[str, Artifact]:
    """What the run left, by kind."""
    wanted = ArtifactFilter.model_validate({"flow_run_id": {"any_": [landed.id]}})
    return {each.type: each for each in api.read_artifacts(artifact_filter=wanted) if each.type}


def test_a_run_from_the_form_lands_what_was_asked_for_and_is_shown_with_its_name_and_last_line(
    seen: Seen, landed: FlowRun
) -> None:
    given = {name: value for name, value in landed.parameters.items() if value is not None}
    assert given == {"contract": "practice_trips", "first": "2021-01", "last": "2021-02"}
    assert (landed.name, landed.state.message if landed.state else None) == (NAME, LINE)
    assert {*landed.tags} == {"landfall", "environment:local", "contract:practice_trips"}
    seen.go(f"/runs/flow-run/{landed.id}?tab=Details", NAME, "contract:practice_trips", LINE)
    seen.picture("run", whole=True, settled_ms=6000)


def test_the_table_of_a_run_shows_each_partition_with_its_counts(seen: Seen, left: dict[str, Artifact]) -> None:
    table = left["table"]
    seen.go(f"/artifacts/artifact/{table.id}", "landfall-local-practice-trips-rows", LINE)
    for row in json.loads(str(table.data)):
        shown = seen.page.get_by_role("row").filter(has_text=row["partition"]).first
        expect(shown).to_contain_text(str(row["warehouse rows"]))
    seen.picture("rows")


def test_the_summary_is_shown_as_text_with_a_line_for_each_partition(seen: Seen, left: dict[str, Artifact]) -> None:
    seen.go(f"/artifacts/artifact/{left['markdown'].id}", "Where it is", "local.landfall_local.practice_trips")
    expect(seen.page.get_by_role("listitem").filter(has_text="2021-02").first).to_contain_text("49,476 rows in lake/")
    seen.picture("summary")


def test_the_chart_is_drawn(seen: Seen, left: dict[str, Artifact]) -> None:
    seen.go(f"/artifacts/artifact/{left['image'].id}", "Rows by partition")
    image = seen.page.locator("img[src^='data:image/svg+xml']")
    image.wait_for()
    assert image.evaluate("image => [image.complete, image.naturalWidth]") == [True, 640]
    seen.picture("chart")


def test_the_artifacts_page_has_one_entry_for_each_key(seen: Seen, left: dict[str, Artifact]) -> None:
    seen.go("/artifacts", *(str(each.key) for each in left.values() if each.key))


def test_a_block_shows_what_it_holds(seen: Seen, api: SyncPrefectClient) -> None:
    block = api.read_block_document_by_name("landfall-local-lake", "gcs-bucket")
    seen.go(f"/blocks/block/{block.id}", "landfall-local-lake")
    seen.picture("block")


def test_automations_say_what_they_listen_to_and_a_chats_address_is_not_shown(seen: Seen) -> None:
    seen.go("/automations", "landfall-local: a run failed", "environment:local", "landfall-local-chat")
    assert "nobody-listens" not in seen.page.content()
    seen.picture("automations")


def test_a_schedule_that_a_person_sets_and_pauses_stays_so_when_deployments_are_registered_again(
    seen: Seen, api: SyncPrefectClient, user: dict[str, str]
) -> None:
    where = f"/deployments/deployment/{deployment(api).id}"
    seen.go(where, "practice_trips-local")
    seen.button("Schedule").click()
    dialog = seen.page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Cron").click()
    dialog.get_by_label("Value").fill("0 7 * * *")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="hidden")
    made = seen.page.get_by_role("switch").first
    expect(made).to_be_checked()
    made.click()
    expect(made).not_to_be_checked()
    seen.picture("schedule")

    def schedules() -> list[tuple[Any, bool]]:
        return [(getattr(each.schedule, "cron", None), each.active) for each in deployment(api).schedules]

    deadline = time.monotonic() + 60
    while schedules() != [("0 7 * * *", False)]:
        assert time.monotonic() < deadline, schedules()
        time.sleep(0.2)
    command = [sys.executable, "-W", "ignore", "-m", "deployments"]
    subprocess.run(command, env=user, cwd=Path(__file__).parents[2], check=True, capture_output=True)
    assert schedules() == [("0 7 * * *", False)]
    seen.go(where, "practice_trips-local")
    expect(seen.page.get_by_role("switch").first).not_to_be_checked()


def test_no_page_of_all_these_broke(seen: Seen, landed: FlowRun) -> None:
    assert landed
    assert seen.problems == []
