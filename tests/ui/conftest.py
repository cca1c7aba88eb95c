"""Prefect's UI in a real browser, on the local cloud as its user has it: blocks, deployments and a worker."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from prefect.client.orchestration import SyncPrefectClient

from tests.prefect_api import prefect_api
from tests.ui.seen import Seen

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# root has no sandbox to use; the others keep the browser from asking its maker's hosts
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or its sibling, without a window."""
    if not CHROMIUM:
        why = "no chromium on the PATH, expected a browser to use the UI with: apt-get install chromium"
        (pytest.fail if os.environ.get("CI", "") not in {"", "false"} else pytest.skip)(why)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def user(cloud: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of somebody who has done what the tutorial says, up to a worker in a second terminal."""
    data = Path(cloud["CLOUDSDK_CONFIG"]).parent
    logs = tmp_path_factory.mktemp("ui")
    told = {"LANDFALL_SLACK_WEBHOOK": "http://127.0.0.1:9/services/nobody-listens"}
    # a folder of files that were not installed would be copied for each run: an image has what the Dockerfile copies
    image = logs / "image"
    image.mkdir()
    (image / "flows").symlink_to(ROOT / "flows")
    account = "landfall-local-worker@local.iam.gserviceaccount.com"
    shell = {**os.environ, **cloud, **told, "LANDFALL_IMAGE": "landfall:local", "LANDFALL_WORKER_ACCOUNT": account}

    def python(*arguments: str, text: str = "") -> str:
        command = [sys.executable, "-W", "ignore", *arguments]
        done = subprocess.run(command, input=text, env=shell, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    outputs = python("-m", "localcloud", "provision", "--cloud-run", "--data", str(data))
    python("-m", "blocks", "--environment", "local", text=outputs)
    python("-m", "localcloud", "image", "--data", str(data), "--folder", str(image), "landfall:local")
    python("-m", "deployments")
    quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_HEARTBEAT_SECONDS": "5"}
    with (logs / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "localcloud", "worker", f"--data={data}", "--pool=landfall-local", "--wait-s=0.5"],
            env={**shell, **quick}, cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield shell
    finally:
        worker.terminate()
        worker.wait(timeout=30)


@pytest.fixture(scope="session")
def api(user: dict[str, str]) -> Iterator[SyncPrefectClient]:
    """The server that the UI asks, once it hears of the worker; what was registered is removed, or it would run."""
    with prefect_api(user) as client:
        asked: Any = client.request
        deadline = time.monotonic() + 120
        while asked("GET", "/work_pools/landfall-local").json()["status"] != "READY":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield client
        for what in ("deployments", "automations"):
            for each in asked("POST", f"/{what}/filter", json={}).json():
                if "environment:local" in each["tags"]:
                    asked("DELETE", f"/{what}/{each['id']}")


@pytest.fixture(scope="session")
def seen(browser: Browser, user: dict[str, str]) -> Iterator[Seen]:
    """The UI, past its password."""
    with Seen.signed_in(browser, user["PREFECT_API_URL"].removesuffix("/api"), user["PREFECT_API_AUTH_STRING"]) as ui:
        yield ui
