"""The `landfall` command.

Exit codes: 0 it is so, or it is done; 1 it is not so; 2 it could not be found out, and why is on stderr.
"""

import sys

import typer
from google.auth.exceptions import GoogleAuthError

from flows.cli import contract
from flows.cli.history import history
from flows.cli.quarantine import quarantine
from flows.etl.errors import LandfallError

app = typer.Typer(
    name="landfall",
    help="Web data makes landfall in BigQuery.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(contract.app, name="contract")
app.command()(quarantine)
app.command()(history)


def main() -> None:
    """Run the command line, and exit."""
    try:
        app()
    except (LandfallError, GoogleAuthError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
