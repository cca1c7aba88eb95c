"""`landfall register` and `landfall build` against a real Prefect server, each test with a project of its own."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.workers.process import ProcessWorker
from typer.testing import CliRunner

from flows import settings
from flows.cli.main import app
from flows.cli.register import register as command
from tests.prefect_api import prefect_api
from tests.publisher import Publisher

ROOT = Path(__file__).parents[2]
GUARD = '\nif __name__ == "__main__":\n    pass\n'
FLOW = "from prefect import flow\n\n\n@flow\ndef {name}(who: str = 'you') -> None: ...\n"
SCHEDULED = FLOW.format(name="example") + (
    'daily = example.to_deployment("daily", cron="0 6 * * *", parameters={"who": "team"}, tags=["own"])\n'
)

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> str:
    """A project, and an environment whose work pool is there."""
    name = f"r{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("LANDFALL_ENVIRONMENT", name)
    monkeypatch.delenv("LANDFALL_IMAGE", raising=False)
    return name


@pytest.fixture
def api(cloud: dict[str, str], project: str) -> Iterator[Any]:
    """The server; what was registered is removed, for the server would plan its runs."""
    with prefect_api(cloud) as client:
        make_pool(client, f"landfall-{project}")
        yield client
        for each in of_project(client, project):
            client.request("DELETE", f"/deployments/{each['id']}")  # type: ignore[arg-type]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Prefect 1 team's folder, and the working directory."""
    folder = tmp_path / "team"
    write(folder / "flow.py", SCHEDULED + GUARD)
    write(folder / "myflows" / "one.py", "import shared\n" + FLOW.format(name="one") + GUARD)
    write(folder / "myflows" / "two.py", FLOW.format(name="two") + FLOW.format(name="two_more") + GUARD)
    write(folder / "myflows" / "shared.py", "WORD = 'hello'\n")
    write(folder / "myproject" / "__init__.py", "")
    write(folder / "myproject" / "flows.py", FLOW.format(name="flow_x") + FLOW.format(name="flow_y"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(api: Any, project: str) -> Run:
    """Run `landfall register` of the project; gives exit code, lines without the last, and the last."""
    assert api is not None

    def register(*options: str) -> tuple[int, list[str], str]:
        return invoke("register", "--project", project, *options)

    return register


def invoke(*words: str) -> tuple[int, list[str], str]:
    done = CliRunner().invoke(app, list(words))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    lines = (done.stdout or done.stderr).splitlines()
    return done.exit_code, lines[:-1], lines[-1]


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def make_pool(api: Any, name: str, **more: Any) -> None:
    template = ProcessWorker.get_default_base_job_template()
    api.request("POST", "/work_pools/", json={"name": name, "type": "process", "base_job_template": template, **more})


def registered(api: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = api.request("GET", f"/deployments/name/{name}").json()
    return found


def of_project(api: Any, project: str) -> list[dict[str, Any]]:
    asked = {"deployments": {"tags": {"all_": [f"project:{project}"]}}}
    found: list[dict[str, Any]] = api.request("POST", "/deployments/filter", json=asked).json()
    return found


def names(api: Any, project: str) -> list[str]:
    return sorted(each["name"].removeprefix(f"{project}-") for each in of_project(api, project))


# what the Prefect 1 team's manual shows, with the command's name
EXAMPLES = {
    "landfall register --project my-project -p myflows/": ["one", "two", "two-more"],
    'landfall register --project my-project -p flow.py -n "example"': ["daily"],
    'landfall register --project my-project -m "myproject.flows"': ["flow-x", "flow-y"],
    'landfall register --project my-project -m "myproject.flows.flow_x"': ["flow-x"],
    "landfall register --project my-project --json https://some-url/flows.json": ["daily"],
    'landfall register --project my-project --path "**/*"': ["daily", "one", "two", "two-more"],
    "landfall register --project my-project -p myflows/ --watch": ["one", "two", "two-more"],
    "landfall register --project my-project -p flow.py --no-schedule": ["daily"],
}
WRITTEN = [line.strip() for line in (command.__doc__ or "").splitlines() if line.strip().startswith("landfall ")]


def test_the_helps_examples_are_the_counterparts_of_the_manuals() -> None:
    assert [*EXAMPLES] == WRITTEN


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("example", [each for each in WRITTEN if "--watch" not in each])
def test_each_example_of_the_help_does_what_it_says(api: Any, project: str, example: str) -> None:
    with Publisher() as publisher:
        assert invoke("build", "-p", "flow.py", "-o", "built.json")[0] == 0
        publisher.serve("/flows.json", Path("built.json").read_bytes())
        words = shlex.split(example.replace("my-project", project).replace("https://some-url", publisher.url))[1:]
        code, lines, last = invoke(*words)
    assert (code, names(api, project)) == (0, EXAMPLES[example]), lines
    count = len(EXAMPLES[example])
    assert last.startswith(f"{project}: {count} registered") or f", {count} registered" in last
    working = [schedule["active"] for each in of_project(api, project) for schedule in each["schedules"]]
    assert working == ([] if "daily" not in EXAMPLES[example] else [not example.endswith("--no-schedule")])


def test_a_watched_helper_registers_again_what_imports_it_and_ctrl_c_ends_it_with_130(
    cloud: dict[str, str], api: Any, project: str, team: Path, tmp_path: Path
) -> None:
    (example,) = [each for each in WRITTEN if "--watch" in each]
    words = shlex.split(example.replace("my-project", project))[1:]
    variables = {**os.environ, **cloud, "LANDFALL_ENVIRONMENT": project, "PYTHONPATH": str(ROOT)}
    log = tmp_path / "watch.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flows.cli", *words], cwd=team, env=variables, stdout=said, stderr=said
        )
        try:
            wait_for(log, "watching", 1)
            before = {each["name"]: each["version"] for each in of_project(api, project)}
            replace(team / "myflows" / "shared.py", "hello", "good morning")
            wait_for(log, "watching", 2)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 130
        finally:
            process.kill()
            process.wait()
    after = {each["name"]: each["version"] for each in of_project(api, project)}
    assert {name for name in before if before[name] != after[name]} == {f"{project}-one"}
    assert f"changed: {Path('myflows/shared.py')}\n" in log.read_text()
    assert f"{project}: 1 updated, 2 unchanged, 1 file without flows\n" in log.read_text()


def wait_for(log: Path, word: str, times: int) -> None:
    for _ in range(600):
        if log.read_text().count(word) >= times:
            return
        time.sleep(0.1)
    pytest.fail(log.read_text())


def test_a_deployment_says_whose_it_is_what_runs_and_where_its_code_is(
    run: Run, api: Any, project: str, team: Path
) -> None:
    assert run("-p", "flow.py", "-l", "nightly") == (
        0,
        [f"registered example/{project}-daily"],
        f"{project}: 1 registered",
    )
    found = registered(api, f"example/{project}-daily")
    wanted = {
        "name": f"{project}-daily",
        "tags": ["registered", f"project:{project}", "own", "nightly"],
        "parameters": {"who": "team"},
        "work_pool_name": f"landfall-{project}",
        "work_queue_name": project,
        "entrypoint": "flow.py:example",
        "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(team)}}],
        "paused": False,
    }
    assert {key: found[key] for key in wanted} == wanted
    assert re.fullmatch(r"source:[0-9a-f]{16}", found["version"])
    assert [(each["slug"], each["schedule"]["cron"]) for each in found["schedules"]] == [("schedule", "0 6 * * *")]


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        (lambda _: None, None),
        (lambda team: replace(team / "myflows" / "two.py", "two_more", "another"), None),
        (lambda team: replace(team / "flow.py", "None: ...", "None: pass"), ["version"]),
        (lambda team: replace(team / "lib.py", "1", "2"), ["version"]),
        (lambda team: replace(team / "flow.py", '"team"', '"all"'), ["parameters.who", "version"]),
        (lambda team: replace(team / "flow.py", "0 6 *", "0 7 *"), ["version", "schedules.schedule.schedule.cron"]),
        (
            lambda team: replace(team / "flow.py", "tags=", "job_variables={'env': {'A': 'b'}}, tags="),
            ["job_variables.env", "version"],
        ),
    ],
)
def test_what_has_not_changed_is_skipped_and_what_has_is_named(
    run: Run, api: Any, project: str, team: Path, change: Callable[[Path], None], differences: list[str] | None
) -> None:
    write(team / "lib.py", "A = 1\n")
    replace(team / "flow.py", "from prefect", "from lib import A\nfrom prefect")
    run("-p", "flow.py")
    before = registered(api, f"example/{project}-daily")["updated"]
    change(team)
    code, lines, last = run("-p", "flow.py")
    word = "updated" if differences else "unchanged"
    assert (code, lines[0], last) == (0, f"{word:<10} example/{project}-daily", f"{project}: 1 {word}")
    assert [line.split()[0].removesuffix(":") for line in lines[1:]] == (differences or [])
    assert (registered(api, f"example/{project}-daily")["updated"] == before) is (differences is None)
    assert run("-p", "flow.py")[2] == f"{project}: 1 unchanged"


