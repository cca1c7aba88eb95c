"""Register the deployments of prefect.yaml and the automations of automations.yaml at Prefect.

python -m deployments, with its variables set.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows import settings
from flows.settings import SettingsError

if TYPE_CHECKING:
    from blocks.change import Change, Known
    from blocks.server import Server


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the file, compare, register; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        values = settings.read()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command says why it cannot
        return 1
    # imported late: Prefect takes a second, and a setting that is missing is said at once
    from blocks.making import bring_about  # noqa: PLC0415
    from deployments import automations, declared, registration  # noqa: PLC0415
    from deployments.errors import DeclarationError  # noqa: PLC0415

    def plan(server: "Server") -> tuple[list["Change"], "Known"]:
        wanted = declared.read(options.file, values.environment, os.environ)
        told = automations.read(options.automations, os.environ)
        changes, known = registration.plan(server, wanted, values)
        return changes + automations.plan(server, told, values), known

    return bring_about(plan, DeclarationError, prune=options.prune, check=options.check)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deployments", description="Register the deployments of prefect.yaml that differ from Prefect's."
    )
    parser.add_argument("--file", type=Path, default=Path("prefect.yaml"), help="read this in place of prefect.yaml")
    parser.add_argument(
        "--automations", type=Path, default=Path("automations.yaml"), help="read this in place of automations.yaml"
    )
    parser.add_argument("--prune", action="store_true", help="remove what is not in the file any more")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, show what would be done, and exit with 2 if it is anything"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
