"""The real weather of 2013, cleaned."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from flows.etl import contract, convert, formats
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine
from localcloud.publisher import package_data

CONTRACTS = Path(__file__).parents[2] / "flows" / "contracts"


def test_the_weather_of_2013_lands_as_published_but_for_one_wind_that_no_station_measured() -> None:
    published = package_data() / "weather.csv"
    weather, month = contract.read(CONTRACTS, "weather"), Partition.parse("month", "2013-02")
    with published.open("rb") as stream, formats.read(stream, weather, month, "weather.csv") as reader:
        landed = pa.concat_tables(convert.tables(reader, weather, month, Quarantine(weather.quarantine, "weather.csv")))
    expected = pd.read_csv(published, dtype_backend="pyarrow", parse_dates=["time_hour"])
    (row,) = expected.index[
        (expected.origin == "EWR") & (expected.time_hour == pd.Timestamp("2013-02-12T08:00", tz="UTC"))
    ]
    assert expected.wind_speed[row] == 1048.36058
    expected.loc[row, "wind_speed"] = pd.NA
    found = landed.drop_columns(["file_month"]).to_pylist()
    wanted = pa.Table.from_pandas(expected, preserve_index=False).cast(landed.drop_columns(["file_month"]).schema)
    assert len(found) == 26_115
    assert found == wanted.to_pylist()