def test_force_sends_what_has_not_changed(run: Run, api: Any, project: str, team: Path) -> None:
    assert team
    run("-p", "flow.py")
    before = registered(api, f"example/{project}-daily")["updated"]
    assert run("-p", "flow.py", "-f") == (
        0,
        [f"updated    example/{project}-daily", "           sent again, as asked for"],
        f"{project}: 1 updated",
    )
    assert registered(api, f"example/{project}-daily")["updated"] > before


def test_what_people_set_in_the_ui_stays_and_only_an_order_changes_it(
    run: Run, api: Any, project: str, team: Path
) -> None:
    run("-p", "flow.py")
    found = registered(api, f"example/{project}-daily")
    path = f"/deployments/{found['id']}"
    api.request("PATCH", f"{path}/schedules/{found['schedules'][0]['id']}", json={"active": False})
    theirs = {"schedule": {"cron": "0 1 * * *", "timezone": "UTC"}, "active": True}
    api.request("POST", f"{path}/schedules", json=[theirs])
    api.request("POST", f"{path}/pause_deployment")
    replace(team / "flow.py", "0 6 *", "0 7 *")

    def at_work() -> tuple[bool, dict[str, bool]]:
        there = registered(api, f"example/{project}-daily")
        return there["paused"], {each["schedule"]["cron"]: each["active"] for each in there["schedules"]}

    assert run("-p", "flow.py", "-f")[0] == 0
    assert at_work() == (True, {"0 7 * * *": False, "0 1 * * *": True})
    assert run("-p", "flow.py")[2] == f"{project}: 1 unchanged"
    run("-p", "flow.py", "--schedule")
    assert at_work() == (True, {"0 7 * * *": True, "0 1 * * *": True})
    assert run("-p", "flow.py", "--no-schedule")[1][1:] == ["           schedules.schedule.active: True -> False"]
    assert at_work() == (True, {"0 7 * * *": False, "0 1 * * *": True})


