"""BigQuery's client names no timeout of its own: on a line that stays silent, a call would wait for ever."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.api_core.retry import Retry, if_exception_type
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from flows.etl import destination
from flows.etl.destination import open_destination


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of somebody who accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_call_to_bigquery_that_names_no_timeout_gives_a_silent_line_up(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destination, "TIMEOUT_S", (1, 0.05))
    credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
    warehouse = bigquery.Client("local", credentials, client_options={"api_endpoint": silent})
    bucket = storage.Client("local", credentials, client_options={"api_endpoint": silent}).bucket("lake")
    bucket.labels = {"environment": "local"}
    monkeypatch.setattr(bucket, "reload", lambda: None)
    monkeypatch.setattr(warehouse, "get_dataset", lambda _name: _labelled(warehouse))
    open_destination(bucket, warehouse, "landfall_local", "local")
    with pytest.raises(requests.exceptions.ReadTimeout):
        warehouse.get_table("local.landfall_local.flights", retry=Retry(if_exception_type()))


def _labelled(warehouse: bigquery.Client) -> bigquery.Dataset:
    dataset = bigquery.Dataset(f"{warehouse.project}.landfall_local")
    dataset.labels = {"environment": "local"}
    return dataset
