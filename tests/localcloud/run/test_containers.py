"""What a container gets, and how it ends."""

import json
import re
import sys
from pathlib import Path

import psutil
import pytest

from localcloud.run.order import GRACE_S
from tests.localcloud.run.fleet import IMAGE, CloudRun, Ended, body, log_of, served, until

GROWING = "import time; kept = []\nwhile True:\n    kept.append(bytearray(1 << 20)); time.sleep(0.001)"
# the memory is a grandchild's, which has left the group and whose parent is gone
GROWING_APART = f"""
import subprocess, sys, time
middle = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)"
subprocess.run([sys.executable, "-c", middle, {GROWING!r}], check=True)
time.sleep(60)
"""
WRITING = """
import tempfile, time
with tempfile.TemporaryFile() as unnamed, open("/dev/zero", "rb") as zeros:
    unnamed.write(zeros.read(100 << 20)); unnamed.flush()
    del zeros; time.sleep(60)
"""
POLITE = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (print('asked'), sys.exit(0)))\n"


def failed(ended: Ended, code: int, message: str) -> dict[str, str]:
    """The condition that Cloud Run gives a task that failed."""
    return {
        "type": "Completed",
        "state": "CONDITION_FAILED",
        "message": f"Task {ended.id}-task0 failed with exit code: {code} and message: {message}",
        "executionReason": "NON_ZERO_EXIT_CODE",
    }


def peak_mib(ended: Ended) -> float:
    """What the closing line of the last attempt says."""
    return float(re.findall(r"peak memory ([\d.]+) of", ended.log)[-1])


def test_a_container_has_exactly_the_declared_environment_and_what_cloud_run_the_image_and_the_network_give(
    cloud_run: CloudRun,
) -> None:
    secret = cloud_run.secret("open sesame")
    env = [
        {"name": "PLAIN", "value": "1"},
        {"name": "EMPTY"},
        {"name": "SECRET", "valueSource": {"secretKeyRef": {"secret": secret, "version": "latest"}}},
    ]

    ended = cloud_run.run("import json, os; print(json.dumps(dict(os.environ)))", env=env)

    found = json.loads(ended.log.splitlines()[0])
    home, folder = found.pop("HOME"), found.pop("TMPDIR")
    assert {home.rpartition("/")[0], folder.rpartition("/")[0]} == {
        str(cloud_run.data / "cloudrun" / "executions" / ended.id / "files")
    }
    assert found.pop("PATH").split(":")[0] == sys.executable.rpartition("/")[0]
    assert found == {
        "PLAIN": "1",
        "EMPTY": "",
        "SECRET": "open sesame",
        "CLOUD_RUN_JOB": ended.resource["job"].rpartition("/")[2],
        "CLOUD_RUN_EXECUTION": ended.id,
        "CLOUD_RUN_TASK_ATTEMPT": "0",
        "CLOUD_RUN_TASK_COUNT": "1",
        "CLOUD_RUN_TASK_INDEX": "0",
        "LANG": "C.UTF-8",
        "OF_THE_IMAGE": "1",
        "PYTHONPATH": str(cloud_run.data),
        "PYTHONUNBUFFERED": "1",
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1",
    }


def test_one_run_may_have_other_arguments_variables_and_time(cloud_run: CloudRun) -> None:
    code = "import os, sys; print(sys.argv[1:], os.environ['A'], os.environ['B'])"
    job = cloud_run.create("python", "-c", code, env=[{"name": "A", "value": "a"}, {"name": "B", "value": "b"}])

    override = {"args": ["python", "-c", code, "more"], "env": [{"name": "B", "value": "other"}]}
    ended = cloud_run.end(cloud_run.start(job, containerOverrides=[override], timeout="30s"))

    assert ended.log.splitlines()[0] == "['more'] a other"
    assert ended.resource["template"]["timeout"] == "30s"


def test_a_container_that_ends_well_has_succeeded(cloud_run: CloudRun) -> None:
    ended = cloud_run.run("print('done')")

    assert re.fullmatch(r"Execution completed successfully in [\d.]+s\.", ended.condition.pop("message"))
    assert (ended.condition["type"], ended.condition["state"]) == ("Completed", "CONDITION_SUCCEEDED")
    assert ended.counts == {"succeededCount": 1}
    assert ended.operation["response"]["name"] == ended.resource["name"]
    said, closing = ended.log.splitlines()
    assert said == "done"
    assert re.fullmatch(r"localcloud: attempt 0: succeeded; exit code 0; peak memory .* of 512\.0 MiB; .* s", closing)


@pytest.mark.parametrize("code", [GROWING, GROWING_APART, WRITING], ids=["its own", "a stray grandchild's", "a file's"])
def test_a_container_over_its_memory_limit_is_killed_with_all_its_processes(cloud_run: CloudRun, code: str) -> None:
    before = {process.pid for process in psutil.process_iter()}

    ended = cloud_run.run(code, memory="64Mi")

    assert ended.condition == failed(ended, 0, "The configured memory limit was reached.")
    assert ended.counts == {"failedCount": 1}
    assert peak_mib(ended) > 64
    assert ended.operation["error"] == {"code": 9, "message": ended.condition["message"]}
    mine = [p for p in psutil.process_iter(["pid", "cmdline"]) if p.pid not in before and p.info["cmdline"]]
    assert [p.info["cmdline"] for p in mine if "kept.append" in str(p.info["cmdline"])] == []


def test_pages_that_processes_share_count_once(cloud_run: CloudRun) -> None:
    code = "import os, time; kept = bytearray(b'1') * (40 << 20)\n[os.fork() for _ in range(2)]; time.sleep(0.5)"

    ended = cloud_run.run(code, memory="80Mi")

    assert ended.condition["state"] == "CONDITION_SUCCEEDED"
    assert 40 < peak_mib(ended) < 80  # four processes, each with 40 MiB that it has from the first


