"""Prefect's own worker, a real Prefect server, and a flow in a container of the local Cloud Run."""

import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from prefect.client.schemas.actions import WorkPoolCreate
from prefect_gcp.workers.cloud_run_v2 import CloudRunWorkerV2

from localcloud import supervisor
from tests.localcloud.run.fleet import PARENT, get, secret_of
from tests.prefect_api import prefect_api

FLOW = """
import os
from prefect import flow

@flow(log_prints=True)
def hello():
    print("in", os.environ["CLOUD_RUN_EXECUTION"])
"""


@pytest.mark.timeout(300)
def test_the_worker_runs_a_deployment_as_a_job_that_gets_its_password_from_a_secret_and_leaves_no_job(
    cloud: dict[str, str], tmp_path: Path
) -> None:
    data = Path(cloud["PREFECT_HOME"]).parent
    name = f"worker-{uuid.uuid4().hex[:8]}"
    (tmp_path / "hello.py").write_text(FLOW)
    localcloud = [sys.executable, "-m", "localcloud"]
    subprocess.run([*localcloud, "image", f"{name}:1", f"--folder={tmp_path}", f"--data={data}"], check=True)
    secret_of(supervisor.addresses_of(data)["secretmanager"], name, cloud["PREFECT_API_AUTH_STRING"])
    template = CloudRunWorkerV2.get_default_base_job_template()
    settings = {
        "image": f"{name}:1",
        "env": {"PREFECT_API_URL": cloud["PREFECT_API_URL"]},
        "prefect_api_auth_string_secret": {"secret": name, "version": "latest"},
    }
    with prefect_api(cloud) as api:
        api.create_work_pool(WorkPoolCreate(name=name, type=CloudRunWorkerV2.type, base_job_template=template))
        deployment = api.create_deployment(
            flow_id=api.create_flow_from_name(name),
            name=name,
            work_pool_name=name,
            entrypoint="hello.py:hello",
            path=str(tmp_path),
            job_variables=settings,
        )
        run = api.create_flow_run_from_deployment(deployment)

        worker = subprocess.run(
            [*localcloud, "worker", f"--data={data}", f"--pool={name}", "--wait-s=0.2", "--", "--run-once"],
            env={**os.environ, **cloud},
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        state = api.read_flow_run(run.id).state

    said = worker.stdout + worker.stderr
    assert (worker.returncode, state and state.name) == (0, "Completed"), said
    (log,) = re.findall(r"Job run logs can be found on GCP at: file://(\S+)", said)
    text = Path(log).read_text()
    assert f"in {Path(log).stem}" in text
    assert "attempt 0: succeeded; exit code 0; peak memory " in text
    jobs = get(supervisor.addresses_of(data)["run"], f"/v2/{PARENT}/jobs").get("jobs", [])
    assert [job["name"] for job in jobs if f"{name}:1" in json.dumps(job)] == []
    assert cloud["PREFECT_API_AUTH_STRING"] not in said + text
