"""`up`, `status`, `env` and `down`, and what they do about what others left."""

import re
import subprocess
import sys
from dataclasses import replace

import psutil
import urllib3

from localcloud.state import Identity, State
from tests.localcloud.supervisor.laptop import Laptop


def test_up_prints_a_line_for_each_address_and_a_second_up_changes_nothing(laptop: Laptop) -> None:
    first = laptop.run("up", "--no-prefect")
    second = laptop.run("up", "--no-prefect")

    cloud = laptop.cloud()
    lines = [f"{name:<13} {address:<24} healthy" for name, address in cloud.addresses.items()]
    assert list(cloud.addresses) == ["storage", "bigquery", "publisher", "run", "secretmanager"]
    assert first.stdout.splitlines()[1:] == lines
    assert second.stdout.splitlines() == ["already up", *lines]
    assert (first.returncode, second.returncode) == (0, 0)
    assert laptop.run("status").stdout.splitlines() == lines


def test_down_stops_everything_and_says_so(laptop: Laptop) -> None:
    laptop.up()
    cloud = laptop.cloud()

    down = laptop.run("down")

    assert (down.returncode, down.stdout) == (0, "stopped cloud\n")
    assert cloud.identity.process() is None
    assert laptop.records() == []


def test_down_and_status_and_env_of_nothing(laptop: Laptop) -> None:
    down, status, env = laptop.run("down"), laptop.run("status"), laptop.run("env")

    assert (down.returncode, down.stdout) == (0, "nothing was running\n")
    started_by = "start it with `python -m localcloud up`\n"
    assert (status.returncode, status.stderr) == (3, f"{laptop.data}: nothing is running; {started_by}")
    assert (env.returncode, env.stdout) == (1, "")
    assert env.stderr == f"{laptop.data}: the local cloud is not up; {started_by}"


def test_asking_about_a_folder_does_not_make_it(laptop: Laptop) -> None:
    for command in ("status", "env", "down"):
        laptop.run(command)

    assert not laptop.data.exists()


def test_a_data_folder_that_cannot_be_is_refused_in_one_line(laptop: Laptop) -> None:
    laptop.data.write_text("a file")

    up = laptop.run("up", "--no-prefect")

    assert (up.returncode, up.stdout) == (1, "")
    assert up.stderr == (
        f"{laptop.data}: cannot be written to (Not a directory), expected a folder or a place for one; "
        "name another with --data; nothing was started or stopped\n"
    )


def test_without_a_command_the_help_is_printed(laptop: Laptop) -> None:
    bare = subprocess.run(laptop.arguments("up")[:3], capture_output=True, text=True, check=False)

    assert (bare.returncode, bare.stderr, bare.stdout.partition(" [")[0]) == (0, "", "usage: python -m localcloud")


def test_git_does_not_see_the_data_folder(laptop: Laptop) -> None:
    laptop.up()

    subprocess.run(["git", "init", "--quiet", str(laptop.data.parent)], check=True)
    status = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"],
        cwd=laptop.data.parent,
        capture_output=True,
        check=True,
    )
    assert status.stdout == b""


def test_addresses_survive_a_restart(laptop: Laptop) -> None:
    laptop.up()
    addresses = laptop.cloud().addresses
    laptop.run("down")

    laptop.up()

    assert laptop.cloud().addresses == addresses


def test_a_killed_service_is_reported_and_comes_back_with_its_data_in_under_three_cpu_seconds(laptop: Laptop) -> None:
    laptop.up()
    killed = laptop.cloud()
    bucket = f"{killed.addresses['storage']}/storage/v1/b"
    made = urllib3.request("POST", bucket, json={"name": "kept"}).json()
    psutil.Process(killed.identity.pid).kill()

    status = laptop.run("status")
    assert status.returncode == 1
    reason = f"DOWN: ended; see {laptop.data}/logs/cloud.log"
    expected = [f"{name:<13} {address:<24} {reason}" for name, address in killed.addresses.items()]
    assert status.stdout.splitlines() == expected
    assert laptop.run("env").returncode == 1

    up = laptop.run("up", "--no-prefect")
    assert (up.returncode, laptop.run("status").returncode) == (0, 0)
    spent = psutil.Process(laptop.cloud().identity.pid).cpu_times()
    assert spent.user + spent.system < 3  # on an idle machine the seconds that one waits
    assert (laptop.cloud().identity != killed.identity, laptop.cloud().addresses) == (True, killed.addresses)
    assert urllib3.request("GET", f"{bucket}/kept").json() == made


