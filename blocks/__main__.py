"""Register an environment's Prefect blocks and work pool from Terraform's outputs.

terraform -chdir=infra output -json | python -m blocks
"""

# ruff: noqa: T201  # the command says what it did

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blocks import outputs
from blocks.outputs import Outputs, OutputsError

if TYPE_CHECKING:
    from blocks.change import Change

DIFFERENT = 2
"""The exit code of --check when there is something to do, as of `terraform plan -detailed-exitcode`."""

DONE = {"create": "created", "update": "updated", "keep": "unchanged", "remove": "removed"}
TO_DO = {"create": "to create", "update": "to update", "keep": "unchanged", "remove": "to remove"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read outputs, compare, register; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        text, source = _text(options.infra)
        given = outputs.parse(text, source, options.environment)
    except OutputsError as error:
        print(error, file=sys.stderr)
        return 1
    return register(given, prune=options.prune, check=options.check, if_absent=options.if_absent)


def register(given: Outputs, *, prune: bool = False, check: bool = False, if_absent: bool = False) -> int:
    """Compare and register, say what was done, and return the exit code."""
    # imported late: Prefect takes a second, and outputs that are wrong are said at once
    from blocks import registration  # noqa: PLC0415
    from blocks.server import ServerError, connect  # noqa: PLC0415

    written = False

    def say(change: "Change") -> None:
        nonlocal written
        written = written or change.action != "keep"
        _print(DONE[change.action], change)

    try:
        with connect() as server:
            if if_absent and not registration.absent(server, given):
                return 0
            changes, known = registration.plan(server, given)
            wanted = [change for change in changes if prune or change.action != "remove"]
            if check:
                for change in wanted:
                    _print(TO_DO[change.action], change)
            else:
                registration.make(wanted, known, say)
    except OutputsError as error:
        print(error, file=sys.stderr)
        return 1
    except ServerError as error:
        print(f"{error}; {'the lines above were written' if written else 'nothing was written'}", file=sys.stderr)
        return 1
    for change in changes:
        if change not in wanted:
            print(f"left over {change.name} ({change.kind}): --prune removes it")
    return DIFFERENT if check and any(change.action != "keep" for change in wanted) else 0


def _print(word: str, change: "Change") -> None:
    print(f"{word:<9} {change.name} ({change.kind})")
    for line in change.differences:
        print(f"          {line}")


def _text(infra: Path | None) -> tuple[str, str]:
    return (outputs.ask_terraform(infra), str(infra)) if infra else (sys.stdin.read(), "standard input")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m blocks",
        description="Register an environment's Prefect blocks and work pool from Terraform's outputs, which it reads "
        "from standard input.",
    )
    parser.add_argument("--infra", type=Path, metavar="FOLDER", help="ask terraform there in place of standard input")
    parser.add_argument("--environment", help="refuse the outputs of any other")
    parser.add_argument("--prune", action="store_true", help="remove what the outputs do not ask for any more")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--check", action="store_true", help="write nothing, show what would be done, and exit with 2 if it is anything"
    )
    kind.add_argument("--if-absent", action="store_true", help="do nothing if the blocks that a flow loads are there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
