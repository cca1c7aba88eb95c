"""BigQuery's REST surface: one module for each of Google's resources."""

from __future__ import annotations

from starlette.routing import BaseRoute

from localcloud.bigquery.rest import datasets, jobs, tabledata, tables, uploads
from localcloud.bigquery.rest.methods import Method, route, unknown
from localcloud.bigquery.warehouse import Warehouse


def methods(warehouse: Warehouse) -> list[Method]:
    """List every method that is understood."""
    return [
        *datasets.methods(warehouse),
        *tables.methods(warehouse),
        *tabledata.methods(warehouse),
        *jobs.methods(warehouse),
    ]


def routes(warehouse: Warehouse) -> list[BaseRoute]:
    """Serve a warehouse; what is not understood answers 501 and its name."""
    return [*(route(method) for method in methods(warehouse)), *uploads.routes(warehouse), *unknown()]
