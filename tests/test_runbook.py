"""Each command of docs/runbook.md: run in the situation that its section is about, or parsed if it is the cloud's."""

import importlib
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import ModuleType

import pytest

import blocks
import deployments
import flows
from flows.etl.errors import LandfallError
from tests.documents import programs
from tests.end_to_end.place import Place, content

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
IN_THE_CLOUD = "# in the cloud\n"


@dataclass(frozen=True, slots=True)
class Block:
    """The commands of one block, and the heading that it stands under."""

    heading: str
    commands: tuple[str, ...]
    in_the_cloud: bool


def read_blocks() -> list[Block]:
    found = []
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        for block in re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL):
            commands = tuple(line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))
            found.append(Block(heading, commands, block.startswith(IN_THE_CLOUD)))
    return found


BLOCKS = read_blocks()


def publish(place: Place, rows: list[str]) -> None:
    place.publish("2013-01", rows)


def offer_a_mirror(place: Place, rows: list[str]) -> None:
    own = place.publisher.files["/flights/flights_2013-01.csv.gz"]
    publish(place, rows)
    place.publisher.files["/mirror.csv.gz"] = place.publisher.files["/flights/flights_2013-01.csv.gz"]
    place.publisher.files["/flights/flights_2013-01.csv.gz"] = own


def lose_table_and_ledger(place: Place, _rows: list[str]) -> None:
    for name in ("flights", "landings"):
        place.bigquery.delete_table(f"local.{place.dataset}.{name}")


# the local sections in the page's order: what happened, and which part of January's rows the table holds in the end
A, B, C = slice(0, 40), slice(20, 80), slice(60, 90)
SITUATIONS: dict[str, tuple[Callable[[Place, list[str]], None] | None, slice, slice]] = {
    "First look": (None, A, A),
    "The file has another form": (None, A, A),
    "Rows were put aside": (None, A, A),
    "A month was published anew": (publish, B, B),
    "The new file is wrong, and the older was right": (None, A, A),
    "The publisher is down, and somebody else has the file": (offer_a_mirror, C, C),
    "Somebody deleted something": (lose_table_and_ledger, C, C),
    "Leftovers in the lake": (None, C, C),
}
# a look that finds what the section is about says so by its exit code
FINDS = {("Somebody deleted something", "python flows/reconcile.py flights")}


def carry_out(command: str, place: Place, variables: dict[str, str]) -> tuple[int, str]:
    """Run a command as it stands, and give its exit code and what it said.

    What is ours runs as a fork of a process that has imported it, which spares some seconds each time.
    """
    match shlex.split(Template(command).safe_substitute(variables)):
        case ["python", *script] | [*script] if script[0].endswith(".py") or script[0] == "landfall":
            run = place.runner.run(*script, **place.settings)
            return run.wait(), run.text
        case _:
            ended = subprocess.run(
                ["bash", "-c", command],
                cwd=ROOT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=90,
                check=False,
            )
            return ended.returncode, ended.stdout


@pytest.mark.timeout(600)
def test_each_local_command_does_what_its_section_says(cloud: dict[str, str], place: Place, january: list[str]) -> None:
    local = [block for block in BLOCKS if not block.in_the_cloud]
    assert list(dict.fromkeys(block.heading for block in local)) == list(SITUATIONS)
    publish(place, january[A])
    assert place.run("flights", "2013-01").code == 0
    variables = {**os.environ, **cloud, **place.settings}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for heading, (happens, rows, expected) in SITUATIONS.items():
        if happens:
            happens(place, january[rows])
        for command in [command for block in local if block.heading == heading for command in block.commands]:
            code, said = carry_out(command, place, variables)
            assert code == (1 if (heading, command) in FINDS else 0), f"{command}\n{said}"
        assert place.landed() == content(january[expected]), heading


@pytest.mark.parametrize(
    "command",
    [command for block in BLOCKS if block.in_the_cloud for command in block.commands],
)
def test_each_command_for_the_cloud_is_one_that_its_program_knows(command: str) -> None:
    for part in programs.parts(command):
        programs.check(part)


def test_each_error_class_has_a_row_and_each_row_a_class() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE)
    assert sorted(rows) == sorted(error_classes())


def error_classes() -> set[str]:
    """Give the names of all errors that people can meet: of a landing, of blocks and of deployments."""
    modules = [module for package in (flows, blocks, deployments) for module in modules_of(package)]
    return {
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and (issubclass(value, LandfallError) or (issubclass(value, Exception) and name.endswith("Error")))
    }


def modules_of(package: ModuleType) -> list[ModuleType]:
    names = [each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [
        importlib.import_module(name) for name in names if not name.endswith("__main__") and ".contracts" not in name
    ]


def test_each_alert_has_a_section_and_names_it() -> None:
    infra = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "infra").glob("*.tf")))
    policies = re.findall(r'^resource "google_monitoring_alert_policy" .*?^}', infra, re.DOTALL | re.MULTILINE)
    headings = []
    for policy in policies:
        (name,) = re.findall(r'^  display_name *= "Landfall \$\{var\.environment\}: (.*)"', policy, re.MULTILINE)
        headings.append(name[0].upper() + name[1:])
        assert f"docs/runbook.md#{name.replace(' ', '-')}" in policy
    if "google_billing_budget" in infra:  # Google writes its mail, which names no page of ours
        headings.append("The budget's share is spent")
    alerts = PAGE.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.*)", alerts, re.MULTILINE) == headings


def test_each_link_leads_to_a_heading() -> None:
    for link in re.findall(r"\]\(([^)]*)\)", PAGE):
        path, _, anchor = link.partition("#")
        text = (ROOT / "docs" / path).read_text(encoding="utf-8") if path else PAGE
        headings = [
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)", text, flags=re.MULTILINE)
        ]
        assert not anchor or anchor in headings, link
