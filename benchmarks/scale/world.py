"""The data set of the simulation: parcels, a small file for each day, no two with a row in common."""

import datetime as dt
import gzip
from pathlib import Path

CONTRACT = "parcels"
ROWS = 40
FIRST = dt.date(2024, 1, 1)
TOML = f"""
revision = 1
description = "Parcels, made up to be landed many days at once"
owner = "benchmarks"
source = "{{publisher}}/parcels_{{yyyy}}-{{mm}}-{{dd}}.csv.gz"
format = "csv"
compression = "gzip"
partition = "day"
first_partition = "{FIRST}"
columns = [
    {{ name = "parcel", type = "INT64", nullable = false }},
    {{ name = "grams", type = "INT64", nullable = false }},
]
"""


def days(number: int) -> list[str]:
    """Name the partitions."""
    return [str(FIRST + dt.timedelta(days=day)) for day in range(number)]


def rows(number: int) -> dict[str, set[tuple[int, int]]]:
    """Give the rows of each partition: parcels are numbered through."""
    return {
        day: {(at * ROWS + row, (at * 7919 + row * 104729) % 30_000) for row in range(ROWS)}
        for at, day in enumerate(days(number))
    }


def publish(folder: Path, number: int) -> None:
    """Write all files."""
    folder.mkdir()
    for day, content in rows(number).items():
        text = "".join(f"{parcel},{grams}\n" for parcel, grams in sorted(content))
        data = gzip.compress(f"parcel,grams\n{text}".encode(), mtime=0)
        (folder / f"parcels_{day}.csv.gz").write_bytes(data)
