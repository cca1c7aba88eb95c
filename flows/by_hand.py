"""Running a flow file by hand: `python flows/web_to_bigquery.py flights 2013-01`."""

import argparse
import inspect
import sys
from collections.abc import Sequence
from typing import Any

from google.auth.exceptions import GoogleAuthError
from prefect import Flow

from flows.etl.errors import LandfallError
from flows.logs import quiet_terminal
from flows.report import PartitionsFailed, Report
from flows.terminal import console


def run(flow: Flow[..., Report], arguments: Sequence[str] | None = None) -> None:
    """Run a flow with the command line's arguments, print its table and its last line, and exit.

    The exit code is 0 only if every partition came through and every row with it, 1 if not, 130 after Ctrl-C.
    """
    parameters = _read(flow, arguments)
    quiet_terminal()
    try:
        report = flow(**parameters)
    except PartitionsFailed as failed:
        report = failed.report
    except (LandfallError, GoogleAuthError) as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit(130)
    console().print(report.table())
    print(report.line)  # noqa: T201 - the last line is for people and for scripts: no markup, no wrapping
    sys.exit(0 if report.holds else 1)


def _read(flow: Flow[..., Report], arguments: Sequence[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=inspect.getdoc(flow.fn), formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("contract")
    parser.add_argument("first", nargs="?")
    parser.add_argument("last", nargs="?")
    if "source" in inspect.signature(flow.fn).parameters:
        parser.add_argument("--source", metavar="URL")
    return {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
