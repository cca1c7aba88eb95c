"""Where landings go: one environment's bucket and dataset."""

from dataclasses import dataclass
from typing import Any

import requests
from google.api_core.exceptions import NotFound
from google.cloud import bigquery, storage

from flows.etl.errors import EnvironmentMismatch

TIMEOUT_S = (10, 60)  # to connect, and between two reads; BigQuery holds an answer back for 10 s at most


@dataclass(frozen=True, slots=True)
class Destination:
    """A bucket, and a dataset with the client that reaches it."""

    bucket: storage.Bucket
    warehouse: bigquery.Client
    dataset: bigquery.Dataset

    @property
    def location(self) -> str:
        """Where the dataset is: jobs must run there."""
        return str(self.dataset.location)

    def table(self, name: str) -> str:
        """Give a table's full name: `project.dataset.table`."""
        return f"{self.dataset.project}.{self.dataset.dataset_id}.{name}"


def open_destination(bucket: storage.Bucket, warehouse: bigquery.Client, dataset: str, environment: str) -> Destination:
    """Look at bucket and dataset, and refuse those that carry another environment's label, or none.

    A guard against values mixed up by hand; what keeps one environment out of another is IAM.

    Raises:
        EnvironmentMismatch: bucket or dataset is absent, or its label differs or is missing.
    """
    _bound(warehouse)
    try:
        bucket.reload()
        found = warehouse.get_dataset(dataset)
    except NotFound as error:
        raise EnvironmentMismatch(
            f"gs://{bucket.name}, {dataset}: {error.message}, expected both; run `make apply`, or on a laptop"
            " `make blocks`; nothing was written"
        ) from error
    for what, labels in ((f"gs://{bucket.name}", bucket.labels), (found.full_dataset_id, found.labels)):
        if (label := labels.get("environment")) != environment:
            raise EnvironmentMismatch(
                f"{what}: found the label environment={label or '(none)'}, expected {environment}; check"
                " LANDFALL_ENVIRONMENT and the blocks, or label it in infra/; nothing was written"
            )
    return Destination(bucket, warehouse, found)


class _Bounded(requests.adapters.HTTPAdapter):
    """A transport that gives up on a line which stays silent, so that the call is made again."""

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        how["timeout"] = how.get("timeout") or TIMEOUT_S
        return super().send(request, **how)


def _bound(warehouse: bigquery.Client) -> None:
    """Let no call wait for ever: BigQuery's client names no timeout, where storage's names 60 s.

    `make chaos` found that a landing hung on a silent line. Each call names its job or can be repeated, so that giving
    one up loses nothing.
    """
    session: requests.Session = warehouse._http  # noqa: SLF001 - it offers no other way for all of its calls at once
    for scheme in ("http://", "https://"):
        if not isinstance(session.get_adapter(scheme), _Bounded):
            session.mount(scheme, _Bounded())
