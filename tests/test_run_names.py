"""What runs are called, and that the alerts know them for landings."""

import re
from typing import Any

import pytest

from flows import run_names
from flows.gcs_to_bigquery import gcs_to_bigquery
from flows.web_to_bigquery import web_to_bigquery
from flows.web_to_gcs import web_to_gcs
from flows.web_to_postgres import web_to_postgres


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"contract": "planes"}, "planes-all"),
        ({"contract": "flights", "first": None, "last": None, "source": None}, "flights-all"),
        ({"contract": "flights", "first": "2013-01"}, "flights-2013-01"),
        ({"contract": "flights", "first": "2013-01", "last": "2013-01"}, "flights-2013-01"),
        ({"contract": "flights", "first": "2013-01", "last": "2013-12"}, "flights-2013-01-to-2013-12"),
        ({"contract": "flights", "last": "2013-12"}, "flights-to-2013-12"),
        ({"contract": "flights", "first": "2013-01", "as_of": 0}, "flights-2013-01-as-of-0"),
        (
            {"contract": "flights", "first": "2013-01", "source": "https://example.org/f?..."},
            "flights-2013-01-from-elsewhere",
        ),
    ],
)
def test_a_run_is_called_by_what_it_lands(parameters: dict[str, Any], name: str) -> None:
    assert run_names.of(parameters) == name
    assert re.search("-", name)  # infra/alerts.tf tells landings from upkeep by it


def test_all_landings_are_named_so() -> None:
    landings = (web_to_bigquery, web_to_gcs, gcs_to_bigquery, web_to_postgres)
    assert {flow.flow_run_name for flow in landings} == {run_names.by_periods}
