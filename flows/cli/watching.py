"""One run in a work pool, watched from a terminal until it ends."""

import sys
import time
from collections.abc import Mapping

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import LogSort

from flows import settings
from flows.etl.address import parse, shown
from flows.etl.errors import SourceError
from flows.logs import quiet_terminal
from flows.order import take_order, with_as_of
from flows.runs import deployed

POLL_S = 1.0
PAGE = 200  # the most log lines that the server gives at once


def start_and_watch(parameters: dict[str, str], pool: str) -> int:
    """Start a run of the deployment that lands anything, print what it says until it ends, and give the exit code.

    Ctrl-C ends the watching, not the run.

    Raises:
        ContractError: no such contract or period.
        SettingsError: no such deployment in this work pool.
        SourceError: an address with a query, which may be a secret that Prefect would keep and show.
    """
    quiet_terminal()
    values = settings.read()
    _check(values, parameters)
    with get_client(sync_client=True) as client:
        found = deployed.find(client, deployed.LANDING, values.environment, pool)
        run = client.create_flow_run_from_deployment(found.id, parameters=parameters)
        try:
            _say(deployed.said(run))
            for warning in deployed.hindrances(client, pool, found.work_queue_name or "default"):
                _say(warning)
            run = _watch(client, run)
        except KeyboardInterrupt:
            _say(f"run {run.name} goes on without this; to end it: prefect flow-run cancel {run.id}")
            return 130
    if run.state_type == StateType.COMPLETED:
        print(f"run {run.name} is completed")
        return 0
    print(deployed.why(run))
    return 1


def _check(values: settings.Settings, asked: Mapping[str, str]) -> None:
    """Refuse what the run would refuse, before there is one."""
    source = asked.get("source")
    if source:
        parse(source, "--source")
        if shown(source) != source:
            raise SourceError(
                f"--source: found {shown(source)}, expected an address without a query, which may be a secret and would"
                " be kept and shown by Prefect; land it here, without --on, nothing was started"
            )
    order = take_order(values, asked["contract"], asked.get("first"), asked.get("last"), source)
    with_as_of(order, asked.get("as_of"))


def _watch(client: SyncPrefectClient, run: FlowRun) -> FlowRun:
    """Print a run's log as it grows, and its states, until it has ended; what is said late is waited for a little."""
    lines, state, ended = 0, run.state_name, False
    while True:
        lines += _print_log(client, run, lines)
        if ended:
            return run
        run = client.read_flow_run(run.id)
        ended = bool(run.state and run.state.is_final())
        if run.state_name != state and not ended:
            state = run.state_name
            _say(f"run {run.name} is {str(state).lower()}")
        time.sleep(POLL_S)


def _print_log(client: SyncPrefectClient, run: FlowRun, offset: int) -> int:
    """Print the log from a line on, and say how many more there were."""
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
    number = 0
    while page := client.read_logs(wanted, PAGE, offset + number, LogSort.TIMESTAMP_ASC):
        for each in page:
            _say(f"{each.timestamp:%H:%M:%S} | {each.message}")
        number += len(page)
    return number


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
