"""Every way in which Landfall refuses, gives up or starts over, and which of them a retry can mend.

A message reads `<where>: <found>, <expected>; <what to do>`.
"""

import requests
from google.api_core import exceptions as api
from google.auth.exceptions import TransportError

NETWORK = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)  # may pass


class LandfallError(Exception):
    """Anything that Landfall itself refuses or gives up on."""


class Terminal(LandfallError):
    """A retry of the same input cannot mend it."""


class ContractError(Terminal):
    """A contract file, a contract's name or a period that does not hold."""


class SourceError(Terminal):
    """The publisher does not serve the file."""


class BadFile(Terminal):
    """The file's bytes are not what the contract says; nothing of them is visible."""


class CheckFailed(Terminal):
    """The rows are not what the contract's checks expect of them as a whole."""


class EnvironmentMismatch(Terminal):
    """A bucket or dataset that belongs to another environment, or to none."""


class Outdated(Terminal):
    """A newer revision of the contract, or of this code, has landed already."""


class ObjectGone(Terminal):
    """An object of the lake is there no more, or other bytes are under its name."""


class ClaimGone(Terminal):
    """An older claim that was asked for was never made, or its object is there no more."""


class WarehouseRefused(Terminal):
    """BigQuery says that the data or the table does not fit; the old partition stands."""


class DatabaseRefused(Terminal):
    """Postgres says that the data or the table does not fit, or is none that Landfall can use; the old rows stand."""


class Unequal(Terminal):
    """Rows were lost or doubled on the way: one of the two row equations does not hold."""


class Transient(LandfallError):
    """Passing trouble: the same call may succeed later."""


class ComeBackLater(Transient):
    """Passing trouble for which the publisher names an end: it is not asked again before that."""


class StartOver(LandfallError):
    """The world moved on under a landing: bring the partition again from its source."""


def is_transient(error: BaseException) -> bool:
    """Tell whether *error* may go away by itself: ours, a Google client's or the network's."""
    if isinstance(error, api.GoogleAPICallError):
        return isinstance(error, (api.ServerError, api.TooManyRequests))
    return isinstance(
        error,
        (
            Transient,
            api.RetryError,
            TransportError,
            *NETWORK,
        ),
    )