def test_a_service_that_hangs_is_reported_though_its_process_lives(laptop: Laptop) -> None:
    laptop.up()
    hung = psutil.Process(laptop.cloud().identity.pid)
    hung.suspend()
    try:
        status = laptop.run("status")
    finally:
        hung.resume()

    assert status.returncode == 1
    assert [line.split(maxsplit=2)[2] for line in status.stdout.splitlines()] == ["DOWN: does not answer"] * 5
    assert laptop.run("status").returncode == 0


def test_each_service_has_a_log_of_its_own_with_a_line_for_each_request(laptop: Laptop) -> None:
    laptop.up()
    asked = {"storage": "/storage/v1/b/absent", "bigquery": "/bigquery/v2/projects/x/models", "publisher": "/a?b=c"}
    addresses = laptop.cloud().addresses

    answers = {name: urllib3.request("GET", addresses[name] + path).status for name, path in asked.items()}

    assert answers == {"storage": 404, "bigquery": 501, "publisher": 404}
    laptop.run("down")
    laptop.up()  # the log goes on
    for name, path in asked.items():
        lines = (laptop.data / "logs" / f"{name}.log").read_text().splitlines()
        said = [line.split(" ", 1)[1] for line in lines if path in line]
        assert len(said) == 1
        assert re.fullmatch(rf"{answers[name]} GET {re.escape(path)} \d+ ms", said[0])


def test_a_service_that_does_not_come_up_shows_its_log_and_leaves_nothing(laptop: Laptop) -> None:
    laptop.data.mkdir()
    (laptop.data / "storage").write_text("a file where the service wants a folder")

    up = laptop.run("up", "--no-prefect")

    log = laptop.data / "logs" / "cloud.log"
    said = up.stderr.splitlines()
    assert up.returncode == 1
    assert said[0] == (f"cloud: ended while it was starting; everything that was started is stopped. The end of {log}:")
    assert [line.strip() for line in said[1:]] == [line.strip() for line in log.read_text().splitlines()[-20:]]
    assert laptop.records() == []


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(laptop: Laptop) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, process_group=0) as stranger:
        state = State(laptop.data)
        laptop.up()
        cloud = laptop.cloud()
        laptop.run("down")
        now = Identity.of(stranger.pid)
        state.write(replace(cloud, identity=replace(now, started=now.started - 60)))

        assert laptop.run("down").stdout == "nothing was running\n"
        assert stranger.poll() is None
        assert now.process() is not None
        assert laptop.records() == []
        stranger.communicate()


def test_values_survive_a_shell_and_nothing_leads_to_an_account(laptop: Laptop) -> None:
    mine = {"GOOGLE_APPLICATION_CREDENTIALS": "/a key", "PREFECT_API_KEY": "pnu", "PREFECT_API_AUTH_STRING": "me:pw"}
    proxies = {"NO_PROXY": "intranet, 127.0.0.1"}
    laptop = replace(laptop, environment={**laptop.environment, **mine, **proxies})
    laptop.up()
    addresses = laptop.cloud().addresses

    variables = laptop.variables()

    metadata = addresses["bigquery"].removeprefix("http://")
    expected = {
        "STORAGE_EMULATOR_HOST": addresses["storage"],
        "BIGQUERY_EMULATOR_HOST": addresses["bigquery"],
        "GOOGLE_CLOUD_PROJECT": "local",
        "GCE_METADATA_HOST": metadata,
        "GCE_METADATA_ROOT": metadata,
        "GCE_METADATA_IP": metadata,
        "CLOUDSDK_CONFIG": str(laptop.data / "gcloud"),
        "LANDFALL_ENVIRONMENT": "local",
        "LANDFALL_PUBLISHER": addresses["publisher"],
        "PREFECT_HOME": str(laptop.data / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1,localhost,intranet",
        "no_proxy": "127.0.0.1,localhost,intranet",
    }
    assert {name: variables[name] for name in expected} == expected
    assert not {*mine, "PREFECT_API_URL"} & variables.keys()
    assert list((laptop.data / "gcloud").iterdir()) == []
