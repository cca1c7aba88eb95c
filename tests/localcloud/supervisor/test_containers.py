"""What becomes of containers when the local cloud stops, dies, or was started for one command."""

import sys
import time
from pathlib import Path

import psutil
import urllib3

from localcloud import supervisor
from tests.localcloud.supervisor.laptop import Laptop

JOBS = "/v2/projects/local/locations/us-central1/jobs"
SLEEPING = (
    "import os, time; open('pid.draft', 'w').write(str(os.getpid())); os.rename('pid.draft', 'pid'); time.sleep(60)"
)


def start(address: str) -> str:
    """Run a container that sleeps; return the execution's name."""
    container = {"image": "it", "command": ["python", "-c", SLEEPING]}
    body = {"template": {"template": {"maxRetries": 0, "containers": [container]}}}
    assert urllib3.request("POST", f"{address}{JOBS}?jobId=sleeper", json=body).status == 200
    while True:
        answer = urllib3.request("POST", f"{address}{JOBS}/sleeper:run", json={})
        if answer.status == 200:
            return str(answer.json()["metadata"]["name"])
        time.sleep(0.05)


def container(folder: Path) -> psutil.Process:
    """Return the process of the container that works in a folder, once it is there."""
    deadline = time.monotonic() + 30
    while not (folder / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return psutil.Process(int((folder / "pid").read_text()))


def test_down_ends_the_containers_and_a_killed_cloud_does_not(laptop: Laptop, tmp_path: Path) -> None:
    laptop.up()
    laptop.run("image", "it", f"--folder={tmp_path}").check_returncode()
    name = start(laptop.cloud().addresses["run"])
    sleeper = container(tmp_path)

    psutil.Process(laptop.cloud().identity.pid).kill()
    laptop.up()

    assert sleeper.is_running()
    shown = urllib3.request("GET", f"{laptop.cloud().addresses['run']}/v2/{name}").json()
    assert shown["runningCount"] == 1
    both = [record.identity for record in laptop.records() if record.name.startswith(supervisor.CONTAINERS)]
    assert {sleeper.pid, sleeper.ppid()} == {each.pid for each in both}
    assert laptop.run("down").stdout == "stopped cloud\n"
    assert [each.process() for each in both] == [None, None]
    assert laptop.records() == []


def test_containers_end_with_the_command_that_the_cloud_was_started_for(laptop: Laptop, tmp_path: Path) -> None:
    laptop.run("image", "it", f"--folder={tmp_path}").check_returncode()
    program = (
        "import sys; from pathlib import Path\n"
        "from localcloud import supervisor\n"
        "from tests.localcloud.supervisor.test_containers import container, start\n"
        "start(supervisor.addresses_of(Path(sys.argv[1]))['run']); container(Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, str(laptop.data), str(tmp_path)]

    laptop.run("exec", "--no-prefect", "--", *command).check_returncode()

    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert supervisor.addresses_of(laptop.data) == {}
    assert laptop.records() == []
