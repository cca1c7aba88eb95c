"""Prefect's API, as far as blocks and work pools need it, with one line for each way that it cannot be used."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import get_current_settings

_AUTH = "set PREFECT_API_KEY for Prefect Cloud, or PREFECT_API_AUTH_STRING for a server of your own"


class ServerError(Exception):
    """Prefect's server cannot be used; the message does not say what was written, for it depends."""


class Refused(ServerError):
    """Prefect's server refuses one request, and may take the next."""


class Server:
    """A connection; paths are relative to the API's address."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self._client = client

    def read(self, path: str) -> Any:
        """Read what is there; returns nothing if there is nothing."""
        try:
            return self._request("GET", path, None)
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 404:
                return None
            raise

    def post(self, path: str, body: dict[str, Any] | list[dict[str, Any]]) -> Any:
        """Ask or create; returns the answer's JSON."""
        return self._request("POST", path, body)

    def pages(self, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Ask for all that fits: a server answers with 200 at most."""
        found: list[dict[str, Any]] = []
        while page := self.post(path, {**asked, "offset": len(found), "limit": 200}):
            found += page
        return found

    def create(self, path: str, body: dict[str, Any]) -> str | None:
        """Create; returns its id, or nothing if there is one of that name."""
        try:
            return str(self.post(path, body)["id"])
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 409:
                return None
            raise

    def patch(self, path: str, body: dict[str, Any]) -> None:
        """Change."""
        self._request("PATCH", path, body)

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Write anew as a whole."""
        self._request("PUT", path, body)

    def delete(self, path: str) -> None:
        """Remove."""
        self._request("DELETE", path, None)

    def _request(self, method: Any, path: Any, body: dict[str, Any] | list[dict[str, Any]] | None) -> Any:
        answer = self._client.request(method, path, json=body)
        return answer.json() if answer.content else None


@contextmanager
def answered() -> Iterator[None]:
    """Say what an answer means by which the server refuses a request.

    Raises:
        ServerError: it refuses whoever asks, or is no Prefect server.
        Refused: it refuses this request.
    """
    try:
        yield
    except httpx.HTTPStatusError as error:
        url = get_current_settings().api.url
        code = error.response.status_code
        asked = f"{error.request.method} {error.request.url.path}"
        found = f"{url}: answered {code} {error.response.reason_phrase} to {asked}"
        # a server with CSRF protection says this first, wherever a change is sent; the client brings a token if the
        # address is the API's
        without_token = "Missing CSRF token" in error.response.text
        if code in (401, 403) and not without_token:
            raise ServerError(f"{found}, expected access; {_AUTH}") from error
        if code in (404, 405) or without_token:
            raise ServerError(f"{found}, expected Prefect's API; is the address complete, up to /api?") from error
        raise Refused(f"{found}: {error.response.text[:300]!r}") from error


@contextmanager
def connect() -> Iterator[Server]:
    """Open a connection to the server of PREFECT_API_URL, or of Prefect's profile.

    Raises:
        ServerError: there is none, it does not answer, it refuses the credentials, or it is no Prefect server.
    """
    url = get_current_settings().api.url
    if not url:  # without one Prefect would start a server of its own, for this process alone
        raise ServerError(
            "PREFECT_API_URL: found nothing, expected the address of a Prefect server's API; on a laptop:"
            ' eval "$(make -s env)"'
        )
    try:
        with answered(), get_client(sync_client=True) as client:
            yield Server(client)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        said = str(error) or type(error).__name__
        raise ServerError(f"{url}: {said}, expected a Prefect server that answers; check PREFECT_API_URL") from error
    except json.JSONDecodeError as error:
        raise ServerError(
            f"{url}: answered with something else than JSON, expected Prefect's API; check PREFECT_API_URL"
        ) from error
