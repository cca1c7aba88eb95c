"""What Prefect's UI has of a run: a name, tags, a state with a reason, a log, and artifacts. Asked of its API."""

import json
import threading
import time
from typing import Any, cast

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, FlowRunFilter, LogFilter
from prefect.client.schemas.objects import Artifact, FlowRun

from tests.end_to_end.place import Place
from tests.end_to_end.runner import Run
from tests.prefect_api import prefect_api


def id_of(run: Run) -> str:
    return run.text.partition("/runs/flow-run/")[2][:36]


def seen(api: SyncPrefectClient, run: Run) -> FlowRun:
    (found,) = api.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [id_of(run)]}}))
    return found


def artifacts(api: SyncPrefectClient, run: Run) -> dict[str, Artifact]:
    """Those that a run left, by their kind; what Prefect keeps of results is among them, and has no kind."""
    wanted = ArtifactFilter.model_validate({"flow_run_id": {"any_": [id_of(run)]}})
    return {each.type: each for each in api.read_artifacts(artifact_filter=wanted) if each.type}


def log(api: SyncPrefectClient, run: Run) -> str:
    """What the run's log has once its last line has come: the client sends it in batches."""
    wanted = LogFilter.model_validate({"flow_run_id": {"any_": [id_of(run)]}})
    deadline = time.monotonic() + 30
    while "Finished in state" not in (said := "\n".join(each.message for each in api.read_logs(wanted, limit=200))):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return said


def rows(artifact: Artifact) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], json.loads(str(artifact.data)))


def test_a_run_that_failed_in_part_says_what_landed_and_what_did_not_and_why(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    place.publish("2013-01", january)
    run = place.run("flights", "2013-01", "2013-02")
    why = f"{place.publisher.url}/flights/flights_2013-02.csv.gz: "
    with prefect_api(cloud) as api:
        known, left, said = seen(api, run), artifacts(api, run), log(api, run)
    assert known.state is not None
    line = "1 partition landed, 1 failed: 3000 source rows = 3000 loaded + 0 quarantined"
    assert (run.code, run.last_line) == (1, line)
    assert (known.name, known.tags) == ("flights-2013-01-to-2013-02", ["contract:flights"])
    assert known.state_name == "Failed"
    assert str(known.state.message).startswith(f"{line}; 2013-02: {why}")
    assert {kind: each.key for kind, each in left.items()} == {
        "table": f"landfall-{place.name}-flights-rows",
        "markdown": f"landfall-{place.name}-flights-summary",
        "image": f"landfall-{place.name}-flights-chart",
    } | ({"progress": None} if "progress" in left else {})  # if it took more than a second
    landed, failed = rows(left["table"])
    assert (landed["partition"], landed["source rows"], landed["warehouse rows"]) == ("2013-01", 3000, 3000)
    assert landed["job id"] in {job.job_id for job in place.jobs()}
    assert (failed["status"], str(failed["remark"]).startswith(why)) == ("failed", True)
    assert left["table"].description == line
    assert f"- **2013-02**: `{why}" in str(left["markdown"].data)
    assert str(left["image"].data).startswith("data:image/svg+xml;base64,")
    assert "flights 2013-02 failed: " in said
    assert "Traceback" not in said


def test_a_run_that_completed_says_its_last_line_and_each_run_of_a_contract_adds_to_the_same_artifacts(
    place: Place, january: list[str], cloud: dict[str, str]
) -> None:
    place.publish("2013-01", january)
    runs = [place.run("flights", "2013-01", flow=flow) for flow in ("web_to_gcs", "gcs_to_bigquery", "web_to_bigquery")]
    with prefect_api(cloud) as api:
        known, left = [seen(api, run) for run in runs], [artifacts(api, run) for run in runs]
        wanted = ArtifactFilter.model_validate({"key": {"any_": [f"landfall-{place.name}-flights-rows"]}})
        history = api.read_artifacts(artifact_filter=wanted)
    assert [each.name for each in known] == ["flights-2013-01"] * 3
    assert [each.state.message if each.state else None for each in known] == [run.last_line for run in runs]
    assert runs[2].last_line == "1 partition up to date"
    assert [rows(each["table"])[0]["status"] for each in left] == ["claimed", "landed", "up to date"]
    assert "image" not in left[2]  # nothing was landed, and there is nothing to draw
    assert len(history) == 3


def test_a_period_that_is_refused_leaves_its_reason_as_the_state_and_no_traceback(
    place: Place, cloud: dict[str, str]
) -> None:
    run = place.run("flights", "2012-01")
    with prefect_api(cloud) as api:
        known, said = seen(api, run), log(api, run)
    assert "flights: found the period 2012-01" in str(known.state.message if known.state else None)
    assert "Traceback" not in said


def test_upkeep_leaves_tables_too(place: Place, january: list[str], cloud: dict[str, str]) -> None:
    place.publish("2013-01", january)
    backfill = place.run("backfill", "flights", "--to", "2013-02", "--yes", flow="landfall")
    place.storage.bucket(place.bucket).blob("lake/flights/2013-01/left.parquet").upload_from_string(b"left")
    reconcile, sweep = place.run("flights", flow="reconcile"), place.run("--older-than-hours", "0", flow="sweep")
    with prefect_api(cloud) as api:
        left = {run.last_line: rows(artifacts(api, run)["table"]) for run in (reconcile, sweep)}
        known = seen(api, sweep)
        backfilled = rows(artifacts(api, backfill)["table"])
    assert [(row["partition"], row["status"]) for row in backfilled] == [("2013-01", "landed"), ("2013-02", "failed")]
    assert left == {
        "1 partition compared, 0 divergences": [],
        "1 object removed, 4 bytes": left[sweep.last_line],
    }
    assert left[sweep.last_line][0]["object"] == f"gs://{place.bucket}/lake/flights/2013-01/left.parquet"
    assert (known.name, known.state.message if known.state else None) == ("sweep", "1 object removed, 4 bytes")


@pytest.mark.parametrize(
    ("how", "warning"),
    [
        ("refuse", "could not leave its artifacts: ReadTimeout: no room for table"),
        ("hang", "artifacts are not there after 0 s: the run ends without"),
    ],
)
def test_a_server_that_takes_no_artifacts_fails_no_run(
    place: Place, january: list[str], how: str, warning: str
) -> None:
    place.publish("2013-01", january)
    run = place.run("flights", "2013-01", plant="tests.end_to_end.plants:no_artifacts", ARTIFACTS=how)
    assert (run.code, run.last_line) == (0, "1 partition landed: 3000 source rows = 3000 loaded + 0 quarantined")
    assert warning in run.text


def test_long_work_shows_how_far_it_has_come(place: Place, january: list[str], cloud: dict[str, str]) -> None:
    place.publish("2013-01", january)
    place.publish("2013-02", january)
    place.publisher.files["/flights/flights_2013-02.csv.gz"].held = held = threading.Event()
    run = place.start("flights", "2013-01", "2013-02")
    with prefect_api(cloud) as api:
        try:
            shown: set[float] = set()
            deadline = time.monotonic() + 60
            while 50 not in shown:
                assert time.monotonic() < deadline, (shown, run.text)
                time.sleep(0.1)
                if "/runs/flow-run/" in run.text and (found := artifacts(api, run).get("progress")):
                    shown.add(cast(float, found.data))
        finally:
            held.set()
        run.wait()
        last = artifacts(api, run)["progress"].data
    assert (run.code, last) == (0, 100)
    assert max(shown) == 50
