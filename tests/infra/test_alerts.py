import logging
import re
from pathlib import Path

import prefect
import pytest
from prefect import Flow, states
from prefect.client.schemas.objects import State
from prefect.logging.configuration import load_logging_config
from prefect.logging.formatters import PrefectFormatter

from flows.reconcile import reconcile
from flows.recover import recover
from flows.sweep import sweep

ALERTS = Path(__file__).parents[2] / "infra" / "alerts.tf"


def patterns() -> dict[str, str]:
    """Read what the alerts look for in a line of a run's log: Terraform's locals, put together."""
    found = dict(re.findall(r'^  (run_\w+) += "(.*)"$', ALERTS.read_text(encoding="utf-8"), re.MULTILINE))
    filters = {name: text.replace("${local.run_ended}", found["run_ended"]) for name, text in found.items()}
    return {name: text.split(r"=~\"", 1)[1].removesuffix(r"\"") for name, text in filters.items()}


def line(state: State[object], *, of: str = "flow", name: str = "meek-puffin") -> str:
    """Write a run's last line as Prefect's own formatter does, to the terminal that Cloud Run's log is fed from."""
    standard = load_logging_config(Path(prefect.__file__).parent / "logging" / "logging.yml")["formatters"]["standard"]
    formatter = PrefectFormatter(
        standard["format"],
        standard["datefmt"],
        flow_run_fmt=standard["flow_run_fmt"],
        task_run_fmt=standard["task_run_fmt"],
    )
    record = logging.LogRecord(f"prefect.{of}_runs", logging.INFO, "", 0, f"Finished in state {state}", None, None)
    setattr(record, f"{of}_run_name", name)
    return formatter.format(record)


@pytest.mark.parametrize(
    "state",
    [states.Failed(message="2 partitions failed"), states.Crashed(), State(type="FAILED", name="TimedOut")],
    ids=["failed", "crashed", "timed out"],
)
def test_the_alert_on_failed_runs_finds_the_last_line_of_one(state: State[object]) -> None:
    assert re.search(patterns()["run_failed"], line(state)), line(state)
    assert not re.search(patterns()["run_success"], line(state))


def test_the_alert_on_missing_runs_counts_flow_runs_that_completed_and_no_tasks() -> None:
    assert re.search(patterns()["run_success"], line(states.Completed()))
    assert not re.search(patterns()["run_failed"], line(states.Completed()))
    assert not re.search(patterns()["run_success"], line(states.Completed(), of="task"))


@pytest.mark.parametrize("upkeep", [recover, reconcile, sweep], ids=["recover", "reconcile", "sweep"])
def test_upkeep_does_not_hide_that_nothing_lands(upkeep: Flow[..., object]) -> None:
    name = str(upkeep.flow_run_name)
    assert not re.search(patterns()["run_success"], line(states.Completed(), name=name))
    assert re.search(patterns()["run_failed"], line(states.Failed(), name=name))
