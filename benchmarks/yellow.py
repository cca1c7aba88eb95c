"""A month of taxi trips that looks like the real yellow_tripdata_2021-01.csv.gz, made here: nothing is downloaded.

What is like the real file: its columns, number of rows, size with and without gzip, how each column is written
(`2021-01-01 00:30:10`, `2.10` miles, amounts without trailing zeros), trips roughly in order of time, and the tail of
trips whose vendor, passengers, rate, flag and payment are unknown.
"""

import gzip
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

ROWS = 1_369_765  # of January 2021
SEED = 202101
ROWS_AT_ONCE = 100_000  # written in pieces: five months are 620 MB of text
UNKNOWN = 98_352 / ROWS  # the share of trips at the end that came without their meter's record
MONTH_S = 31 * 86_400
START_S = 1_609_459_200  # 2021-01-01 00:00:00
ZONES = 265

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Trips *first* to *last* of a file of *total*; those from *known* on lack their meter's record."""

    first: int
    last: int
    known: int
    total: int


def make(path: Path, scale: float) -> None:
    """Write *scale* times the month's rows; the same scale gives the same bytes, and a file appears whole."""
    random = np.random.default_rng([SEED, int(scale)])
    total = round(ROWS * scale)
    known = total - round(UNKNOWN * total)
    # the real file's tail begins the month anew: two runs of time
    cuts = sorted({*range(0, known, ROWS_AT_ONCE), *range(known, total, ROWS_AT_ONCE), total})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as text:
        for first, last in pairwise(cuts):
            pyarrow.csv.write_csv(
                _trips(random, Stretch(first, last, known, total)),
                text,
                pyarrow.csv.WriteOptions(include_header=not first, quoting_style="none", quoting_header="none"),
            )
    partial.rename(path)


def _trips(random: np.random.Generator, stretch: Stretch) -> pa.Table:
    rows = stretch.last - stretch.first
    unknown = np.full(rows, stretch.first >= stretch.known)
    pickup, ride_s = _times(random, stretch)
    miles = np.round(ride_s / 3600 * random.lognormal(2.35, 0.4, rows), 2)
    zone = _zones(random, rows)
    payment = _pick(random, rows, {1: 70, 2: 27, 3: 2, 4: 1})
    cents = _amounts(random, miles, payment, unknown)
    return pa.table(
        {
            "VendorID": pa.array(_pick(random, rows, {1: 31, 2: 69}), mask=unknown),
            "tpep_pickup_datetime": _seconds(pickup),
            "tpep_dropoff_datetime": _seconds(pickup + ride_s),
            "passenger_count": pa.array(
                _pick(random, rows, {1: 76, 2: 14, 3: 4, 0: 2, 5: 2, 4: 1, 6: 1}), mask=unknown
            ),
            "trip_distance": pa.array(miles).cast(pa.decimal128(9, 2)),  # both digits, also those that are 0
            "RatecodeID": pa.array(_pick(random, rows, {1: 980, 2: 13, 5: 4, 3: 2, 99: 1}), mask=unknown),
            "store_and_fwd_flag": pa.array(np.where(random.random(rows) < 0.015, "Y", "N"), mask=unknown),
            "PULocationID": zone,
            "DOLocationID": np.where(random.random(rows) < 0.1, zone, _zones(random, rows)),
            "payment_type": pa.array(payment, mask=unknown),
        }
        | {name: values / 100 for name, values in cents.items()}
    )


def _times(random: np.random.Generator, stretch: Stretch) -> tuple[Integers, Integers]:
    """Draw pickups, roughly in order from the month's first second to its last, and the rides' lengths in seconds."""
    rows = np.arange(stretch.first, stretch.last)
    low, high = (stretch.known, stretch.total) if stretch.first >= stretch.known else (0, stretch.known)
    pickup = START_S + MONTH_S * (rows - low) / (high - low) + random.normal(0, 900, rows.size)
    return pickup.astype(np.int64), random.lognormal(6.4, 0.65, rows.size).astype(np.int64)


def _amounts(random: np.random.Generator, miles: Floats, payment: Integers, unknown: Flags) -> dict[str, Integers]:
    """Draw what was paid, in cents: the parts add up to the total."""
    rows = miles.size
    fare = np.where(unknown, np.round(random.lognormal(8, 0.5, rows)), 50 * np.round(5 + 5.6 * miles))
    extra = 50 * _pick(random, rows, {0: 45, 1: 16, 2: 7, 5: 22, 6: 6, 7: 4})
    tolls = np.where(random.random(rows) < 0.05, 612, 0)
    congestion = np.where(random.random(rows) < 0.9, 250, 0)
    paid = fare + extra + 50 + tolls + 30 + congestion
    tip = np.where(payment == 1, np.round(paid * _pick(random, rows, {0: 8, 15: 7, 20: 60, 25: 15, 30: 10}) / 100), 0)
    amounts = {
        "fare_amount": fare,
        "extra": extra,
        "mta_tax": np.full(rows, 50),
        "tip_amount": tip,
        "tolls_amount": tolls,
        "improvement_surcharge": np.full(rows, 30),
        "total_amount": paid + tip,
        "congestion_surcharge": congestion,
    }
    return {name: values.astype(np.int64) for name, values in amounts.items()}


def _pick(random: np.random.Generator, rows: int, shares: dict[int, int]) -> Integers:
    weights = np.array(list(shares.values()))
    return random.choice(np.array(list(shares)), rows, p=weights / weights.sum())


def _zones(random: np.random.Generator, rows: int) -> Integers:
    """Draw zones: a few dozen of Manhattan's have most trips."""
    return (random.beta(1.1, 3.2, rows) * ZONES).astype(np.int64) * 101 % ZONES + 1


def _seconds(values: Integers) -> pa.Array:
    return pa.array(values).cast(pa.timestamp("s"))


if __name__ == "__main__":
    make(Path(sys.argv[1]), float(sys.argv[2]))