def test_a_container_that_takes_too_long_gets_sigterm_and_fails_however_it_then_ends(cloud_run: CloudRun) -> None:
    ended = cloud_run.run(POLITE + "time.sleep(60)", timeout="1s")

    assert ended.condition == failed(ended, 0, "The configured timeout was reached.")
    assert ended.log.splitlines()[0] == "asked"
    assert "attempt 0: timeout; exit code 0;" in ended.log


def test_a_container_that_does_not_care_is_killed_some_time_after_sigterm(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)"

    with served(tmp_path, grace_s=1.0) as cloud_run:
        ended = cloud_run.run(code, timeout="1s")

    assert GRACE_S == 10.0  # as Cloud Run has it
    assert ended.condition == failed(ended, 0, "The configured timeout was reached.")
    (took,) = re.findall(r"attempt 0: timeout; exit code 137; .* MiB; ([\d.]+) s", ended.log)
    assert float(took) >= 2.0


def test_a_cancelled_container_gets_sigterm(cloud_run: CloudRun) -> None:
    started = cloud_run.start(cloud_run.create(POLITE + "print('ready'); time.sleep(60)", maxRetries=3))
    running = cloud_run.until_it_says(started, "ready")
    assert (running["runningCount"], running["conditions"][0]["state"]) == (1, "CONDITION_RECONCILING")

    cancelling = cloud_run.locations.jobs().executions().cancel(name=running["name"], body={}).execute()
    ended = cloud_run.end(cancelling)

    assert ended.condition == {
        "type": "Completed",
        "state": "CONDITION_FAILED",
        "message": "Execution cancelled.",
        "executionReason": "CANCELLED",
    }
    assert ended.counts == {"cancelledCount": 1}  # and none of the three other attempts
    assert ended.log.splitlines()[:2] == ["ready", "asked"]


def test_a_failed_container_is_tried_again_and_told_which_attempt_it_is(cloud_run: CloudRun) -> None:
    code = "import os, sys; number = int(os.environ['CLOUD_RUN_TASK_ATTEMPT']); print(number); sys.exit(number < 2)"

    ended = cloud_run.run(code, maxRetries=3)

    assert ended.condition["state"] == "CONDITION_SUCCEEDED"
    assert ended.counts == {"succeededCount": 1, "retriedCount": 1}
    assert [line for line in ended.log.splitlines() if line.isdecimal()] == ["0", "1", "2"]


def test_a_container_that_never_ends_well_fails_with_its_last_exit_code(cloud_run: CloudRun) -> None:
    ended = cloud_run.run("raise SystemExit(4)", maxRetries=1)

    assert ended.condition == failed(ended, 4, "The container exited with an error.")
    assert ended.counts == {"failedCount": 1, "retriedCount": 1}


def test_what_a_container_left_behind_ends_with_it_and_its_files_are_gone(cloud_run: CloudRun) -> None:
    code = """
import os, pathlib, subprocess, sys, tempfile
pathlib.Path(tempfile.gettempdir(), "left").write_text("x")
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(left.pid)
os._exit(0)
"""
    ended = cloud_run.run(code)

    assert ended.condition["state"] == "CONDITION_SUCCEEDED"
    assert not psutil.pid_exists(int(ended.log.splitlines()[0]))
    assert not (cloud_run.data / "cloudrun" / "executions" / ended.id / "files").exists()


def test_a_command_that_the_image_has_not_fails(cloud_run: CloudRun) -> None:
    ended = cloud_run.run("no-such-program", "--now")

    assert ended.condition == failed(ended, 127, "Application exec likely failed")
    assert "'no-such-program': not found in the image" in ended.log


def test_an_image_that_nobody_knows_makes_a_job_that_is_not_ready(cloud_run: CloudRun) -> None:
    job = cloud_run.create("print(1)", image="nobody/knows:this")

    condition = cloud_run.locations.jobs().get(name=job).execute()["terminalCondition"]
    assert {name: condition[name] for name in ("type", "state", "reason", "message")} == {
        "type": "Ready",
        "state": "CONDITION_FAILED",
        "reason": "CONTAINER_MISSING",
        "message": "Image 'nobody/knows:this' not found.",
    }


def test_deleting_a_job_ends_its_execution(cloud_run: CloudRun) -> None:
    started = cloud_run.start(cloud_run.create(POLITE + "print(__import__('os').getpid()); time.sleep(60)"))
    name = started["metadata"]["name"]
    pid = int(log_of(cloud_run.until_it_says(started, "\n")).splitlines()[0])

    cloud_run.locations.jobs().delete(name=started["metadata"]["job"]).execute()

    until(lambda: not psutil.pid_exists(pid))
    until(lambda: not (cloud_run.data / "cloudrun" / "executions" / name.rpartition("/")[2]).exists())
    assert cloud_run.done(cloud_run.locations.operations().get(name=started["name"]).execute())["done"]


def test_the_image_of_a_job_is_shown_as_it_was_given(cloud_run: CloudRun) -> None:
    job = cloud_run.locations.jobs().get(name=cloud_run.create("print(1)")).execute()

    task = body("print(1)")["template"]["template"]
    task["containers"][0]["resources"]["limits"]["cpu"] = "1000m"
    assert job["template"] == {
        "template": {**task, "timeout": "600s"},
        "parallelism": 1,
        "taskCount": 1,
    }
    assert job["template"]["template"]["containers"][0]["image"] == IMAGE
