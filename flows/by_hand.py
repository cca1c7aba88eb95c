"""Running a flow file by hand: `python flows/web_to_bigquery.py flights 2013-01`."""

import argparse
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from prefect import Flow

from flows import foreseen
from flows.logs import quiet_terminal
from flows.order import withhold
from flows.report import Outcome, RunFailed
from flows.terminal import console

POSITIONAL = ("contract", "first", "last")
METAVARS = {"source": "URL"}


Given = TypeVar("Given", bound=Outcome)


def run(flow: Flow[..., Given], arguments: Sequence[str] | None = None) -> None:
    """Run a flow with the command line's arguments, print its table and its last line, and exit.

    The exit code is 0 only if every partition came through and every row with it, 1 if not, 130 after Ctrl-C.
    """
    parameters = _read(flow, arguments)
    try:
        carry_out(flow, parameters)
    except Exception as error:
        said = foreseen.line(error)
        if said is None:
            raise
        sys.exit(said)


def for_people(report: Outcome) -> None:
    """Print a report's table and its last line."""
    console().print(report.table())
    print(report.line)  # noqa: T201 - the last line is for people and for scripts: no markup, no wrapping


def carry_out(flow: Flow[..., Given], parameters: dict[str, Any], show: Callable[[Any], None] = for_people) -> NoReturn:
    """Run a flow with these parameters, show its report, and exit as `run` does.

    Raises:
        Exception: it could not begin; `foreseen.line` says why, where that is known.
    """
    quiet_terminal()
    report: Outcome
    try:
        if "source" in parameters:
            parameters["source"] = withhold(parameters["source"])
        report = flow(**parameters)
    except RunFailed as failed:
        report = failed.report
    except KeyboardInterrupt:
        sys.exit(130)
    show(report)
    sys.exit(0 if report.holds else 1)


def _read(flow: Flow[..., Given], arguments: Sequence[str] | None) -> dict[str, Any]:
    """Read the flow's parameters: what is chosen by position, everything else by its name."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(flow.fn), formatter_class=argparse.RawTextHelpFormatter)
    for name, parameter in inspect.signature(flow.fn).parameters.items():
        kind = parameter.annotation if isinstance(parameter.annotation, type) else str
        option = f"--{name.replace('_', '-')}"
        if name in POSITIONAL:
            parser.add_argument(name, nargs=None if parameter.default is parameter.empty else "?")
        elif kind is bool:
            parser.add_argument(option, action="store_true", default=None)
        else:
            parser.add_argument(option, type=kind, metavar=METAVARS.get(name))
    return {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