def test_a_file_that_fails_or_is_skipped_says_why_and_stops_no_other(
    run: Run, api: Any, project: str, team: Path
) -> None:
    folder = team / "myflows"
    write(folder / "broken.py", "from prefect import flow\nimport nothing_like_that\n" + GUARD)
    write(folder / "exits.py", FLOW.format(name="x") + "raise SystemExit(3)\n" + GUARD)
    write(folder / "old.py", "import prefect\nwith prefect.Flow('x') as flow:\n    pass\n" + GUARD)
    write(folder / "syntax.py", "def (\n")
    write(folder / "unguarded.py", FLOW.format(name="unguarded"))
    code, lines, last = run("-p", "myflows/")
    no_guard = 'found no line `if __name__ == "__main__":` in it, by which a file says that it has flows to register'
    prefect_1 = (
        "found `with Flow(...)` in line 2, which is Prefect 1's, expected a function with @flow;"
        " docs/coming-from-prefect-1.md has the counterparts"
    )
    assert (code, lines) == (
        1,
        [
            "failed     myflows/broken.py: line 2: ModuleNotFoundError: No module named 'nothing_like_that'",
            "failed     myflows/exits.py: line 6: SystemExit: 3",
            f"failed     myflows/old.py: {prefect_1}",
            "failed     myflows/syntax.py: line 1: invalid syntax, expected Python",
            f"skipped    myflows/unguarded.py: {no_guard}",
            f"registered one/{project}-one",
            f"registered two/{project}-two",
            f"registered two-more/{project}-two-more",
        ],
    )
    assert last == f"{project}: 4 failed, 1 skipped, 3 registered, 1 file without flows"
    assert names(api, project) == ["one", "two", "two-more"]


