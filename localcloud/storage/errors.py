"""What goes wrong: refusals in the shape of Google's JSON API, and what keeps the server from serving."""

import json

TIDY_UP = "did the machine lose power? Remove the local cloud's folder and land again"


class ApiError(Exception):
    """Refuse a request: an HTTP status, Google's reason word and a sentence for people.

    Source: https://cloud.google.com/storage/docs/json_api/v1/status-codes
    """

    def __init__(self, status: int, reason: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.headers = headers or {}

    def body(self) -> bytes:
        """Return the JSON document that clients parse."""
        message = str(self)
        detail = {"domain": "global", "reason": self.reason, "message": message}
        return json.dumps({"error": {"code": self.status, "message": message, "errors": [detail]}}).encode()


class NoSuchBucket(ApiError, LookupError):
    """Name a bucket that does not exist."""

    def __init__(self, bucket: str) -> None:
        super().__init__(404, "notFound", f"The specified bucket does not exist: {bucket}")


class NoSuchObject(ApiError, LookupError):
    """Name an object, a generation or a `gs://` pattern that stands for nothing live."""

    def __init__(self, what: str) -> None:
        super().__init__(404, "notFound", f"No such object: {what}")


class PreconditionFailed(ApiError):
    """Say that a generation or metageneration was not the one asked for, and that nothing changed."""

    def __init__(self, found: str, *, status: int = 412) -> None:
        message = f"At least one of the pre-conditions you specified did not hold: {found}"
        super().__init__(status, "conditionNotMet", message)


class Invalid(ApiError):
    """Refuse what Google would refuse with 400."""

    def __init__(self, message: str, reason: str = "invalid") -> None:
        super().__init__(400, reason, message)


class NotImplementedHere(ApiError):
    """Refuse what Google does and the local cloud does not, instead of doing something else in silence."""

    def __init__(self, what: str) -> None:
        super().__init__(501, "notImplemented", f"The local cloud's storage does not implement {what}")


class BodyCutShort(ConnectionError):
    """The client went away in the middle of its body."""


class FolderInUse(RuntimeError):
    """Another process serves the folder."""


class LostBytes(RuntimeError):
    """The journal names bytes that the disk has not: the machine lost power, or someone tidied up."""
