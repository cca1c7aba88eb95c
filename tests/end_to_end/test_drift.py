"""Columns that come and go, on the way from a file to the table."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from tests.end_to_end.place import Place
from tests.end_to_end.runner import Run

TRIPS = """
    revision = 1
    description = "Trips"
    owner = "data-team"
    source = "{publisher}/trips_{yyyy}-{mm}.parquet"
    format = "parquet"
    partition = "month"
    first_partition = "2021-01"
    columns = [
        { name = "VendorID", type = "INT64" },
        { name = "pickup", type = "DATETIME", aliases = ["tpep_pickup_datetime"] },
        { name = "passenger_count", type = "INT64" },
    ]

    [drift]
    new_column = "add"
"""
NOON = dt.datetime(2021, 1, 1, 12)


def test_a_parquet_column_that_comes_and_goes_is_added_once_and_null_elsewhere(place: Place, tmp_path: Path) -> None:
    (tmp_path / "trips.toml").write_text(TRIPS)

    def publish(month: str, vendor: pa.DataType, **more: pa.Array) -> None:
        columns = {
            "VendorID": pa.array([1, 2], vendor),
            "tpep_pickup_datetime": pa.array([NOON, NOON], pa.timestamp("us")),
            "passenger_count": pa.array([1.0, None], pa.float64()),
        }
        sink = io.BytesIO()
        pyarrow.parquet.write_table(pa.table({**columns, **more}), sink)
        place.publisher.serve(f"/trips_{month}.parquet", sink.getvalue())

    def run(*periods: str, plant: str = "other_contracts") -> Run:
        plant = f"tests.end_to_end.plants:{plant}"
        return place.run("trips", *periods, plant=plant, OTHER_CONTRACTS=str(tmp_path))

    def rows() -> list[tuple[Any, ...]]:
        return place.ask("SELECT file_month, VendorID, passenger_count, Airport_fee FROM {trips} ORDER BY 1, 2")

    january, february, march = (dt.date(2021, month, 1) for month in (1, 2, 3))
    landed = [
        *[(january, 1, 1, None), (january, 2, None, None)],
        *[(february, 1, 1, 1.25), (february, 2, None, 0.0)],
        *[(march, 1, 1, None), (march, 2, None, None)],
    ]
    publish("2021-01", pa.int64())
    publish("2021-02", pa.int32(), Airport_fee=pa.array([1.25, 0.0]), empty=pa.nulls(2))
    publish("2021-03", pa.int32())
    publish("2021-04", pa.int32(), airport_fee=pa.array(["1.25", "0"]))
    assert run("2021-01").last_line == "1 partition landed: 2 source rows = 2 loaded + 0 quarantined"
    assert place.ask("SELECT pickup FROM {trips}") == [(NOON,), (NOON,)]
    # the first job of this load knows the table as it was before: BigQuery refuses it, and the next one loads
    assert run("2021-02", plant="narrow_first_schema").code == 0
    assert place.ask("SELECT attempt, status FROM {landings} WHERE partition = '2021-02'") == [(1, "loaded")]
    assert place.claims("2021-02", "trips")[0]["added_columns"] == {"Airport_fee": "FLOAT64"}

    refused = run("2021-03", "2021-04")
    assert refused.last_line == "1 partition landed, 1 failed: 2 source rows = 2 loaded + 0 quarantined"
    assert "found STRING in the file, expected the FLOAT64 that an earlier file has added" in refused.text
    assert '{ name = "airport_fee", type = "FLOAT64" },' in refused.text
    assert rows() == landed

    # made again from the claim of another run: its file's own column comes back with it
    place.bigquery.delete_table(f"{place.dataset}.trips")
    assert run("2021-02").code == 0
    assert rows() == landed[2:4]
    assert [(each["kind"], each["added_columns"]) for each in place.claims("2021-02", "trips")] == [
        ("landing", {"Airport_fee": "FLOAT64"}),
        ("repair", {"Airport_fee": "FLOAT64"}),
    ]
