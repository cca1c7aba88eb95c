"""`landfall doctor` as a process: on the local cloud, in a place where everything is wrong, and where nothing is."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from flows.cli.main import app
from flows.doctor.checks import NAMES
from tests.end_to_end.place import Place

ROOT = Path(__file__).parents[2]
SECRETS = {
    "PREFECT__CLOUD__AUTH_TOKEN": "s3cret-old-token",
    "PREFECT__CONTEXT__SECRETS__SALESFORCE": "s3cret-old-secret",
    "LANDFALL_DATABASE_PASSWORD": "s3cret-password",
}

Rows = list[dict[str, Any]]


def doctor(variables: Mapping[str, str], *options: str) -> tuple[int, str]:
    """Run it; gives the exit code, and all that it said."""
    ended = subprocess.run(
        [sys.executable, "-m", "flows.cli", "doctor", *options],
        env={**variables, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return ended.returncode, ended.stdout


def verdicts(said: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in map(json.loads, said.splitlines()):
        found.setdefault(row["check"], []).append(row["verdict"])
    return found


def test_on_the_local_cloud_nothing_is_a_problem_and_no_secret_is_shown(
    cloud: dict[str, str], place: Place, tmp_path: Path
) -> None:
    (tmp_path / ".prefect").mkdir()
    (tmp_path / ".prefect" / "config.toml").write_text('[cloud]\nauth_token = "s3cret-in-file"\n')
    code, said = doctor({**os.environ, **cloud, **place.settings, **SECRETS, "HOME": str(tmp_path)}, "--json")
    found = verdicts(said)
    assert (code, list(found)) == (0, list(NAMES)), said
    assert {name: {*each} for name, each in found.items() if {*each} != {"ok"}} == {
        "config.toml": {"warning"},  # what this test has put there
        "pool": {"skipped"},  # this place has blocks alone
        "deployments": {"skipped"},
        "scheduler": {"skipped"},
        "worker": {"skipped"},
        "outputs": {"skipped"},
        "run": {"skipped"},
        "secretmanager": {"skipped"},
        "secret": {"skipped"},
        "settings": {"skipped"},  # no Terraform here
    }
    assert "s3cret" not in said
    assert cloud["PREFECT_API_AUTH_STRING"] not in said


def test_each_thing_that_is_wrong_is_a_problem_of_its_own_and_what_follows_is_skipped(
    cloud: dict[str, str], place: Place
) -> None:
    place.bigquery.delete_dataset(place.dataset)
    bucket = place.storage.bucket(place.bucket)
    bucket.labels = {"environment": "prod"}
    bucket.patch()
    code, said = doctor(
        {**os.environ, **cloud, **place.settings}, "--only", "bucket", "--only", "dataset", "--only", "labels"
    )
    assert (code, said.splitlines()) == (
        1,
        [
            f"ok       bucket         gs://{place.bucket} in US",
            f"problem  dataset        local.{place.dataset}: not there",
            f"{'':<24}-> make apply ENV={place.name}; on a laptop make blocks ENV={place.name} makes it as well",
            "skipped  labels         not looked at: `dataset` comes first, and has a problem",
            "1 ok, 1 problem, 1 skipped",
        ],
    )


def test_hosts_that_stay_silent_do_not_hold_it_for_long(cloud: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # accepts, and never answers
        silent = f"http://127.0.0.1:{listening.getsockname()[1]}"
        host = silent.removeprefix("http://")
        variables = {
            **os.environ,
            **cloud,
            "PREFECT_API_URL": f"{silent}/api",
            "GCE_METADATA_HOST": host,
            "GCE_METADATA_ROOT": host,
            "GCE_METADATA_IP": host,
        }
        began = time.monotonic()
        code, said = doctor(variables, "--json")
    assert time.monotonic() - began < 45  # 18 s, and what a busy machine takes for Python to begin
    found = verdicts(said)
    assert (code, found["prefect"], found["credentials"], found["blocks"]) == (1, ["problem"], ["problem"], ["skipped"])


def test_where_nothing_is_set_it_says_how_to_begin(tmp_path: Path) -> None:
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_GCE_CHECK": "true"}
    code, said = doctor(bare, "--json")
    rows: Rows = [json.loads(line) for line in said.splitlines()]
    assert code == 1
    assert [row["check"] for row in rows] == list(NAMES)
    laptop = 'on a laptop: make up && eval "$(make -s env)"'
    assert {row["check"]: row["what_to_do"].partition(";")[0] for row in rows if row["verdict"] == "problem"} == {
        "environment": laptop,
        "prefect": laptop,
        "credentials": laptop,
    }
    assert {row["verdict"] for row in rows[rows.index(next(r for r in rows if r["check"] == "blocks")) :]} == {
        "skipped"
    }


def test_a_check_that_does_not_exist_is_refused_with_those_that_do() -> None:
    found = CliRunner().invoke(app, ["doctor", "--only", "bukcet"])
    assert found.exit_code == 2
    assert "bukcet" in found.output
