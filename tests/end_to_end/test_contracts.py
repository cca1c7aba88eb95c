"""The local publisher's own data sets, all the way to their tables."""

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from flows.etl.contract import read
from flows.settings import CONTRACTS
from localcloud.publisher import package_data
from tests.end_to_end.place import Place


@pytest.mark.parametrize(("contract", "rows"), [("airports", 1458), ("planes", 3322)])
def test_a_snapshot_of_the_local_publisher_lands_whole(
    place: Place, cloud: dict[str, str], contract: str, rows: int
) -> None:
    run = place.run(contract, LANDFALL_PUBLISHER=cloud["LANDFALL_PUBLISHER"])
    assert (run.code, run.last_line) == (
        0,
        f"1 partition landed: {rows} source rows = {rows} loaded + 0 quarantined",
    ), run.text
    numbers = {column.name for column in read(CONTRACTS, contract).columns if column.type != "STRING"}
    with (package_data() / f"{contract}.csv").open(newline="") as file:
        published = [
            tuple(None if text == "NA" else float(text) if name in numbers else text for name, text in row.items())
            for row in csv.DictReader(file)
        ]
    assert Counter(place.ask(f"SELECT * FROM {{{contract}}}")) == Counter(published)


def test_the_weathers_impossible_wind_is_null_in_the_table_and_its_row_is_there(
    place: Place, cloud: dict[str, str]
) -> None:
    run = place.run("weather", "2013-02", LANDFALL_PUBLISHER=cloud["LANDFALL_PUBLISHER"])
    assert run.code == 0, run.text
    assert place.ask(
        "SELECT origin, day, hour, temp, wind_speed FROM {weather} WHERE wind_speed IS NULL OR wind_speed > 100"
    ) == [("EWR", 12, 3, 39.02, None)]
    (claim,) = place.claims("2013-02", "weather")
    assert claim["contract_fingerprint"].split("-")[2].startswith("pandas")
    again = place.run("weather", "2013-02", LANDFALL_PUBLISHER=cloud["LANDFALL_PUBLISHER"])
    assert again.last_line == "1 partition up to date"


def test_a_contract_proposed_for_a_file_of_the_local_publisher_lands_it_as_it_stands(
    place: Place, cloud: dict[str, str], tmp_path: Path
) -> None:
    plant, publisher = "tests.end_to_end.plants:other_contracts", cloud["LANDFALL_PUBLISHER"]
    where = {"LANDFALL_PUBLISHER": publisher, "OTHER_CONTRACTS": str(tmp_path)}
    url = f"{publisher}/weather/weather_2013-02.csv.gz"
    made = place.run("new", "contract", url, "--name", "winds", flow="landfall", plant=plant, **where)
    assert made.code == 0, made.text
    run = place.run("winds", "2013-02", plant=plant, **where)
    assert (run.code, run.last_line) == (
        0,
        "1 partition landed: 2010 source rows = 2010 loaded + 0 quarantined",
    ), run.text
    with (package_data() / "weather.csv").open(newline="") as file:
        gusts = [
            float(row["wind_gust"]) for row in csv.DictReader(file) if row["month"] == "2" and row["wind_gust"] != "NA"
        ]
    assert place.ask("SELECT COUNT(*), COUNT(wind_gust), MAX(wind_gust), MIN(file_month) FROM {winds}") == [
        (2010, len(gusts), max(gusts), dt.date(2013, 2, 1))
    ]
