"""A small BigQuery on DuckDB, held to Google's written promises for the calls that it knows; all others answer 501."""

from localcloud.bigquery.loads import Lake, StoredFile
from localcloud.bigquery.rest import routes
from localcloud.bigquery.warehouse import Warehouse

__all__ = ["Lake", "StoredFile", "Warehouse", "routes"]
