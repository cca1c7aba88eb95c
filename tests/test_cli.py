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

from flows import settings
from flows.cli.main import app, main
from flows.etl import contract
from flows.etl.errors import BadFile, ContractError
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


def test_a_new_contract_is_written_with_its_fixture_and_over_nothing(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    contracts, fixtures = tmp_path / "flows" / "contracts", tmp_path / "tests" / "contracts" / "fixtures"
    contracts.mkdir(parents=True)
    fixtures.mkdir(parents=True)
    monkeypatch.setattr(settings, "CONTRACTS", contracts)
    monkeypatch.setenv("LANDFALL_PUBLISHER", publisher.url)
    monkeypatch.chdir(tmp_path)
    publisher.serve("/zones_2024-01.csv", b"id,zone\n1,EWR\n")
    made = CliRunner().invoke(app, ["new", "contract", f"{publisher.url}/zones_2024-01.csv"])
    assert made.exit_code == 0
    assert made.output == (
        "zones: 2 columns of csv; a partition by month\n"
        "looked at 1 row: read 14 bytes of 14 bytes\n"
        "wrote flows/contracts/zones.toml: 5 lines in it are marked `# review:`\n"
        "wrote tests/contracts/fixtures/zones_2024-01.csv: the first rows, as its test\n"
        "next:\n"
        "  edit flows/contracts/zones.toml\n"
        "  landfall contract diff zones 2024-01  compares it with the file again\n"
        "  make test                             lands the fixture, and fails while a mark is left\n"
        "  landfall run zones 2024-01            lands the file\n"
        "  and a deployment in prefect.yaml, which `make test` asks for: docs/deployments.md\n"
    )
    assert contract.read(contracts, "zones").source == "{publisher}/zones_{yyyy}-{mm}.csv"
    assert (fixtures / "zones_2024-01.csv").read_bytes() == b"id,zone\n1,EWR\n"
    publisher.requests.clear()
    again = CliRunner().invoke(app, ["new", "contract", f"{publisher.url}/zones_2024-01.csv"])
    assert isinstance(again.exception, ContractError)
    assert str(again.exception).startswith(f"{contracts / 'zones.toml'}: found a file, expected none")
    (contracts / "zones.toml").unlink()
    again = CliRunner().invoke(app, ["new", "contract", f"{publisher.url}/zones_2024-01.csv"])
    assert str(again.exception).startswith(f"{fixtures / 'zones_2024-01.csv'}: found a file, expected none")
    assert list(contracts.iterdir()) == []


def test_a_new_contract_goes_where_it_is_told_to_and_without_a_file_to_the_terminal(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.serve("/x.csv", b"id\n1\n")
    url, file = f"{publisher.url}/x.csv", tmp_path / "zones.toml"
    shown = CliRunner().invoke(app, ["new", "contract", url, "--name", "zones", "--stdout"])
    told = CliRunner().invoke(app, ["new", "contract", url, "--to", str(file)])
    assert (shown.exit_code, told.exit_code) == (0, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["zones.toml"]
    assert file.read_text() == shown.stdout
    assert contract.read(tmp_path, "zones").columns[0].type == "INT64"


def test_a_run_in_a_shell_without_an_environment_is_refused_before_prefect_is_asked() -> None:
    values = {name: value for name, value in os.environ.items() if name != "LANDFALL_ENVIRONMENT"}
    ended = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", "flights", "2013-01"],
        env={**values, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "http://127.0.0.1:1/api"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        2,
        "",
        f"{no_environment()}\n",
    )


def test_a_run_elsewhere_has_no_rows_to_give_and_says_who_has() -> None:
    found = CliRunner().invoke(app, ["run", "flights", "2013-01", "--on", "p", "--json"])
    assert (found.exit_code, found.stdout) == (2, "")
    assert "landfall backfill has both, nothing was started" in found.stderr


def no_environment() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LANDFALL_ENVIRONMENT", raising=False)
        with pytest.raises(settings.SettingsError) as refused:
            settings.read()
    return str(refused.value)


@pytest.mark.parametrize(
    "options", [["--to", "x.csv"], ["--to", "x.toml", "--stdout"], ["--to", "x.toml", "--name", "y"], ["--rows", "0"]]
)
def test_options_of_a_new_contract_that_contradict_each_other_are_refused(options: list[str]) -> None:
    assert CliRunner().invoke(app, ["new", "contract", "https://example.org/x.csv", *options]).exit_code == 2


def test_nothing_is_written_of_a_file_that_cannot_be_read(publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve("/zones.csv", b"<html>sorry")
    found = CliRunner().invoke(app, ["new", "contract", f"{publisher.url}/zones.csv", "--to", str(tmp_path / "z.toml")])
    assert isinstance(found.exception, BadFile)
    missing = CliRunner().invoke(
        app, ["new", "contract", f"{publisher.url}/x.csv", "--to", str(tmp_path / "no/z.toml")]
    )
    assert str(missing.exception).startswith(f"{tmp_path / 'no/z.toml'}: found no folder")
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("words", [["--help"], ["register", "-h"], ["build", "-h"]])
def test_help_does_not_wait_for_what_commands_need(words: list[str]) -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from flows.cli.main import app;"
        f"code = CliRunner().invoke(app, {words}).exit_code;"
        "print(code, sorted({'prefect', 'pyarrow', 'pandas', 'google.cloud.bigquery'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "0 []\n"


def test_help_imports_a_few_hundred_modules_and_none_of_what_commands_need() -> None:
    """334 in November 2026, most of them of the standard library and rich; one library more is some hundred."""
    script = (
        "import sys; sys.argv = ['landfall', '--help']; from flows.cli.main import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(' '.join(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    modules = ended.stderr.split()
    heavy = {"prefect", "prefect_gcp", "google", "pyarrow", "pandas", "numpy", "pydantic", "requests", "httpx"}
    assert (ended.returncode, sorted(heavy & set(modules))) == (0, [])
    assert 200 < len(modules) < 420


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_that_asks_gets_a_script_and_then_commands_contracts_and_options(shell: str) -> None:
    script = completed({}, "--show-completion", shell=shell)
    assert "_LANDFALL_COMPLETE" in script

    def asked(line: str) -> list[str]:
        words = line.split(" ")
        given = {"_LANDFALL_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line, "COMP_WORDS": line}
        given |= {"COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        return completed(given, shell=shell).split("\n")

    found = {line: "\n".join(asked(f"landfall {line}")) for line in ("sta", "run air", "register --no-s")}
    for line, word in (
        ("sta", "status"),
        ("run air", "airlines"),
        ("run air", "airports"),
        ("register --no-s", "--no-schedule"),
    ):
        assert word in found[line]


def completed(variables: dict[str, str], *words: str, shell: str) -> str:
    """Run the command as a shell's completion does, which tells its name by its parent's."""
    script = f"import shellingham; shellingham.detect_shell = lambda *_: ('{shell}', '/bin/{shell}');"
    script += "import sys; sys.argv[0] = 'landfall'; from flows.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env={**os.environ, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_the_installed_command_is_this_one() -> None:
    module, _, name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["landfall"].partition(
        ":"
    )
    assert getattr(import_module(module), name) is main
