"""`landfall build`: a project's flows as data, for `landfall register --json`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.register import Labels, Modules, Names, Paths, StorageText, TokenBlock, said, summary


def build(  # noqa: PLR0913, PLR0917 - a command has as many parameters as options
    paths: Paths = None,
    modules: Modules = None,
    names: Names = None,
    labels: Labels = None,
    storage: StorageText = None,
    token_block: TokenBlock = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")] = Path(
        "flows.json"
    ),
) -> None:
    """Write flows down as JSON, for `landfall register --json` to register wherever Prefect can be reached.

    The file is data: entry points, parameters, schedules and where the code is from. Nothing asks Prefect.

    Examples:
    \b
      landfall build -p myflows/
      landfall build -p "**/*" --storage github:coa/repo_name@main -o flows.json
    """
    if not (paths or modules):
        raise typer.BadParameter("found neither --path nor --module, expected one; nothing was written")
    from deployments import looking
    from deployments import project as projects
    from deployments import spec as specs
    from deployments import storage as storages
    from deployments.errors import DeclarationError

    try:
        kind = storages.parse(storage, token_block) if storage else None
        wanted = looking.Wanted(paths or (), modules or (), names=names or ())
        made, outcomes = projects.build(wanted, projects.labelled(labels or ()), kind)
    except DeclarationError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    rest = [*said(outcomes)]
    specs.write(made, output)
    for each in made.flows:
        print(f"{'built':<10} {each.flow}/{each.name}")
    print(f"{output}: {len(made.flows)} built" + (f", {summary(rest)}" if rest else ""))
    raise typer.Exit(1 if any(each.what == "failed" for each in rest) else 0)
