"""Where landings go: one environment's bucket and dataset."""

from dataclasses import dataclass

from google.api_core.exceptions import NotFound
from google.cloud import bigquery, storage

from flows.etl.errors import EnvironmentMismatch


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
