"""Cleaning of the weather.

One value of 2013 is none that a station measured: a wind of 1,048.36 miles an hour at EWR on 2013-02-12 at 03:00, with
21 and 13 in the hours around it. The rest of that row is sound, so the row stays and the value becomes null.

Left as published: 13.1 degrees Fahrenheit at JFK on 2013-05-08 at 22:00, between two hours of 57. It looks like degrees
Celsius under the wrong name, but no bound tells it from a cold day, and we do not guess.
"""

import pandas as pd

# the strongest wind measured at a station on Earth: Barrow Island, Australia, 1996-04-10
# https://wmo.asu.edu/content/world-maximum-surface-wind-gust
RECORD_MILES_AN_HOUR = 253.0


def clean(batch: pd.DataFrame) -> pd.DataFrame:
    """Make winds above the record null; what has no value keeps none."""
    for column in ("wind_speed", "wind_gust"):
        batch[column] = batch[column].where((batch[column] <= RECORD_MILES_AN_HOUR).fillna(value=False))
    return batch
