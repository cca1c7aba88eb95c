"""Make taxi trips to practise with: months of the shape of yellow_tripdata_2021-01.csv.gz, without a download.

They are made, and say nothing about New York. Like the real files they have eighteen columns written the same way,
trips roughly in order of time, a tail whose vendor, passengers, rate, flag and payment are unknown, and a few meters
whose clock is years behind. A month has a 25th of the rows of January 2021.
"""

import gzip
import os
import tempfile
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

YEAR = 2021
FILES = {f"trips/practice_tripdata_{YEAR}-{month:02}.csv.gz": month for month in range(1, 13)}
TRIPS_A_DAY = 1_767

COLUMNS = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,"
    "PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,"
    "total_amount,congestion_surcharge"
)

_UNKNOWN = 0.07  # the share of trips at the end without their meter's record
_BEHIND = 3  # trips a month by a meter whose clock is years behind
_ZONES = 265
_HOURS = (4, 3, 2, 1, 1, 2, 3, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 8, 8, 7, 6, 5, 5, 5)  # trips by the hour of the day
_PASSENGERS = ((1, 2, 3, 4, 5, 6, 0), (76, 14, 4, 1, 2, 1, 2))
_GZIP_LEVEL = 6


def make(path: Path, month: int) -> None:
    """Write that month of YEAR, unless it is there; a file appears whole, and its bytes are the same each time.

    Its modification time is that of a publication: the middle of the next month but one.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in (COLUMNS, *_lines(month)))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".making-", delete=False) as file:
        file.write(gzip.compress(text.encode(), _GZIP_LEVEL, mtime=0))
    published = datetime(YEAR + (month + 1) // 12, (month + 1) % 12 + 1, 15, 12, tzinfo=UTC).timestamp()
    os.utime(file.name, (published, published))
    Path(file.name).rename(path)


def rows(month: int) -> int:
    """Return how many trips that month has."""
    return TRIPS_A_DAY * monthrange(YEAR, month)[1]


def _lines(month: int) -> Iterator[str]:
    random = Random(YEAR * 100 + month)  # noqa: S311 - to be the same each time, not to be unguessable
    days, total = monthrange(YEAR, month)[1], rows(month)
    known = total - round(total * _UNKNOWN)
    behind = {random.randrange(known) for _ in range(_BEHIND)}
    for row in range(total):
        # the tail begins the month anew: two runs of time
        first, last = (0, known) if row < known else (known, total)
        start = _pickup(random, month, int(days * (row - first) / (last - first)))
        yield _trip(random, start.replace(year=2009) if row in behind else start, metered=row < known)


def _pickup(random: Random, month: int, day: int) -> datetime:
    (hour,) = random.choices(range(24), _HOURS)
    return datetime(YEAR, month, day + 1, hour) + timedelta(seconds=random.randrange(3600))  # noqa: DTZ001 - local time


def _trip(random: Random, start: datetime, *, metered: bool) -> str:
    ride_s = 60 + int(random.lognormvariate(6.3, 0.65))
    miles = round(ride_s / 3600 * random.lognormvariate(2.35, 0.4), 2)
    origin = _zone(random)
    goal = origin if random.random() < 0.1 else _zone(random)
    payment = random.choices((1, 2, 3, 4), (70, 27, 2, 1))[0]
    fare = round(5 + 5.6 * miles) / 2
    extra = random.choice((0, 0, 0.5, 1, 2.5))
    tolls = 6.12 if random.random() < 0.05 else 0
    congestion = 2.5 if random.random() < 0.9 else 0
    paid = fare + extra + 0.5 + tolls + 0.3 + congestion
    tip = round(paid * random.choice((0, 0.15, 0.2, 0.2, 0.25)), 2) if payment == 1 else 0
    vendor, passengers, rate, flag, how = ("", "", "", "", "")
    if metered:
        vendor, how = random.choice("122"), str(payment)
        passengers = str(random.choices(*_PASSENGERS)[0])
        rate = str(random.choices((1, 2, 5, 3), (98, 1, 0.5, 0.5))[0])
        flag = "Y" if random.random() < 0.015 else "N"
    amounts = (fare, extra, 0.5, tip, tolls, 0.3, paid + tip, congestion)
    end = start + timedelta(seconds=ride_s)
    ride = f"{vendor},{start},{end},{passengers},{miles:.2f},{rate},{flag},{origin},{goal},{how}"
    return ",".join((ride, *(f"{round(amount, 2):g}" for amount in amounts)))


def _zone(random: Random) -> int:
    """Draw a zone: a few dozen have most trips."""
    return int(random.betavariate(1.1, 3.2) * _ZONES) * 101 % _ZONES + 1
