"""`landfall register`: a project's flows, in files, modules and specs, become deployments."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deployments.looking import Outcome

Paths = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        "--path",
        metavar="PATH",
        help='A Python file, a folder (the files in it), or a pattern such as "**/*"; may be given several times.',
    ),
]
Modules = Annotated[
    list[str] | None,
    typer.Option(
        "-m",
        "--module",
        metavar="MODULE",
        help="A module, or a flow in one, as module.flow; may be given several times.",
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Option("-n", "--name", metavar="FLOW", help="Take the flow of this name alone; may be given several times."),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "-l",
        "--label",
        metavar="TEXT",
        help="A tag, and the work queue if the pool has one of that name; may be given several times.",
    ),
]
StorageText = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="WHERE",
        help="Where runs take the code from: local\\[:FOLDER], git\\[:REPOSITORY\\[@BRANCH]],"
        " github:OWNER/NAME\\[@BRANCH], gcs:BUCKET/FOLDER, s3:BUCKET/FOLDER or image. Without it: this folder for a"
        " work pool of type process, else the image.",
    ),
]
TokenBlock = Annotated[
    str | None,
    typer.Option(
        "--token-block", metavar="BLOCK", help="The Prefect Secret block with the token of a private repository."
    ),
]


def register(  # noqa: PLR0913, PLR0917 - a command has as many parameters as options
    project: Annotated[
        str, typer.Option("--project", metavar="TEXT", help="Whose flows they are: tag, name prefix and work queue.")
    ],
    paths: Paths = None,
    modules: Modules = None,
    specs: Annotated[
        list[str] | None,
        typer.Option(
            "-j",
            "--json",
            metavar="FILE",
            help="A path or https address of a file that `landfall build` made; may be given several times.",
        ),
    ] = None,
    names: Names = None,
    labels: Labels = None,
    storage: StorageText = None,
    token_block: TokenBlock = None,
    pool: Annotated[
        str | None,
        typer.Option("--pool", metavar="POOL", help="The work pool; without it, that of LANDFALL_ENVIRONMENT."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            metavar="IMAGE",
            envvar="LANDFALL_IMAGE",
            help="What jobs run, where the work pool takes an image.",
        ),
    ] = None,
    *,
    force: Annotated[bool, typer.Option("-f", "--force", help="Send also what has not changed.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C, and register again whenever a file changes.")
    ] = False,
    schedule: Annotated[
        bool | None,
        typer.Option(
            "--schedule/--no-schedule",
            help="Set the flows' schedules to work, or to rest. Without either, new ones work, and those that are"
            " there stay as people left them.",
            show_default=False,
        ),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove deployments of the project whose flow is gone, not only list them.")
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="One JSON object an outcome, for programs (--json is a spec).")
    ] = False,
) -> None:
    """Register flows of a project at Prefect, as deployments. Those that have not changed are skipped.

    A file takes part if it has a line `if __name__ == "__main__"`; a flow's schedules are those of
    `flow.to_deployment(...)` at the top of its file. Exits with 1 if something could not be registered.

    Examples:
    \b
      Register all flows found in a directory.
      landfall register --project my-project -p myflows/
    \b
      Register a flow named "example" found in flow.py.
      landfall register --project my-project -p flow.py -n "example"
    \b
      Register all flows found in a module named myproject.flows.
      landfall register --project my-project -m "myproject.flows"
    \b
      Register a flow in variable flow_x in a module myproject.flows.
      landfall register --project my-project -m "myproject.flows.flow_x"
    \b
      Register all pre-built flows from a remote JSON file.
      landfall register --project my-project --json https://some-url/flows.json
    \b
      Register all flows in Python files found recursively using globbing.
      landfall register --project my-project --path "**/*"
    \b
      Watch a directory of flows for changes, and register flows again upon change.
      landfall register --project my-project -p myflows/ --watch
    \b
      Register a flow found in flow.py and disable its schedule.
      landfall register --project my-project -p flow.py --no-schedule
    """
    if not (paths or modules or specs):
        raise typer.BadParameter("found none of --path, --module and --json, expected one; nothing was written")
    if watch:
        again([word for word in sys.argv[1:] if word != "--watch"], paths or (), modules or ())
        return
    from blocks.server import ServerError, connect
    from deployments import looking
    from deployments import project as projects
    from deployments import storage as storages
    from deployments.errors import DeclarationError
    from flows.cli.shown import print_json

    try:
        order = projects.Order(
            projects.named(project),
            pool or _environments_pool(),
            projects.labelled(labels or ()),
            storages.parse(storage, token_block) if storage else None,
            image,
            active=schedule,
            force=force,
            prune=prune,
        )
        wanted = looking.Wanted(paths or (), modules or (), specs or (), names or ())
        with connect() as server:
            outcomes = projects.register(server, wanted, order)
            if json_lines:
                print_json(all_of := [*outcomes])
            else:
                print(f"{project}: {summary(all_of := [*said(outcomes)])}")
    except (DeclarationError, ServerError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    raise typer.Exit(1 if any(each.what == "failed" for each in all_of) else 0)


def said(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    """Print outcomes as they come, a line each, and give them on."""
    from flows.etl.address import printable

    for each in outcomes:
        if not each.is_minor:
            line = f"{each.what:<10} {each.name}" + (f": {each.why}" if each.why else "")
            print(printable(line), flush=True)
            for difference in each.differences:
                print(printable(f"{'':<10} {difference}"))
        yield each


def summary(outcomes: Sequence[Outcome]) -> str:
    """Count outcomes: a pass's last line."""
    counts = Counter(each.what for each in outcomes if not each.is_minor and each.what != "note")
    without = sum(each.is_minor for each in outcomes)
    parts = [f"{count} {what}" for what, count in counts.items()]
    parts += [f"{without} file{'' if without == 1 else 's'} without flows"] if without else []
    return ", ".join(parts) or "nothing to do"


def again(words: Sequence[str], paths: Sequence[str], modules: Sequence[str]) -> None:
    """Run a command, and once more whenever a watched file has changed; Ctrl-C ends it."""
    import os
    import subprocess

    from deployments import watching

    for changed in watching.changes(paths, modules):
        if changed:
            print(f"\nchanged: {', '.join(os.path.relpath(each) for each in changed)}", flush=True)
        # a process of its own, so that nothing is what it was; -P, for a folder here may be called `flows`
        subprocess.run([sys.executable, "-P", "-m", "flows.cli", *words], check=False)
        print("watching for changes; Ctrl-C ends it", flush=True)


def _environments_pool() -> str:
    import os

    from deployments.errors import DeclarationError
    from flows import settings

    if not os.environ.get("LANDFALL_ENVIRONMENT"):
        raise DeclarationError(
            "--pool: found nothing, expected a work pool's name, or LANDFALL_ENVIRONMENT, whose pool it would be;"
            " nothing was written"
        )
    return settings.read().work_pool
