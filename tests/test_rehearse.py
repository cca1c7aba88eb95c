"""The rehearsal's frame: what it says and leaves when a program is missing, a step fails, or somebody stops it.

The rehearsal itself is run by .ci/run.
"""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from rehearsal import reconciliation
from rehearsal.commands import Shell, surroundings
from rehearsal.frame import Step, StepFailed, Verdict, rehearse
from rehearsal.reconciliation import Line

ROOT = Path(__file__).parent.parent
VERDICT = Verdict(lambda: "rows are there", "what it costs")
JANUARY = Line("flights", "2013-01", 10, 10, 1, 9, 9, 9, "job-1", "COMPLETED", 150.0)


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


class Said:
    """What the frame said, with all times alike, and which steps were done."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.done: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(re.sub(r"\d+\.\d s|in \d+ s", "T", line))

    def step(self, name: str, says: str = "ok", needs: str | None = None) -> Step:
        def run() -> str:
            self.done.append(name)
            return says

        return Step(name, run, needs)


@pytest.fixture
def said() -> Said:
    return Said()


def test_every_step_is_a_line_and_the_last_line_says_what_is_proven_and_what_is_not(said: Said) -> None:
    steps = [said.step("up"), said.step("runs", "3 runs\nand a table")]
    assert rehearse(steps, said.step("down"), VERDICT, said, in_ci=True) == 0
    assert said.lines == [
        " 1/3 up              T  ok",
        " 2/3 runs            T  3 runs",
        "      and a table",
        " 3/3 down            T  ok",
        "proven T: rows are there; no laptop proves what it costs",
    ]


def test_without_a_program_ci_does_nothing_and_fails(said: Said) -> None:
    steps = [said.step("up"), said.step("apply", needs="no-such-program")]
    assert rehearse(steps, said.step("down"), VERDICT, said, in_ci=True) == 1
    assert said.done == []
    assert said.lines == [
        "no-such-program: not found on the PATH, expected in CI, where nothing may be left out; nothing was rehearsed"
    ]


def test_without_a_program_elsewhere_its_steps_are_left_out_named_and_counted(said: Said) -> None:
    needs = "no-such-program"
    steps = [said.step("up"), said.step("apply", needs=needs), said.step("blocks"), said.step("destroy", needs=needs)]
    assert rehearse(steps, said.step("down"), VERDICT, said, in_ci=False) == 0
    assert said.done == ["up", "blocks", "down"]
    assert said.lines[-2:] == [
        "skipped 2 of 5 steps, for want of no-such-program: apply, destroy",
        "proven T: rows are there; no laptop proves what it costs",
    ]


def test_a_step_that_fails_is_named_with_the_end_of_its_log_and_only_the_end_is_done_after_it(
    said: Said, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, os.environ, tmp_path / "logs")
    command = [sys.executable, "-c", "for n in range(30): print('line', n)\nraise SystemExit(3)"]
    steps = [Step("blocks", lambda: shell.run("blocks", command)), said.step("deploy")]
    assert rehearse(steps, said.step("down"), VERDICT, said, in_ci=False) == 1
    assert said.done == ["down"]
    assert said.lines[0].startswith(" 1/3 blocks          T  FAILED: `")
    assert f"the end of {tmp_path}/logs/blocks.log:" in said.lines
    assert said.lines[-2:] == ["  line 29", " 3/3 down            T  ok"]
    assert "  line 4" not in said.lines
    assert not any("proven" in line for line in said.lines)


def test_an_end_that_finds_something_running_fails_the_rehearsal(said: Said) -> None:
    def down() -> str:
        raise StepFailed("found a worker still running")

    assert rehearse([said.step("up")], Step("down", down), VERDICT, said, in_ci=False) == 1
    assert said.lines[-1] == " 2/2 down            T  FAILED: found a worker still running"


def test_a_command_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    shell = Shell(tmp_path, os.environ, tmp_path)
    command = ["sh", "-c", "sleep 600 & echo $!; wait"]
    with pytest.raises(StepFailed, match="did not end within 1 s"):
        shell.run("slow", command, timeout_s=1.0)
    assert not lives(int((tmp_path / "slow.log").read_text()))


STOPPED = """
import os, sys, time
from pathlib import Path
from localcloud.signals import raise_interrupted
from rehearsal.commands import Shell
from rehearsal.frame import Step, Verdict, rehearse
from rehearsal.processes import adopt_orphans, left_running

