"""The README's first command, run as it stands there, and the questions that one asks afterwards."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from google.cloud import bigquery

from tests.end_to_end.place import clients

ROOT = Path(__file__).parent.parent


def make(target: str, data: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    """Run `make TARGET` with the local cloud's data in a folder of this test's own."""
    return subprocess.run(
        ["make", "--silent", "-C", str(ROOT), target, f"DATA={data}", *variables],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The first `make run` in an empty folder."""
    data = tmp_path_factory.mktemp("make")
    return data, make("run", data)


@pytest.fixture(scope="module")
def addresses(first: tuple[Path, subprocess.CompletedProcess[str]]) -> Iterator[dict[str, str]]:
    """What `eval "$(make -s env)"` sets after `make up`."""
    data, _ = first
    assert make("up", data).returncode == 0
    exported = (shlex.split(line) for line in make("env", data).stdout.splitlines())
    yield dict(words[1].split("=", 1) for words in exported if words[0] == "export")
    assert make("down", data).returncode == 0


def test_a_shell_with_make_env_finds_landfall_and_prefect_in_any_folder(addresses: dict[str, str]) -> None:
    path = addresses.get("PATH", os.environ["PATH"])  # not said again to a shell that finds them
    assert {shutil.which(name, path=path) for name in ("landfall", "prefect")} == {
        str(ROOT / ".venv" / "bin" / name) for name in ("landfall", "prefect")
    }


