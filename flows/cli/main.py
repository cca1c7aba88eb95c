"""The `landfall` command.

Exit codes: 0 it is so, or it is done; 1 it is not so, or not all is done; 2 it could not be found out or begun, and why
is on stderr; 130 after Ctrl-C.
"""

import sys

import typer

from flows.cli import contract, new
from flows.cli.backfill import backfill
from flows.cli.build import build
from flows.cli.doctor import doctor
from flows.cli.history import history
from flows.cli.quarantine import quarantine
from flows.cli.register import register
from flows.cli.run import run
from flows.cli.serve import serve
from flows.cli.status import status

app = typer.Typer(
    name="landfall",
    help="Web data makes landfall in BigQuery.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel="Land")(run)
app.command(rich_help_panel="Land")(backfill)
app.command(rich_help_panel="Look")(status)
app.command(rich_help_panel="Look")(history)
app.command(rich_help_panel="Look")(quarantine)
app.command(rich_help_panel="Look")(doctor)
app.command(rich_help_panel="Deploy")(register)
app.command(rich_help_panel="Deploy")(build)
app.command(rich_help_panel="Deploy")(serve)
app.add_typer(new.app, name="new", rich_help_panel="Begin")
app.add_typer(contract.app, name="contract", rich_help_panel="Begin")


def main() -> None:
    """Run the command line, and exit."""
    try:
        app()
    except Exception as error:
        from flows import foreseen

        said = foreseen.line(error)
        if said is None:
            raise
        sys.stderr.write(f"{said}\n")
        sys.exit(2)
