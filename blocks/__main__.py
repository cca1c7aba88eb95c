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
    from blocks.server import Server


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
    from blocks.change import Known  # noqa: PLC0415
    from blocks.making import bring_about  # noqa: PLC0415

    def plan(server: "Server") -> tuple[list["Change"], "Known"]:
        if if_absent and not registration.absent(server, given):
            return [], Known(server)
        return registration.plan(server, given)

    return bring_about(plan, OutputsError, prune=prune, check=check)


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
