"""Errors in Google's shape: a reason, a message, an HTTP code."""

from __future__ import annotations

import duckdb

# https://cloud.google.com/bigquery/docs/error-messages
CODES = {
    "backendError": 503,
    "bytesBilledLimitExceeded": 400,
    "conditionNotMet": 412,
    "duplicate": 409,
    "invalid": 400,
    "invalidQuery": 400,
    "notFound": 404,
    "notImplemented": 501,
    "required": 400,
    "resourceInUse": 400,
    "stopped": 499,
}
STATUSES = {
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}


class Fault(Exception):
    """A request or a job that BigQuery refuses, with the reason that it would give."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def code(self) -> int:
        """The HTTP status of an answer that carries this error."""
        return CODES[self.reason]

    def body(self) -> dict[str, object]:
        """Word the error as the body of an HTTP answer."""
        detail = {"reason": self.reason, "message": self.message, "domain": "global"}
        status = STATUSES.get(self.code, "INVALID_ARGUMENT")
        return {"error": {"code": self.code, "message": self.message, "status": status, "errors": [detail]}}


def not_implemented(what: str) -> Fault:
    """Refuse something that BigQuery has and this server does not; 501, never a silent difference."""
    return Fault("notImplemented", f"{what} is not part of the local BigQuery")


def from_duckdb(error: duckdb.Error, reason: str) -> Fault:
    """Word an error of the engine as BigQuery's, by `reason`, but for a cancelled job and an unknown function."""
    if isinstance(error, duckdb.InterruptException):
        return stopped()
    if isinstance(error, duckdb.CatalogException) and "Function with name" in str(error):
        return not_implemented(str(error).partition("\n")[0])
    return Fault(reason, str(error))


def stopped() -> Fault:
    """Say that a user cancelled the job."""
    return Fault("stopped", "Job execution was cancelled: User requested cancellation")
