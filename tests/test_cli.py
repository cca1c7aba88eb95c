"""The command line, by typer's own runner, and once as a process."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app, main
from flows.etl.errors import ContractError
from tests.publisher import Publisher

ROOT = Path(__file__).parents[1]


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as started:
        yield started


def test_a_contract_that_fits_exits_with_0(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_PUBLISHER", publisher.url)
    monkeypatch.delenv("LANDFALL_ENVIRONMENT", raising=False)
    publisher.serve("/airlines.csv", b"carrier,name\nAA,American\n")
    found = CliRunner().invoke(app, ["contract", "diff", "airlines"])
    assert (found.exit_code, found.output.splitlines()[-1]) == (0, "the contract fits the file")


def test_a_contract_that_differs_exits_with_1_and_says_what_to_write(publisher: Publisher) -> None:
    publisher.serve("/mirror.csv", b"carrier,Name,[x]\nAA,American,1\n")
    found = CliRunner().invoke(app, ["contract", "diff", "airlines", "all", "--source", f"{publisher.url}/mirror.csv"])
    assert found.exit_code == 1
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in found.output.splitlines() if "│" in line]
    assert rows == [
        ["carrier", "STRING, not null", "like STRING", ""],
        ["name", "STRING, not null", "like STRING, as 'Name'", ""],
        ["[x]", "", "like INT64", "new: refuses the file"],
    ]
    assert found.output.splitlines()[-4:] == [
        "note: types of text are guesses from the first 1 rows; later rows may hold other values",
        "the contract differs from the file; if the file is right, write into airlines.toml and raise its revision:",
        '  columns: { name = "_x_", type = "INT64", aliases = ["[x]"] },',
        '  [drift] new_column = "ignore", or "add"',
    ]


def test_an_unknown_contract_is_no_answer() -> None:
    found = CliRunner().invoke(app, ["contract", "diff", "fligths"])
    assert isinstance(found.exception, ContractError)


def test_what_could_not_be_found_out_exits_with_2_in_a_process_of_its_own() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "flows.cli", "contract", "diff", "flights", "2013-13"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        2,
        "",
        "flights: partition: found '2013-13', expected YYYY-MM, for example 2021-01; nothing was written\n",
    )


def test_help_does_not_wait_for_what_commands_need() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from flows.cli.main import app;"
        "code = CliRunner().invoke(app, ['--help']).exit_code;"
        "print(code, sorted({'prefect', 'pyarrow', 'pandas', 'google.cloud.bigquery'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "0 []\n"


def test_the_installed_command_is_this_one() -> None:
    module, _, name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["landfall"].partition(
        ":"
    )
    assert getattr(import_module(module), name) is main
