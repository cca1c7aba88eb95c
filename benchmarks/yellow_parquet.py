"""The rows of a file that `yellow.py` made as Parquet, as TLC publishes its files today.

Usage: python -m benchmarks.yellow_parquet PATH SCALE, with the CSV of that scale in the same folder.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from benchmarks.inputs import columns, name

GROUP_ROWS = 1 << 20  # as TLC's own files have it
ARROW = {"INT64": pa.int64(), "FLOAT64": pa.float64(), "STRING": pa.string(), "DATETIME": pa.timestamp("us")}


def make(path: Path, source: Path) -> None:
    """Write the rows of a CSV file as TLC's own files are: Snappy, timestamps in microseconds, large row groups."""
    types = {column: ARROW[kind] for column, kind in columns().items()}
    reading = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    partial = path.with_suffix(".partial")
    with (
        pyarrow.csv.open_csv(source, convert_options=reading) as batches,
        pyarrow.parquet.ParquetWriter(partial, batches.schema, compression="snappy") as file,
    ):
        gathered: list[pa.RecordBatch] = []
        for batch in batches:
            gathered.append(batch)
            if sum(map(len, gathered)) >= GROUP_ROWS:
                file.write_table(pa.Table.from_batches(gathered), row_group_size=GROUP_ROWS)
                gathered = []
        if gathered:
            file.write_table(pa.Table.from_batches(gathered), row_group_size=GROUP_ROWS)
    partial.rename(path)


if __name__ == "__main__":
    made = Path(sys.argv[1])
    make(made, made.with_name(name(float(sys.argv[2]), "csv.gz")))