def test_what_the_server_or_the_pool_refuses_fails_alone(run: Run, api: Any, project: str, team: Path) -> None:
    replace(team / "flow.py", "tags=", "job_variables={'memroy': '1Gi'}, tags=")
    code, lines, last = run("-p", "flow.py", "-p", "myflows/one.py")
    assert (code, last) == (1, f"{project}: 1 failed, 1 registered")
    assert lines[0].startswith(
        f"failed     example/{project}-daily: job_variables: found memroy, expected one of command, env, "
    )
    assert names(api, project) == ["one"]


def test_names_that_are_not_found_or_found_twice_fail(run: Run, api: Any, project: str, team: Path) -> None:
    assert run("-p", "myflows/", "-n", "two_more", "-n", "three")[:2] == (
        1,
        [
            "failed     three: found no flow of that name, expected one of one, two, two-more",
            f"registered two-more/{project}-two-more",
        ],
    )
    write(team / "again.py", FLOW.format(name="one") + GUARD)
    nowhere = "found no Python file, expected a Python file, a folder with some, or a pattern such as '**/*'"
    code, lines, _ = run("-p", "again.py", "-p", "myflows/one.py", "-p", "nowhere/")
    assert (code, lines) == (
        1,
        [
            f"failed     nowhere/: {nowhere}",
            "failed     one/one: found it in again.py:one and myflows/one.py:one, expected each name once in a project",
        ],
    )
    assert names(api, project) == ["two-more"]


def test_a_label_that_is_a_queue_of_the_pool_is_where_runs_wait(run: Run, api: Any, project: str, team: Path) -> None:
    assert team
    for queue in ("heavy", "light"):
        api.request("POST", f"/work_pools/landfall-{project}/queues/", json={"name": queue})
    run("-p", "flow.py", "-l", "test", "-l", "heavy")
    found = registered(api, f"example/{project}-daily")
    assert (found["work_queue_name"], found["tags"][-2:]) == ("heavy", ["test", "heavy"])
    code, lines, _ = run("-p", "flow.py", "-l", "light", "-l", "heavy")
    why = f"found light and heavy, each a queue of the work pool landfall-{project}, expected one of them at most"
    assert (code, lines) == (1, [f"failed     example/{project}-daily: --label: {why}"])


