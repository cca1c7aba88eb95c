"""A contract for a test: monthly trips in CSV, but for what the test says."""

from typing import Any

from flows.etl.contract import Column, Contract


def contract_of(*columns: Column, **more: Any) -> Contract:
    """Make a contract of these columns; keywords are a contract's keys."""
    keys: dict[str, Any] = {
        "name": "trips",
        "revision": 1,
        "description": "",
        "owner": "",
        "source": "https://publisher.test/{yyyy}{mm}",
        "format": "csv",
        "partition": "month",
        "first_partition": "2021-01",
        "columns": list(columns),
    }
    if more.get("partition") == "none":
        keys |= {"source": "https://publisher.test/all", "first_partition": None}
    return Contract(**(keys | more))
