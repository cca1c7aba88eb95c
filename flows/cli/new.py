"""`landfall new`: a contract from a file's head, a flow's folder from a template."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.etl.drafting import Draft

app = typer.Typer(help="Contracts and flows to start from.", no_args_is_help=True)


@app.command()
def contract(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="One file of the data set, with its period in the address.")
    ],
    name: Annotated[str | None, typer.Option(help="The data set's name; else it is made of the address.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many of the first rows to look at.")] = 10_000,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the contract here, NAME.toml, and no fixture.")
    ] = None,
    *,
    stdout: Annotated[bool, typer.Option("--stdout", help="Print the contract, and write nothing.")] = False,
) -> None:
    """Look at the first rows of a file, and propose a contract for it.

    Columns, types, dialect, compression, period and checks come from the
    head, which proves little: what a person must decide is marked
    `# review:` in the file. Only as much is read as it takes.

    Writes flows/contracts/NAME.toml and, as its test, the first 20 rows to
    tests/contracts/fixtures/; never over a file that is there. The address'
    query goes with the request and is written nowhere.

    Examples:
    \b
      landfall new contract https://example.org/zones_2024-01.csv.gz
      landfall new contract '{publisher}/airports.csv' --name fields
      landfall new contract https://example.org/zones_2024-01.csv.gz --stdout --rows 500
    """
    import datetime as dt

    from flows import settings
    from flows.etl import drafting

    if to is not None and (stdout or to.suffix != ".toml" or (name or to.stem) != to.stem):
        raise typer.BadParameter("expected NAME.toml, as the file's name is the contract's, and no --stdout")
    now, publisher = dt.datetime.now(dt.UTC), settings.Reading().publisher
    known_as = drafting.name_for(url, publisher, name if to is None else to.stem, now)
    file = to or settings.CONTRACTS / f"{known_as}.toml"
    if not stdout:
        drafting.check_free(file)
    made = drafting.draft(url, publisher, known_as, rows, now)
    if stdout:
        print(made.text, end="")
        return
    fixtures = settings.CONTRACTS.parents[1] / "tests" / "contracts" / "fixtures"
    written = drafting.place(made, file, fixtures if to is None and fixtures.is_dir() else None)
    for line in _said(made, written):
        print(line)


def _said(made: Draft, written: list[Path]) -> Iterator[str]:
    """Say what was found and written, and what comes next."""
    agreed, period = made.contract, made.period
    packed = "" if agreed.compression == "none" else f", {agreed.compression}"
    looked_at = f"{made.rows:,} row{'' if made.rows == 1 else 's'}"
    of_size = "" if made.size is None else f" of {_size(made.size)}"
    file, *fixture = (_near(path) for path in written)
    by = "replaced as a whole" if agreed.partition == "none" else f"a partition by {agreed.partition}"
    yield f"{agreed.name}: {len(agreed.columns)} columns of {agreed.format}{packed}; {by}"
    yield f"looked at {looked_at}: read {_size(made.bytes_read)}{of_size}"
    yield f"wrote {file}: {made.reviews} lines in it are marked `# review:`"
    yield from (f"wrote {path}: the first rows, as its test" for path in fixture)
    in_test = "lands the fixture, and fails while a mark is left" if fixture else "wants a fixture of it"
    yield "next:"
    yield f"  edit {file}"
    diff = f"landfall contract diff {agreed.name} {period}"
    for command, does in (
        (diff, "compares it with the file again"),
        ("make test", in_test),
        (f"landfall run {agreed.name} {period}", "lands the file"),
    ):
        yield f"  {command:<{len(diff)}}  {does}"
    if agreed.partition != "none":
        yield "  and a deployment in prefect.yaml, which `make test` asks for: docs/deployments.md"


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number:,} bytes"


def _near(path: Path) -> Path:
    """Give a path as short as it can be typed from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@app.command()
def flow(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The flow's, a Python identifier in lower case.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Make this folder, and not flows/projects/NAME.")
    ] = None,
) -> None:
    """Make a folder with a flow to start from: the flow, its scripts, a test that runs it, a README.

    It runs, passes its test and can be registered as it stands. A folder
    that is there is left alone. Each folder of flows/projects/ is a project:
    `make register` registers it, and each merge to main.

    Examples:
    \b
      landfall new flow sales
      landfall new flow sales --to flows/projects/shop
    """
    from flows.cli import flow_template

    folder = to or Path("flows") / "projects" / name
    made = flow_template.make(name, folder)
    print(f"wrote {folder}: {', '.join(map(str, made))}")
    print("next:")
    register = f"landfall register --project {name} --path {folder}"
    for command, does in (
        (f"python {folder / name}.py", "runs it"),
        (f"python -m pytest {folder}", "tests it"),
        (register, "makes a deployment of it"),
    ):
        print(f"  {command:<{len(register)}}  {does}")
