"""`landfall doctor`: what is right and wrong with this place, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.parameters import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from flows.doctor.examination import Examined

STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red", "skipped": "dim"}
WIDTH = 14
"""Of a check's name."""


def _check_names(incomplete: str) -> list[str]:
    """Complete a check's name in a shell."""
    from flows.doctor.checks import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


def doctor(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="Show this check alone; repeatable.", autocompletion=_check_names),
    ] = None,
    outputs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="What `terraform output -json` printed."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Look at everything that a run needs, and say what is wrong and what to do. It changes nothing.

    Python and the lock, an old Prefect 1 configuration, settings, Prefect, credentials, blocks, work pool, worker,
    deployments, Terraform's outputs, Google's APIs, bucket, dataset, labels, locations. It takes some seconds, and
    waits at most 18. Exits with 1 if there is a problem; a warning is none.

    Examples:
    \b
      landfall doctor
      landfall doctor --only blocks --only bucket
      landfall doctor --json | jq 'select(.verdict == "problem")'
    """
    import dataclasses
    import json
    import logging
    import os
    import sys
    import warnings
    from collections import Counter

    from flows.doctor.checks import CHECKS, NAMES
    from flows.doctor.examination import examine, left_behind
    from flows.doctor.seen import here
    from flows.terminal import console

    if unknown := [name for name in only or [] if name not in NAMES]:
        raise typer.BadParameter(f"found {', '.join(unknown)}, expected one of {', '.join(NAMES)}", param_hint="--only")
    logging.disable(logging.CRITICAL)  # what libraries say of a host that is down, the finding says in its own words
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    screen = console()
    seen = here(outputs)
    with seen.closing:
        for each in examine(CHECKS, seen, only or ()):
            counts[each.verdict] += 1
            if as_json:
                print(json.dumps(dataclasses.asdict(each)), flush=True)
            else:
                _show(screen, each)
    if not as_json:
        print(", ".join(f"{counts[verdict]} {verdict}" for verdict in STYLES if counts[verdict]))
    code = 1 if counts["problem"] else 0
    if left_behind(CHECKS):
        sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)


def _show(screen: Console, each: Examined) -> None:
    """Print a finding as soon as it is there: plain lines, for what to do is to be copied."""
    from rich.text import Text

    line = Text.assemble((f"{each.verdict:<8} ", STYLES[each.verdict]), (f"{each.check:<{WIDTH}} ", "bold"), each.found)
    screen.print(line, soft_wrap=True, highlight=False)
    if each.what_to_do:
        screen.print(Text(f"{'':<{WIDTH + 10}}-> {each.what_to_do}"), soft_wrap=True, highlight=False)
