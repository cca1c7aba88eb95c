"""The REST surface: what is refused, what is made up on request, and what outlives the API."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from googleapiclient.errors import HttpError

from localcloud.run.outcome import read_outcome
from localcloud.run.resources import SETTLE_S
from tests.localcloud.run.fleet import PARENT, CloudRun, body, log_of, name, served, until

CREATE = "run.projects.locations.jobs.create"
RUN = "run.projects.locations.jobs.run"
GET = "run.projects.locations.jobs.executions.get"
UNKNOWN = "Invalid JSON payload received. Unknown name"
GOOGLES_OWN = {"template": {"template": {"containers": [{"image": "python:local"}], "volumes": [{"name": "x"}]}}}


def refused(request: Any) -> tuple[int, str]:
    """Return the status and the message of a request that must be refused."""
    with pytest.raises(HttpError) as raised:
        request.execute(num_retries=0)
    error = json.loads(raised.value.content)["error"]
    assert error["code"] == raised.value.status_code
    return error["code"], error["message"]


def arm(cloud_run: CloudRun, **fault: Any) -> None:
    answer = urllib3.request("POST", f"{cloud_run.address}/localcloud/faults", json=fault)
    assert answer.status == 200, answer.data


def fired(cloud_run: CloudRun) -> list[int]:
    """Return how often each fault was met, and disarm all."""
    found = urllib3.request("GET", f"{cloud_run.address}/localcloud/faults").json()["faults"]
    urllib3.request("DELETE", f"{cloud_run.address}/localcloud/faults")
    return [fault["fired"] for fault in found]


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        (GOOGLES_OWN, 501, f"{CREATE}: the field template.template.volumes is not part of the local Cloud Run"),
        (body("1", memory="many"), 400, "Invalid value specified for memory: 'many'."),
        (
            body("1", timeout="soon"),
            400,
            "Invalid value at template.template.timeout: found 'soon', expected seconds, as in 3.5s",
        ),
        (body("1", maxRetries=[]), 400, "Invalid value at template.template.maxRetries: found [], expected integer"),
        ({}, 400, "job.template.template: is required"),
        (
            {"surprise": 1},
            400,
            f'{UNKNOWN} "surprise": Cannot find field.',
        ),
        (
            {"template": {"template": {"containers": [{"imagine": "x"}]}}},
            400,
            f"""{UNKNOWN} "imagine" at 'template.template.containers[0]': Cannot find field.""",
        ),
    ],
)
def test_a_field_that_is_not_understood_is_refused_and_named(
    cloud_run: CloudRun, given: Any, status: int, message: str
) -> None:
    job = name()

    assert refused(cloud_run.locations.jobs().create(parent=PARENT, jobId=job, body=given)) == (status, message)
    assert refused(cloud_run.locations.jobs().get(name=f"{PARENT}/jobs/{job}"))[0] == 404


def test_methods_and_parameters_that_are_not_understood_are_refused_and_named(cloud_run: CloudRun) -> None:
    jobs = cloud_run.locations.jobs()

    assert refused(cloud_run.locations.services().list(parent=PARENT)) == (
        501,
        "The method run.projects.locations.services.list is not part of the local Cloud Run",
    )
    assert refused(jobs.create(parent=PARENT, jobId=name(), validateOnly=True, body=body("1"))) == (
        501,
        f"{CREATE}: the parameter validateOnly is not part of the local Cloud Run",
    )
    unknown = urllib3.request("GET", f"{cloud_run.address}/v2/{PARENT}/jobs?surprise=1")
    assert (unknown.status, "surprise" in unknown.json()["error"]["message"]) == (400, True)


def test_what_is_not_there_and_what_is_there_twice(cloud_run: CloudRun) -> None:
    jobs = cloud_run.locations.jobs()
    job = cloud_run.create("print(1)")
    identity = job.rpartition("/")[2]

    assert refused(jobs.create(parent=PARENT, jobId=identity, body=body("1"))) == (
        409,
        f"Resource '{identity}' already exists.",
    )
    assert refused(jobs.create(parent=PARENT, jobId="Upper", body=body("1")))[0] == 400
    missing = "Resource 'absent' of kind 'JOB' in region 'us-central1' in project 'local' does not exist."
    for request in (
        jobs.get(name=f"{PARENT}/jobs/absent"),
        jobs.delete(name=f"{PARENT}/jobs/absent"),
        jobs.run(name=f"{PARENT}/jobs/absent", body={}),
    ):
        assert refused(request) == (404, missing)
    assert refused(jobs.executions().get(name=f"{job}/executions/absent"))[0] == 404
    assert refused(cloud_run.locations.operations().get(name=f"{PARENT}/operations/absent"))[0] == 404


def test_a_new_job_is_reconciled_before_it_is_ready(cloud_run: CloudRun) -> None:
    made = cloud_run.locations.jobs().create(parent=PARENT, jobId=name(), body=body("1")).execute()

    assert made["done"] is False
    assert made["metadata"]["@type"] == "type.googleapis.com/google.cloud.run.v2.Job"
    assert (made["metadata"]["reconciling"], made["metadata"]["terminalCondition"]["state"]) == (
        True,
        "CONDITION_RECONCILING",
    )
    ready = cloud_run.done(made)["response"]
    assert (ready["reconciling"], ready["terminalCondition"]["state"]) == (False, "CONDITION_SUCCEEDED")


def test_a_job_that_is_not_ready_cannot_be_run(cloud_run: CloudRun) -> None:
    def too_soon() -> bool:
        """Run a job that was just made, and say whether it was still to be reconciled when that was answered."""
        began = time.time()
        made = cloud_run.locations.jobs().create(parent=PARENT, jobId=name(), body=body("1")).execute()
        try:
            cloud_run.locations.jobs().run(name=made["metadata"]["name"], body={}).execute(num_retries=0)
        except HttpError as error:
            return error.status_code == 400 and "is not ready and cannot be run" in str(error)
        assert time.time() - began >= SETTLE_S  # a busy machine was slower than the job
        return False

    assert any(too_soon() for _ in range(20))


def test_executions_and_jobs_are_listed_page_by_page_and_the_job_names_its_latest(cloud_run: CloudRun) -> None:
    job = cloud_run.create("print(1)")
    made = [cloud_run.end(cloud_run.start(job)).resource["name"] for _ in range(3)]
    executions = cloud_run.locations.jobs().executions()

    first = executions.list(parent=job, pageSize=2).execute()
    second = executions.list(parent=job, pageSize=2, pageToken=first["nextPageToken"]).execute()

    assert [each["name"] for each in first["executions"] + second["executions"]] == made[::-1]
    assert "nextPageToken" not in second
    shown = cloud_run.locations.jobs().get(name=job).execute()
    latest = shown["latestCreatedExecution"]
    assert (shown["executionCount"], latest["name"], latest["completionStatus"]) == (3, made[2], "EXECUTION_SUCCEEDED")
    assert job in [each["name"] for each in cloud_run.locations.jobs().list(parent=PARENT).execute()["jobs"]]
    executions.delete(name=made[0]).execute()
    assert len(executions.list(parent=job).execute()["executions"]) == 2


def test_a_secret_that_is_missing_fails_the_execution_and_no_value_is_in_any_answer(cloud_run: CloudRun) -> None:
    secret = cloud_run.secret("open sesame")
    env = [
        {"name": "THERE", "valueSource": {"secretKeyRef": {"secret": secret, "version": "1"}}},
        {"name": "GONE", "valueSource": {"secretKeyRef": {"secret": secret, "version": "2"}}},
    ]

    ended = cloud_run.run("print(1)", env=env)

    where = "spec.template.spec.containers[0].env[1].value_from.secret_key_ref.name"
    assert ended.condition == {
        "type": "Completed",
        "state": "CONDITION_FAILED",
        "reason": "SECRETS_ACCESS_CHECK_FAILED",
        "message": f"{where}: Secret projects/local/secrets/{secret}/versions/2 was not found",
    }
    working = cloud_run.run("print(1)", env=env[:1])
    assert working.counts == {"succeededCount": 1}
    kept = [path for path in cloud_run.data.rglob("*") if path.is_file() and b"open sesame" in path.read_bytes()]
    assert kept == []  # it is kept as base64, which the next line shows to be private
    (path,) = (cloud_run.data / "secretmanager").rglob(f"{secret}.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "open sesame" not in json.dumps([ended.resource, ended.operation, working.resource, working.log])


@pytest.mark.parametrize(("status", "code"), [("UNAVAILABLE", 503), ("RESOURCE_EXHAUSTED", 429), ("INTERNAL", 500)])
def test_a_fault_on_request_is_met_as_often_as_was_said_and_nothing_is_made(
    cloud_run: CloudRun, status: str, code: int
) -> None:
    arm(cloud_run, method=CREATE, status=status, times=2)
    request = cloud_run.locations.jobs().create(parent=PARENT, jobId=name(), body=body("1"))

    assert [refused(request)[0] for _ in range(2)] == [code, code]
    assert request.execute()["done"] is False
    assert fired(cloud_run) == [2]


def test_a_lost_reply_is_a_cut_connection_after_the_work_was_done(cloud_run: CloudRun) -> None:
    job = cloud_run.create("print(1)")
    arm(cloud_run, method=RUN, status="LOST")

    with pytest.raises(urllib3.exceptions.ProtocolError):
        urllib3.request("POST", f"{cloud_run.address}/v2/{job}:run", json={}, retries=False)

    assert fired(cloud_run) == [1]
    assert cloud_run.locations.jobs().get(name=job).execute()["executionCount"] == 1


def test_an_error_can_come_after_the_work_was_done(cloud_run: CloudRun) -> None:
    job = cloud_run.create("print(1)")
    arm(cloud_run, method=RUN, status="UNAVAILABLE", after=True)

    assert refused(cloud_run.locations.jobs().run(name=job, body={}))[0] == 503

    assert fired(cloud_run) == [1]
    assert cloud_run.locations.jobs().get(name=job).execute()["executionCount"] == 1


def test_an_unknown_kind_of_fault_is_refused(cloud_run: CloudRun) -> None:
    answer = urllib3.request("POST", f"{cloud_run.address}/localcloud/faults", json={"method": GET, "status": "BAD"})

    assert answer.status == 400
    assert fired(cloud_run) == []


def test_an_execution_outlives_the_api_and_is_found_again(tmp_path: Path) -> None:
    with served(tmp_path) as before:
        job = before.create("import time; print('ready', flush=True); time.sleep(1.5); print('done')")
        started = before.start(job)
        before.until_it_says(started, "ready")

    with served(tmp_path) as after:
        ended = after.end(after.locations.operations().get(name=started["name"]).execute())
        shown = after.locations.jobs().get(name=job).execute()

    assert ended.log.splitlines()[:2] == ["ready", "done"]
    assert ended.counts == {"succeededCount": 1}
    assert shown["latestCreatedExecution"]["completionStatus"] == "EXECUTION_SUCCEEDED"


def test_an_execution_whose_keeper_was_killed_has_failed_and_leaves_no_process(tmp_path: Path) -> None:
    with served(tmp_path) as cloud_run:
        started = cloud_run.start(cloud_run.create("import time; print('ready', flush=True); time.sleep(60)"))
        running = cloud_run.until_it_says(started, "ready")
        outcome = read_outcome(tmp_path / "cloudrun" / "executions" / running["name"].rpartition("/")[2])
        assert outcome is not None
        assert outcome.container is not None

        os.kill(outcome.keeper.pid, signal.SIGKILL)
        until(lambda: outcome.keeper.process() is None)
        ended = cloud_run.end(started)

        assert ended.counts == {"failedCount": 1}
        assert ended.condition["message"].endswith("The container exited with an error.")
        container = outcome.container
        until(lambda: container.process() is None)


def test_nothing_is_left_when_a_container_has_ended(tmp_path: Path) -> None:
    with served(tmp_path) as cloud_run:
        ended = cloud_run.run("print(1)")
        until(lambda: not psutil.Process().children())

        assert list((tmp_path / "run").iterdir()) == []  # the pid files
        assert log_of(ended.resource).startswith("1\n")
