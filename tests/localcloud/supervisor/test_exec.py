"""`exec`: the command's environment and exit code, and that nothing outlives it."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from localcloud.state import Identity
from tests.localcloud.supervisor.laptop import Laptop

# Says that it is ready, then counts the SIGINTs that it gets and ends a while after the first.
COUNTING = """
import signal, sys, time
got = []
signal.signal(signal.SIGINT, lambda *_: got.append(1))
print("ready", flush=True)
while not got:
    time.sleep(0.01)
time.sleep(0.3)
sys.exit(40 + len(got))
"""
SLEEPING = "import time; print('ready', flush=True); time.sleep(600)"


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def start(laptop: Laptop, program: str) -> "subprocess.Popen[str]":
    """Start `exec` and return when its command runs."""
    process = laptop.start("exec", "--no-prefect", "--", sys.executable, "-c", program)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill it and close its pipes, which its command still holds."""
    process.kill()
    process.wait(20)
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()


def test_the_command_has_the_environment_and_its_exit_code_is_passed_on(laptop: Laptop) -> None:
    program = "import os, sys; print(os.environ['STORAGE_EMULATOR_HOST']); sys.exit(3)"
    finished = laptop.run("exec", "--no-prefect", "--", sys.executable, "-c", program)

    ports = (laptop.data / "ports.json").read_text()
    assert finished.returncode == 3
    assert finished.stdout.startswith("http://127.0.0.1:")
    assert finished.stdout.strip().rpartition(":")[2] in ports
    assert finished.stderr.startswith("started cloud in ")
    assert finished.stderr.count("\n") == 1
    assert laptop.records() == []


def test_services_that_up_started_are_left_as_they_are(laptop: Laptop) -> None:
    laptop.up()
    before = laptop.records()

    finished = laptop.run("exec", "--no-prefect", "--", "false")

    assert (finished.returncode, finished.stderr) == (1, "")
    assert laptop.records() == before
    assert laptop.run("status").returncode == 0


def test_an_exec_inside_an_exec_uses_the_same_services(laptop: Laptop) -> None:
    inner = laptop.arguments("exec", "--no-prefect", "--", "printenv", "STORAGE_EMULATOR_HOST")

    finished = laptop.run("exec", "--no-prefect", "--", *inner)

    assert finished.returncode == 0
    assert finished.stdout.startswith("http://127.0.0.1:")
    assert finished.stderr.count("started") == 1


def test_a_command_that_does_not_exist_is_a_shells_127(laptop: Laptop) -> None:
    finished = laptop.run("exec", "--no-prefect", "--", "no-such-command")

    assert finished.returncode == 127
    assert finished.stderr.splitlines()[1:] == ["no-such-command: not found; nothing was run"]
    assert laptop.records() == []


def test_sigint_reaches_the_command_once_and_then_everything_stops(laptop: Laptop) -> None:
    process = start(laptop, COUNTING)
    cloud = laptop.cloud()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == 41
    assert cloud.identity.process() is None
    assert laptop.records() == []


def test_sigterm_ends_the_command_and_what_it_left_in_its_group(laptop: Laptop, tmp_path: Path) -> None:
    child = tmp_path / "child"
    process = start(
        laptop,
        "import subprocess, sys; "
        f"open({str(child)!r}, 'w').write(str(subprocess.Popen([sys.executable, '-c', {SLEEPING!r}]).pid)); "
        + SLEEPING,
    )
    assert within(5, lambda: child.exists() and child.read_text() != "")
    left = Identity.of(int(child.read_text()))

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGTERM
    assert within(2, lambda: left.process() is None)
    assert laptop.records() == []


def test_what_a_killed_exec_left_is_stopped_before_the_next_starts(laptop: Laptop) -> None:
    process = start(laptop, SLEEPING)
    kill(process)
    left = laptop.records()
    assert sorted(record.name.partition("-")[0] for record in left) == ["cloud", "command"]
    assert [record.name for record in left if record.identity.process() is None] == []

    finished = laptop.run("exec", "--no-prefect", "--", "true")

    assert finished.returncode == 0
    assert finished.stderr.startswith("started cloud in ")
    assert [record.name for record in left if record.identity.process() is not None] == []
    assert laptop.records() == []


def test_a_killed_up_leaves_nothing_that_the_next_one_does_not_stop(laptop: Laptop) -> None:
    process = laptop.start("up", "--no-prefect")
    assert within(10, lambda: laptop.records() != [])
    kill(process)
    left = laptop.cloud()
    assert left.owner is not None

    laptop.up()

    assert left.identity.process() is None
    assert laptop.cloud().owner is None


def test_an_interrupted_up_stops_what_it_started(laptop: Laptop) -> None:
    process = laptop.start("up", "--no-prefect")
    assert within(10, lambda: laptop.records() != [])
    started = laptop.cloud()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGINT
    assert started.identity.process() is None
    assert laptop.records() == []


def test_services_are_stopped_although_the_data_folder_was_removed(laptop: Laptop) -> None:
    process = start(laptop, SLEEPING)
    cloud = laptop.cloud()
    shutil.rmtree(laptop.data, ignore_errors=True)

    process.terminate()
    process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGTERM
    assert cloud.identity.process() is None


def test_a_second_exec_is_told_who_has_the_data_folder(laptop: Laptop) -> None:
    process = start(laptop, SLEEPING)
    second, down = laptop.run("exec", "--no-prefect", "--", "true"), laptop.run("down")
    environment = laptop.run("env")
    process.terminate()
    process.communicate(timeout=20)

    for refused in (second, down):
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"{laptop.data}: in use by `exec -- {sys.executable} -c import time;")
        assert refused.stderr.endswith(
            f"(pid {process.pid}); wait for its end, or take another folder with --data; "
            "nothing was started or stopped\n"
        )
    assert environment.returncode == 0


def test_the_command_of_a_killed_exec_is_ended_though_up_keeps_the_services(laptop: Laptop) -> None:
    laptop.up()
    cloud = laptop.cloud()
    process = start(laptop, SLEEPING)
    command = next(record for record in laptop.records() if record.name != "cloud")
    kill(process)
    assert psutil.pid_exists(command.identity.pid)

    assert laptop.run("up", "--no-prefect").stdout.startswith("already up\n")

    assert command.identity.process() is None
    assert laptop.records() == [cloud]


def test_at_a_terminal_the_command_can_read_and_ctrl_c_is_its_own(laptop: Laptop) -> None:
    terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    program = "import time; print('got', input(), flush=True); time.sleep(600)"
    command = laptop.arguments("exec", "--no-prefect", "--", sys.executable, "-c", program)
    with subprocess.Popen(
        [sys.executable, "-c", terminal, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=dict(laptop.environment),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write("hello\n")
            assert any("got hello" in line for line in process.stdout)
            process.stdin.write("\x03")
            process.stdin.flush()
            process.wait(20)
        finally:
            process.kill()  # if it hangs, so that leaving the block does not

    assert process.returncode == 128 + signal.SIGINT
    assert laptop.records() == []