folder = Path(sys.argv[1])
shell = Shell(folder, os.environ, folder)
started = "(setsid sleep 600 & echo $! > left); echo up; sleep 600"
raise_interrupted()
adopt_orphans()
steps = [Step("up", lambda: shell.run("up", ["sh", "-c", started]))]
down = Step("down", lambda: str(len(left_running())))
sys.exit(rehearse(steps, down, Verdict(lambda: "", ""), lambda line: print(line, flush=True), in_ci=False))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_rehearsal_that_is_stopped_leaves_nothing_running_and_says_so(tmp_path: Path, number: signal.Signals) -> None:
    stopped = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    log, left = tmp_path / "up.log", tmp_path / "left"
    deadline = time.monotonic() + 30
    while not (log.exists() and log.read_text() == "up\n"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stopped.send_signal(number)
    said, _ = stopped.communicate(timeout=60)
    assert stopped.returncode == 128 + number
    assert re.sub(r"\d+\.\d s", "T", said).splitlines() == [
        " 1/2 up              T  interrupted",
        f"{signal.strsignal(number)}: stopping what was started",
        " 2/2 down            T  1",
    ]
    assert not lives(int(left.read_text()))


def test_nothing_of_the_users_environment_reaches_a_command() -> None:
    base = {
        "PATH": "/bin",
        "LANDFALL_ENVIRONMENT": "prod",
        "PREFECT_API_URL": "https://api.prefect.cloud",
        "GOOGLE_APPLICATION_CREDENTIALS": "key.json",
        "TF_VAR_project_id": "acme",
        "MAKEFLAGS": "ENV=prod",
        "HTTPS_PROXY": "http://proxy:3128",
    }
    assert surroundings(base) == {
        "PATH": "/bin",
        **dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:1"
        ),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"published": 11}, ["flights 2013-01: the ledger has 10 source rows, the publisher's file 11"]),
        ({"quarantined": 0}, ["flights 2013-01: 10 source rows are not 9 in the lake + 0 quarantined"]),
        ({"counted": 8}, ["flights 2013-01: 9 rows in the lake, 9 loaded says the ledger, 8 counted"]),
        ({"ledger": 8}, ["flights 2013-01: 9 rows in the lake, 8 loaded says the ledger, 9 counted"]),
        ({"state": "CRASHED"}, ["flights 2013-01: Prefect says CRASHED, expected COMPLETED"]),
        ({"execution": "job-2"}, ["job-2: ran more than one partition"]),
        ({}, []),
    ],
)
def test_each_disagreement_of_the_witnesses_is_named(changes: dict[str, Any], found: list[str]) -> None:
    lines = [
        replace(JANUARY, **changes),
        Line("flights", "2013-02", 5, 5, 0, 5, 5, 5, "job-2", "COMPLETED", 1),
    ]
    assert reconciliation.wrong(lines) == found


def test_the_table_has_a_line_for_each_partition_and_their_sums() -> None:
    lines = [JANUARY, Line("flights", "2013-02", 25000, 25000, 0, 25000, 25000, 25000, "job-2", "COMPLETED", 151.6)]
    assert reconciliation.table(lines).splitlines() == [
        "contract  partition  source  quarantined    lake  warehouse  Prefect    peak MiB  Cloud Run execution",
        "flights   2013-01        10            1       9          9  COMPLETED       150  job-1",
        "flights   2013-02    25,000            0  25,000     25,000  COMPLETED       152  job-2",
        "sum                  25,010            1  25,009     25,009",
    ]