def test_only_prune_removes_what_is_gone_and_only_of_what_was_looked_at(
    run: Run, api: Any, project: str, team: Path
) -> None:
    run("-p", "flow.py", "-p", "myflows/", "-m", "myproject.flows")
    theirs = registered(api, f"two/{project}-two")["flow_id"]
    body = {
        "name": f"{project}-by-hand",
        "flow_id": theirs,
        "tags": [f"project:{project}"],
        "entrypoint": "myflows/two.py:x",
    }
    api.request("POST", "/deployments/", json=body)
    (team / "myflows" / "two.py").unlink()
    write(team / "myflows" / "one.py", "def (")
    (team / "flow.py").unlink()
    replace(team / "myproject" / "flows.py", "def flow_y", "def flow_z")
    gone = [f"two/{project}-two", f"two-more/{project}-two-more"]
    _, lines, last = run("-p", "myflows/")
    assert lines[1:] == [
        f"left over  {name}: no flow has this deployment any more; --prune removes it" for name in sorted(gone)
    ]
    assert last == f"{project}: 1 failed, 2 left over, 1 file without flows"
    assert run("-p", "myflows/*", "--prune")[1][1:] == [f"removed    {name}" for name in sorted(gone)]
    assert names(api, project) == ["by-hand", "daily", "flow-x", "flow-y", "one"]
    _, lines, _ = run("-m", "myproject.flows", "--prune")
    assert [line for line in lines if not line.startswith(" ")] == [
        f"updated    flow-x/{project}-flow-x",
        f"registered flow-z/{project}-flow-z",
        f"removed    flow-y/{project}-flow-y",
    ]


@pytest.mark.skipif(not shutil.which("git"), reason="git is not there")
def test_prune_in_a_folder_of_a_repository_keeps_what_could_not_be_loaded(
    run: Run, api: Any, project: str, team: Path
) -> None:
    subprocess.run(["git", "-C", team.parent, "init", "--quiet"], check=True)
    options = ("-p", "**/*", "--storage", "git:https://example.org/flows.git", "--prune")
    _, lines, last = run(*options)
    assert last == f"{project}: 1 skipped, 4 registered, 2 files without flows"
    entrypoint = registered(api, f"one/{project}-one")["entrypoint"]
    assert (entrypoint, lines[-1].partition(":")[0].split()[0]) == ("team/myflows/one.py:one", "note")
    write(team / "myflows" / "one.py", "def (")
    (team / "myflows" / "two.py").unlink()
    code, lines, _ = run(*options)
    removed = [f"removed    two-more/{project}-two-more", f"removed    two/{project}-two"]
    assert (code, [line for line in lines if line.startswith("removed")]) == (1, removed)
    assert names(api, project) == ["daily", "one"]


def test_a_deploys_prune_leaves_registered_flows_alone(run: Run, api: Any, project: str, team: Path) -> None:
    assert team
    run("-p", "flow.py")
    tags = registered(api, f"example/{project}-daily")["tags"]
    assert not {"landfall", f"environment:{project}"} <= {*tags}
    assert run("-p", "flow.py", "-l", f"environment:{project}")[0] == 2


def test_intervals_rules_and_slugs_are_registered_once_and_compare_equal(
    run: Run, api: Any, project: str, team: Path
) -> None:
    write(
        team / "timed.py",
        "from prefect import flow\nfrom prefect.schedules import Cron, Interval, RRule\n@flow\ndef timed(): ...\n"
        'both = timed.to_deployment("both", schedules=[Cron("0 1 * * *", timezone="Europe/Berlin", slug="night",'
        ' active=False), Interval(600), RRule("FREQ=DAILY;BYHOUR=3")], paused=True)\n' + GUARD,
    )
    run("-p", "timed.py")
    found = registered(api, f"timed/{project}-both")
    assert found["paused"]
    there = {each["slug"]: (each["active"], each["schedule"]) for each in found["schedules"]}
    assert there["night"] == (False, {"cron": "0 1 * * *", "timezone": "Europe/Berlin", "day_or": True})
    assert there["schedule-2"] == (
        True,
        {"interval": 600.0, "anchor_date": "2020-01-01T00:00:00Z", "timezone": "UTC"},
    )
    assert sorted(there) == ["night", "schedule-2", "schedule-3"]
    assert run("-p", "timed.py") == (0, [f"unchanged  timed/{project}-both"], f"{project}: 1 unchanged")


