"""From an environment's Prefect blocks to its bucket and dataset, and to its runs."""

import warnings

from google.auth.transport.requests import AuthorizedSession
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect_gcp.bigquery import BigQueryWarehouse
from prefect_gcp.cloud_storage import GcsBucket
from prefect_gcp.credentials import GcpCredentials

from flows.etl.destination import Destination, open_destination
from flows.runs.jobs import Region
from flows.runs.place import Runs
from flows.settings import Settings, SettingsError


def connect(settings: Settings) -> Destination:
    """Load the environment's blocks, and refuse a bucket or dataset that belongs to another.

    Raises:
        SettingsError: a block is missing.
        EnvironmentMismatch: bucket or dataset is absent, or carries another environment's label.
    """
    try:
        lake, warehouse = load_blocks(settings)
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


def connect_to_runs(settings: Settings) -> Runs:
    """Load what says where the environment's runs are: its work pool, whose jobs are made in one region, and a block.

    Raises:
        SettingsError: the block, the work pool or its region is missing.
    """
    register = f"register them with `make blocks ENV={settings.environment}`, nothing was done"
    try:
        credentials = GcpCredentials.load(settings.credentials_block)
        with get_client(sync_client=True) as client:
            template = client.read_work_pool(settings.work_pool).base_job_template
        location = template["variables"]["properties"]["region"]["default"]
    except (ValueError, ObjectNotFound, KeyError) as error:
        raise SettingsError(
            f"{error}; expected the credentials' block and the work pool of environment {settings.environment},"
            f" with a region; {register}"
        ) from error
    session = AuthorizedSession(credentials.get_credentials_from_service_account())  # type: ignore[no-untyped-call]
    return Runs(settings.work_pool, Region(settings.cloud_run_endpoint, credentials.project, location, session))


def load_blocks(settings: Settings) -> tuple[GcsBucket, BigQueryWarehouse]:
    """Load the blocks of bucket and warehouse, which look for credentials and ask nobody.

    Raises:
        ValueError: there is no such block, as Prefect says it.
    """
    lake = GcsBucket.load(settings.lake_block)
    with warnings.catch_warnings():
        # the block offers its client BigQuery's Storage API, which is not installed: no row passes this process
        warnings.filterwarnings("ignore", message="Cannot create BigQuery Storage client")
        return lake, BigQueryWarehouse.load(settings.warehouse_block)
