"""Plain HTTP to the JSON APIs, for what Google's clients hide."""

import json
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.response import BaseHTTPResponse

from tests.conformance.targets import Target


class Http:
    """Speak plain HTTP to a target's services; nothing is tried again, and no redirect is followed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._pool = urllib3.PoolManager(maxsize=16, retries=False)

    def send(self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any) -> BaseHTTPResponse:
        """Send one request.

        Args:
            method: GET, POST and so on.
            path: `/bigquery/...` goes to BigQuery, every other path to storage; a whole address goes where it says.
            body: bytes, or what is sent as JSON.
            headers: added to the authorisation.
            query: the call's parameters; None leaves one out.
        """
        given = {name: value for name, value in query.items() if value is not None}
        address = path if path.startswith("http") else self._target.addresses[_service(path)] + path
        if given:
            address += ("&" if "?" in address else "?") + urlencode(given, doseq=True)
        heads = {**self._target.authorisation(), **(headers or {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            heads.setdefault("Content-Type", "application/json")
        # what is stored compressed must arrive as it was sent
        return self._pool.request(method, address, body=body, headers=heads, decode_content=False)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def _service(path: str) -> str:
    return (
        "bigquery" if path.startswith(("/bigquery/", "/upload/bigquery/", "/resumable/upload/bigquery/")) else "storage"
    )