def test_a_pool_of_jobs_takes_the_code_and_the_image_from_an_image(
    run: Run, api: Any, project: str, team: Path
) -> None:
    assert team
    template = {
        "variables": {"type": "object", "properties": {"image": {"type": "string"}}, "required": ["image"]},
        "job_configuration": {"image": "{{ image }}"},
    }
    make_pool(api, f"jobs-{project}", type="docker", base_job_template=template)
    code, lines, _ = run("-p", "flow.py", "--pool", f"jobs-{project}")
    why = f"found $: 'image' is a required property, expected what the work pool jobs-{project} takes"
    assert (code, lines) == (1, [f"failed     example/{project}-daily: job_variables: {why}"])
    assert run("-p", "flow.py", "--pool", f"jobs-{project}", "--image", "example.org/flows:1")[0] == 0
    found = registered(api, f"example/{project}-daily")
    assert found["job_variables"] == {"image": "example.org/flows:1"}
    assert found["pull_steps"] == [{"prefect.deployments.steps.set_working_directory": {"directory": "."}}]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["-p", "flow.py", "--pool", "none"],
            "Prefect: found no work pool none, expected one; name another with --pool",
        ),
        (["-p", "flow.py", "--storage", "ftp:x"], "--storage: found 'ftp:x', expected local[:FOLDER], git[:REPOSITORY"),
        (
            ["-p", "flow.py", "--storage", "s3:a/b"],
            "--storage s3:a/b: found no prefect-aws here, expected it, for runs",
        ),
        (["-p", "flow.py", "-l", "project:x"], "--label: found 'project:x', expected a tag of your own"),
        ([], "found none of --path, --module and --json"),
    ],
)
def test_what_cannot_be_begun_ends_with_2_and_writes_nothing(
    api: Any, project: str, team: Path, options: list[str], said: str
) -> None:
    assert team
    done = CliRunner().invoke(app, ["register", "--project", project, *options])
    assert done.exit_code == 2
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.output).split())
    assert names(api, project) == []


