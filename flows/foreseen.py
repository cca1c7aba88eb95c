"""What ends a command or a run by hand with one line in place of a traceback."""

import httpx
from google.auth.exceptions import GoogleAuthError
from prefect.settings import get_current_settings

from flows.etl.errors import LandfallError

NO_API = "Failed to reach API at"  # so Prefect's client begins a RuntimeError, when a flow run cannot be made


def line(error: Exception) -> str | None:
    """Say an error in one line; None if nobody foresaw it.

    Landfall's own errors, missing Google credentials, and Prefect's API, whose client is the one that uses httpx.
    """
    url = get_current_settings().api.url or "the server that it starts itself"
    match error:
        case LandfallError() | GoogleAuthError():
            return str(error)
        case httpx.HTTPStatusError(response=response) if response.status_code in (401, 403):
            return (
                f"Prefect: {url} answered {response.status_code} {response.reason_phrase}, expected access; set"
                ' PREFECT_API_KEY for Prefect Cloud, or PREFECT_API_AUTH_STRING: on a laptop, eval "$(make -s env)"'
            )
        case httpx.HTTPStatusError(request=request, response=response):
            return (
                f"Prefect: {url} answered {response.status_code} {response.reason_phrase} to {request.method}"
                f" {request.url.path}, expected success; look into the server's log, and run it again: it goes on"
            )
        case httpx.TransportError() | RuntimeError() if isinstance(error, httpx.HTTPError) or NO_API in str(error):
            return (
                f"Prefect: found no answer at {url}, expected its API; start the server (on a laptop: `make up`), or"
                " correct PREFECT_API_URL, and run it again: it goes on"
            )
        case _:
            return None
