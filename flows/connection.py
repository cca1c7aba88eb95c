"""From an environment's Prefect blocks to its bucket and dataset."""

import warnings

from prefect_gcp.bigquery import BigQueryWarehouse
from prefect_gcp.cloud_storage import GcsBucket

from flows.etl.destination import Destination, open_destination
from flows.settings import Settings


def connect(settings: Settings) -> Destination:
    """Load the environment's blocks, and refuse a bucket or dataset that belongs to another.

    Raises:
        ValueError: a block is missing (Prefect's own words name it).
        EnvironmentMismatch: a label says so.
    """
    lake = GcsBucket.load(settings.lake_block)
    with warnings.catch_warnings():
        # the block offers its client BigQuery's Storage API, which is not installed: no row passes this process
        warnings.filterwarnings("ignore", message="Cannot create BigQuery Storage client")
        warehouse = BigQueryWarehouse.load(settings.warehouse_block)
    return open_destination(
        lake.get_bucket(),
        warehouse.gcp_credentials.get_bigquery_client(),
        settings.dataset,
        settings.environment,
    )
