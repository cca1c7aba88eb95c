"""An environment's bucket and dataset for commands that only look, without importing what runs need.

Prefect and its blocks take two CPU seconds to import and pandas half of one, where a look should take one in all. So
the blocks' documents are read from Prefect's API as they are. What is not as `make blocks` and `make env` leave it (a
profile in place of PREFECT_API_URL, certificates or headers of one's own, a key in a block), or does not answer, goes
Prefect's own way, which also says what is wrong.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import PreparedRequest, Session

    from flows.etl.destination import Destination
    from flows.settings import Settings

TIMEOUT_S = 10
OWN_WAYS = ("PREFECT_API_TLS", "PREFECT_API_SSL", "PREFECT_CLIENT_CUSTOM", "PREFECT_PROFILE")


def travel_light() -> None:
    """Import BigQuery's client without pandas, which it would load to offer frames; before any module that needs it."""
    if {"pandas", "google.cloud.bigquery"} & sys.modules.keys():
        return
    sys.modules["pandas"] = None  # type: ignore[assignment] # so Python says that a module cannot be imported
    try:
        import google.cloud.bigquery  # noqa: F401
    finally:
        del sys.modules["pandas"]


def look_at(settings: Settings) -> Destination:
    """Open the environment's bucket and dataset, and refuse those that belong to another.

    Raises:
        SettingsError: a block is missing.
        EnvironmentMismatch: bucket or dataset is absent, or carries another environment's label.
    """
    found = _documents(settings)
    if found is None:
        from flows.connection import connect
        from flows.logs import quiet_terminal

        quiet_terminal()
        return connect(settings)
    lake, warehouse = found
    import google.auth
    from google.cloud import bigquery, storage

    from flows.etl.destination import open_destination

    nobodys, _ = google.auth.default()
    files = storage.Client(lake["gcp_credentials"]["project"], nobodys)
    tables = bigquery.Client(warehouse["gcp_credentials"]["project"], nobodys)
    return open_destination(files.bucket(lake["bucket"]), tables, settings.dataset, settings.environment)


def _documents(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Read what is in the blocks of lake and warehouse; None if that is not plainly to be had."""
    url = os.environ.get("PREFECT_API_URL")
    if not url or any(name.startswith(OWN_WAYS) for name in os.environ):
        return None
    import requests

    with requests.Session() as session:
        session.auth = _authorized
        try:
            lake = _document(session, f"{url}/block_types/slug/gcs-bucket", settings.lake_block)
            warehouse = _document(session, f"{url}/block_types/slug/bigquery-warehouse", settings.warehouse_block)
        except (requests.RequestException, KeyError, TypeError):
            return None
    return (lake, warehouse) if lake and warehouse else None


def _document(session: Session, kind: str, name: str) -> dict[str, Any] | None:
    """Read a block whose credentials are whatever Google finds where it is asked; None if it has others."""
    given = {"include_secrets": "true"}  # the nested block's data comes with them alone
    answer = session.get(f"{kind}/block_documents/name/{name}", params=given, timeout=TIMEOUT_S)
    answer.raise_for_status()
    data: dict[str, Any] = answer.json()["data"]
    credentials = data["gcp_credentials"]
    if not isinstance(credentials, dict):
        return None
    has_key = credentials.get("service_account_info") or credentials.get("service_account_file")
    return None if has_key or not credentials.get("project") else data


def _authorized(request: PreparedRequest) -> PreparedRequest:
    """Say who asks, as Prefect's client does."""
    import base64

    if key := os.environ.get("PREFECT_API_KEY"):
        request.headers["Authorization"] = f"Bearer {key}"
    elif auth := os.environ.get("PREFECT_API_AUTH_STRING"):
        request.headers["Authorization"] = f"Basic {base64.b64encode(auth.encode()).decode()}"
    return request
