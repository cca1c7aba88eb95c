"""Runs the flow as Prefect does: loaded by its path, on a server that is there for these tests alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint
from prefect.testing.utilities import prefect_test_harness

FILE = Path(__file__).parents[1] / "example_flow.py"


@pytest.fixture(scope="module")
def example_flow() -> Iterator[Flow[..., Any]]:
    with prefect_test_harness(server_startup_timeout=120):
        yield load_flow_from_entrypoint(f"{FILE}:example_flow")


def test_rows_are_counted_by_a_column(example_flow: Flow[..., Any], tmp_path: Path) -> None:
    (tmp_path / "zones.csv").write_text("zone,borough\n1,Queens\n2,Bronx\n3,Queens\n")
    assert example_flow(str(tmp_path / "zones.csv"), "borough") == {"Queens": 2, "Bronx": 1}


def test_it_runs_as_it_stands(example_flow: Flow[..., Any]) -> None:
    assert example_flow() == {"Manhattan": 3, "Queens": 2, "Staten Island": 1}
