"""What example_flow does, without Prefect: plain functions, which a test calls in no time.

The module bears the flow's name, so that two projects' scripts can be loaded side by side.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path


def read_rows(file: Path) -> Iterator[dict[str, str]]:
    """Read the rows of a CSV file with a header."""
    with file.open(newline="", encoding="utf-8") as opened:
        yield from csv.DictReader(opened)


def count_by(rows: Iterable[Mapping[str, str]], column: str) -> Counter[str]:
    """Count rows by a column's values.

    Raises:
        KeyError: there is no such column.
    """
    return Counter(row[column] for row in rows)
