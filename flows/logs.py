"""Where what the work says goes: to Prefect's run log, and to the terminal."""

import logging

from prefect.logging.handlers import APILogHandler

from flows.artifacts import sending
from flows.etl.errors import LandfallError

TASKS = "prefect.task_runs"
FORESEEN = "landfall_foreseen"  # marks a record about an error of ours

WORK = logging.getLogger("flows.etl")


def join_run_log(*contracts: str) -> None:
    """Send what `flows.etl` logs to the run's log in Prefect, from INFO on; the terminal gets it as well.

    The run is tagged with the contracts that it is about, by which the UI finds it.

    Prefect's own setting for this (PREFECT_LOGGING_EXTRA_LOGGERS) leaves the level at WARNING, and a flow that is run
    from another folder would not find it.
    """
    WORK.setLevel(logging.INFO)
    if not any(isinstance(handler, APILogHandler) for handler in WORK.handlers):
        WORK.addHandler(APILogHandler())
    for name in ("prefect.flow_runs", TASKS):
        logger = logging.getLogger(name)
        if _worth_reading not in logger.filters:
            logger.addFilter(_worth_reading)
    sending.mark([f"contract:{each}" for each in contracts])


def _worth_reading(record: logging.LogRecord) -> bool:
    """Leave out of what Prefect says that a task has completed, which the graph shows, and our errors' tracebacks.

    An error of ours says where, what and what next by itself.
    """
    if record.name == TASKS and record.getMessage() == "Finished in state Completed()":
        return False
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, LandfallError):
        record.exc_info, record.exc_text = None, None
        record.__dict__[FORESEEN] = True
    return True


def quiet_terminal() -> None:
    """Leave out of the terminal what the run's own report says again; Prefect's run log keeps it.

    And that Prefect still sends events while the process ends, which would come behind the report.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if FORESEEN in record.__dict__ or isinstance(error, LandfallError):
        return False
    return not record.getMessage().startswith(("Finished in state", "Still processing items"))