@pytest.mark.timeout(240)
def test_make_run_lands_a_year_of_flights_and_says_so_as_the_readme_does(
    first: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, run = first
    assert run.returncode == 0, run.stdout + run.stderr
    last = run.stdout.splitlines()[-1]
    assert last == "12 partitions landed: 336776 source rows = 336776 loaded + 0 quarantined"
    assert last in (ROOT / "README.md").read_text()
    assert len(re.findall(r"landfall-landfall_local-flights-2013-\d\d-0-\d+-0", run.stdout)) == 12
    assert "12 of 12 partitions" in run.stderr


@pytest.mark.timeout(240)
def test_a_second_make_run_lands_nothing(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    data, _ = first
    again = make("run", data)
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "12 partitions up to date")


@pytest.mark.timeout(240)
def test_every_month_equals_what_another_reader_finds_in_the_publishers_files(addresses: dict[str, str]) -> None:
    _, warehouse = clients(addresses)
    numbers = [field.name for field in warehouse.get_table("landfall_local.flights").schema if is_number(field)]
    texts = ["carrier", "tailnum", "origin", "dest", "time_hour"]
    asked = ", ".join(
        ["COUNT(*) AS `rows`"]
        + [f"SUM({name}) AS sum_{name}, COUNTIF({name} IS NULL) AS nulls_{name}" for name in numbers]
        + [f"COUNT(DISTINCT {name}) AS kinds_{name}, COUNTIF({name} IS NULL) AS nulls_{name}" for name in texts]
    )
    query = f"SELECT file_month, {asked} FROM `local.landfall_local.flights` GROUP BY file_month ORDER BY file_month"
    landed = [dict(row.items()) for row in warehouse.query(query).result()]
    assert [str(row["file_month"])[:7] for row in landed] == [f"2013-{month:02}" for month in range(1, 13)]
    for row in landed:
        month = str(row.pop("file_month"))[:7]
        address = f"{addresses['LANDFALL_PUBLISHER']}/flights/flights_{month}.csv.gz"
        frame = pd.read_csv(address, na_values=["NA"], keep_default_na=False)
        expected = {"rows": len(frame)}
        for name in numbers:
            expected |= {f"sum_{name}": int(frame[name].sum()), f"nulls_{name}": int(frame[name].isna().sum())}
        for name in texts:
            expected |= {f"kinds_{name}": int(frame[name].nunique()), f"nulls_{name}": int(frame[name].isna().sum())}
        assert row == expected, month


def is_number(field: bigquery.SchemaField) -> bool:
    return field.field_type in ("INTEGER", "INT64")


def test_any_google_client_can_look_inside_after_make_up(addresses: dict[str, str]) -> None:
    question = (
        "from google.cloud import bigquery, storage\n"
        "sql = 'SELECT COUNT(*), SUM(distance) FROM landfall_local.flights'\n"
        "print(*next(iter(bigquery.Client().query(sql).result())).values())\n"
        "print(len(list(storage.Client().list_blobs('landfall-local-lake', prefix='lake/flights/'))))\n"
        "top = 'SELECT carrier, COUNT(*) AS n FROM landfall_local.flights GROUP BY 1 ORDER BY n DESC LIMIT 3'\n"
        "print(*(word for row in bigquery.Client().query(top).result() for word in row.values()))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", question], env=addresses, capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines() == ["336776 350217607", "12", "UA 58665 B6 54635 EV 54173"]


def test_a_deployment_without_a_work_pool_says_what_to_run(
    first: tuple[Path, subprocess.CompletedProcess[str]], addresses: dict[str, str]
) -> None:
    assert addresses
    data, _ = first
    said = make("deploy", data)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.splitlines()[0] == (
        "Prefect: found no work pool landfall-local, expected one; run `make blocks ENV=local`, nothing was written"
    )


needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH")


@needs_terraform
@pytest.mark.timeout(240)
def test_terraform_takes_over_what_make_run_made_and_a_second_apply_and_blocks_change_nothing(
    first: tuple[Path, subprocess.CompletedProcess[str]], addresses: dict[str, str]
) -> None:
    data, _ = first
    storage, warehouse = clients(addresses)
    made = storage.get_bucket("landfall-local-lake").time_created
    applied = make("apply", data)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert storage.get_bucket("landfall-local-lake").time_created == made
    blocks = make("blocks", data).stdout
    assert [line.split()[:2] for line in blocks.splitlines()] == [
        ["unchanged", "landfall-local-credentials"],
        ["unchanged", "landfall-local-lake"],
        ["unchanged", "landfall-local-warehouse"],
        ["created", "landfall-local-secret"],
        ["created", "landfall-local"],
        ["created", "landfall-local/default"],
    ]
    assert make("blocks", data).stdout == re.sub("(?m)^created  ", "unchanged", blocks)
    assert "0 added, 0 changed, 0 destroyed" in make("apply", data).stdout
    assert make("run", data).stdout.splitlines()[-1] == "12 partitions up to date"
    assert "Destroy complete" in make("destroy", data).stdout
    assert not storage.bucket("landfall-local-lake").exists()
    assert list(warehouse.list_datasets()) == []
    refused = make("blocks", data, "OPTIONS=--check")
    assert refused.stdout == ""
    assert refused.stderr.splitlines()[0] == (
        "standard input: found no output 'environment', expected one; run `make apply`, nothing was written"
    )


def test_without_terraform_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    for program in ("make", "sh"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    for target in ("plan", "apply", "destroy"):
        said = make(target, tmp_path, "ENV=dev", "SHELL=/bin/sh", f"PATH={tmp_path}")
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr.splitlines()[0] == (
            "terraform: not found on the PATH, expected 1.11 or newer; get it from"
            " https://developer.hashicorp.com/terraform/install, nothing was done"
        )


def test_an_environment_without_values_is_refused(tmp_path: Path) -> None:
    said = make("plan", tmp_path, "ENV=nope")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.splitlines()[0] == (
        "infra/envs/nope.tfvars: not found, expected an environment with values there: dev local prod staging;"
        " nothing was done"
    )


def test_bare_make_prints_its_targets(tmp_path: Path) -> None:
    printed = make("help", tmp_path).stdout
    for target in ("run", "up", "down", "env", "plan", "apply", "destroy", "blocks", "test", "check", "bench"):
        assert re.search(rf"make {target} +\S", printed), printed
    assert 'eval "$(make -s env)"' in printed
