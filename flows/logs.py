"""Where what the work says goes: to Prefect's run log, and to the terminal."""

import logging

from prefect.logging.handlers import APILogHandler

from flows.etl.errors import LandfallError

WORK = logging.getLogger("flows.etl")


def join_run_log() -> None:
    """Send what `flows.etl` logs to the run's log in Prefect, from INFO on; the terminal gets it as well.

    Prefect's own setting for this (PREFECT_LOGGING_EXTRA_LOGGERS) leaves the level at WARNING, and a flow that is run
    from another folder would not find it.
    """
    WORK.setLevel(logging.INFO)
    if not any(isinstance(handler, APILogHandler) for handler in WORK.handlers):
        WORK.addHandler(APILogHandler())


def quiet_terminal() -> None:
    """Leave out of the terminal what the run's own report says again; Prefect's run log keeps it.

    And that Prefect still sends events while the process ends, which would come behind the report.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, LandfallError) and not record.getMessage().startswith(
        ("Finished in state", "Still processing items")
    )
