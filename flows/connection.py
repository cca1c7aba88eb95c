"""From an environment's Prefect blocks to its bucket and dataset."""

import warnings

from prefect_gcp.bigquery import BigQueryWarehouse
from prefect_gcp.cloud_storage import GcsBucket

from flows.etl.destination import Destination, open_destination
from flows.settings import Settings, SettingsError


def connect(settings: Settings) -> Destination:
    """Load the environment's blocks, and refuse a bucket or dataset that belongs to another.

    Raises:
        SettingsError: a block is missing.
        EnvironmentMismatch: bucket or dataset is absent, or carries another environment's label.
    """
    try:
        lake, warehouse = _load(settings)
    except ValueError as error:  # so Prefect says that there is no such block
        raise SettingsError(
            f"{error}; expected the blocks of environment {settings.environment}: register them with"
            f" `make blocks ENV={settings.environment}`, nothing was written"
        ) from error
    return open_destination(
        lake.get_bucket(),
        warehouse.gcp_credentials.get_bigquery_client(),
        settings.dataset,
        settings.environment,
    )


def _load(settings: Settings) -> tuple[GcsBucket, BigQueryWarehouse]:
    lake = GcsBucket.load(settings.lake_block)
    with warnings.catch_warnings():
        # the block offers its client BigQuery's Storage API, which is not installed: no row passes this process
        warnings.filterwarnings("ignore", message="Cannot create BigQuery Storage client")
        return lake, BigQueryWarehouse.load(settings.warehouse_block)