def test_without_an_environment_or_a_pool_it_says_so(team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert team
    monkeypatch.delenv("LANDFALL_ENVIRONMENT", raising=False)
    said = "--pool: found nothing, expected a work pool's name, or LANDFALL_ENVIRONMENT, whose pool it would be"
    assert invoke("register", "--project", "x", "-p", "flow.py") == (2, [], f"{said}; nothing was written")
    assert invoke("register", "--project", "a/b", "-p", "flow.py", "--pool", "p")[2].startswith(
        "--project: found 'a/b'"
    )


def test_a_tag_by_which_others_deployments_are_known_is_refused(run: Run, project: str, team: Path) -> None:
    replace(team / "flow.py", '"own"', '"project:other"')
    why = "tags: found 'project:other', expected a tag of your own: what is whose is told by this one"
    assert run("-p", "flow.py") == (1, [f"failed     example/{project}-daily: {why}"], f"{project}: 1 failed")


def test_folders_may_have_helpers_and_packages_of_the_same_name_and_of_landfalls(
    run: Run, api: Any, project: str, team: Path
) -> None:
    for folder in ("a", "b"):
        write(team / folder / "helpers.py", f"NAME = '{folder}'\n")
        write(
            team / folder / "main.py",
            "import helpers\n" + FLOW.format(name="x") + "x = x.with_options(name=helpers.NAME)\n" + GUARD,
        )
    write(team / "flows" / "__init__.py", "")
    write(team / "flows" / "part.py", "NAME = 'c'\n")
    write(
        team / "c.py",
        "from flows.part import NAME\n" + FLOW.format(name="x") + "x = x.with_options(name=NAME)\n" + GUARD,
    )
    code, _, last = run("-p", "a/", "-p", "b/", "-p", "c.py")
    assert (code, last) == (0, f"{project}: 3 registered, 2 files without flows")
    assert names(api, project) == ["a", "b", "c"]
    assert sys.modules["flows.settings"] is settings
    assert {"flows.part", "helpers"} & {*sys.modules} == set()


def test_a_package_that_landfall_has_too_is_said_with_what_to_do(run: Run, project: str, team: Path) -> None:
    write(team / "flows" / "part.py", "NAME = 'c'\n")
    write(team / "c.py", "from flows.part import NAME\n" + FLOW.format(name="x") + GUARD)
    why = "No module named 'flows.part'; Landfall has a package flows, too: with an empty flows/__init__.py yours comes"
    code, lines, _ = run("-p", "c.py")
    assert (code, lines) == (1, [f"failed     c.py: line 1: ModuleNotFoundError: {why} first"])
    assert project


def test_a_guarded_file_that_does_not_import_prefect_is_not_run(run: Run, project: str, team: Path) -> None:
    write(team / "script.py", "raise SystemExit('it ran')\n" + GUARD)
    assert run("-p", "script.py") == (
        0,
        ["skipped    script.py: found no import of Prefect in it, and so no flow"],
        f"{project}: 1 skipped",
    )
    assert run("-p", "*.py")[2] == f"{project}: 1 registered, 1 file without flows"


def test_a_file_elsewhere_is_registered_from_its_own_folder_and_refused_for_other_storages(
    run: Run, api: Any, project: str, team: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    replace(team / "myflows" / "one.py", "import shared\n", "import shared, print_me\n")
    write(team / "myflows" / "print_me.py", "print('noise')\n")
    assert run("-p", "team/myflows/one.py")[2] == f"{project}: 1 registered"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run("-p", "../team/myflows/one.py")
    found = registered(api, f"one/{project}-one")
    steps = [{"prefect.deployments.steps.set_working_directory": {"directory": str(team / "myflows")}}]
    assert (found["entrypoint"], found["pull_steps"]) == ("one.py:one", steps)
    here = tmp_path / "elsewhere"
    why = f"found it outside of {here}, in which runs begin, expected it below; run this in another folder"
    assert run("-p", "../team/myflows/one.py", "--storage", "image")[:2] == (
        1,
        [f"failed     ../team/myflows/one.py: {why}"],
    )


def test_the_projects_queue_is_made_with_its_first_deployment(run: Run, api: Any, project: str, team: Path) -> None:
    assert team
    run("-p", "flow.py")
    queues = api.request("POST", f"/work_pools/landfall-{project}/queues/filter", json={}).json()
    assert sorted(each["name"] for each in queues) == sorted(["default", project])


def test_outcomes_are_also_lines_of_json(api: Any, project: str, team: Path) -> None:
    write(team / "unguarded.py", FLOW.format(name="unguarded"))
    done = CliRunner().invoke(
        app, ["register", "--project", project, "-p", "flow.py", "-p", "unguarded.py", "--json-lines"]
    )
    assert names(api, project) == ["daily"]
    rows = [json.loads(line) for line in done.output.splitlines()]
    assert [(row["what"], row["name"]) for row in rows] == [
        ("skipped", "unguarded.py"),
        ("registered", f"example/{project}-daily"),
    ]


def test_a_spec_registers_the_same_as_the_files_that_it_was_built_from(
    run: Run, api: Any, project: str, team: Path
) -> None:
    run("-p", "flow.py", "-p", "myflows/")
    before = {each["name"]: each["updated"] for each in of_project(api, project)}
    write(team / "broken.py", "def (")
    assert invoke("build", "-p", "flow.py", "-p", "myflows/", "-p", "broken.py", "-o", "spec.json") == (
        1,
        [
            "failed     broken.py: line 1: invalid syntax, expected Python",
            "built      example/daily",
            "built      one/one",
            "built      two/two",
            "built      two-more/two-more",
        ],
        "spec.json: 4 built, 1 failed, 1 file without flows",
    )
    assert run("-j", "spec.json")[2] == f"{project}: 4 unchanged"
    assert {each["name"]: each["updated"] for each in of_project(api, project)} == before
