"""Calls to the local cloud, in the words that the real provider has for their refusals."""

import json
from typing import Any

import urllib3

TIMEOUT_S = 30.0


class Refused(Exception):
    """Terraform shows it as an error: a summary, and a detail that may be empty."""

    def __init__(self, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail


def call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make one call and return its answer.

    Raises:
        Refused: the local cloud refused or cannot be reached.
    """
    answer = _request(method, url, body)
    if answer.status >= 400:
        made = (
            "\nIt was made without Terraform, by `make run` perhaps: import it, or remove it."
            if answer.status == 409
            else ""
        )
        raise Refused(f"googleapi: Error {answer.status}: {_message(answer)}", f"{method} {url}{made}")
    return _document(answer)


def find(url: str) -> dict[str, Any] | None:
    """Return a resource, or None if there is none.

    Raises:
        Refused: as for `call`.
    """
    return None if _request("GET", url, None).status == 404 else call("GET", url)


def remove(url: str) -> None:
    """Delete a resource; one that is not there is no error.

    Raises:
        Refused: as for `call`.
    """
    answer = _request("DELETE", url, None)
    if answer.status >= 400 and answer.status != 404:
        raise Refused(f"googleapi: Error {answer.status}: {_message(answer)}", f"DELETE {url}")


def _request(method: str, url: str, body: dict[str, Any] | None) -> urllib3.BaseHTTPResponse:
    try:
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as pool:
            return pool.request(method, url, json=body) if body is not None else pool.request(method, url)
    except urllib3.exceptions.HTTPError as error:
        raise Refused(f"the local cloud does not answer: {error}", f"{method} {url}") from error


def _document(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.data) if answer.data.strip() else {}
    return found


def _message(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        return str(_document(answer)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.data.decode(errors="replace")[:500]
