"""Hold two Parquet objects of the same trips against each other, column by column, value by value.

Usage: python -m benchmarks.compare OURS THEIRS, with STORAGE_EMULATOR_HOST set; prints JSON.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from benchmarks.lake import bucket


def main(ours: str, theirs: str) -> None:
    """Print the rows of both, and for each column of *theirs* nulls, sums and how many values differ."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, name in enumerate((ours, theirs)):
            path = Path(folder) / f"{number}.parquet"
            bucket().blob(name).download_to_filename(path)
            files.append(pyarrow.parquet.ParquetFile(path))
        columns = {name: _column(files[0], files[1], name) for name in files[1].schema_arrow.names}
        print(json.dumps({"rows": [file.metadata.num_rows for file in files], "columns": columns}))
        for file in files:
            file.close()


def _column(ours: Any, theirs: Any, name: str) -> dict[str, Any]:
    pair = [_exact(file.read([name]).column(0).combine_chunks()) for file in (ours, theirs)]
    if len(pair[0]) != len(pair[1]):
        differing = max(map(len, pair))
    else:
        both_null = pc.and_(pc.is_null(pair[0]), pc.is_null(pair[1]))
        differing = len(pair[0]) - pc.sum(pc.or_(both_null, pc.fill_null(pc.equal(*pair), False))).as_py()
    return {"nulls": [each.null_count for each in pair], "sums": [_sum(each) for each in pair], "differing": differing}


def _exact(values: pa.Array) -> pa.Array:
    """Bring values to whole numbers: seconds, or hundredths; pandas has no column of integers with nulls."""
    if pa.types.is_timestamp(values.type):
        return values.cast(pa.timestamp("us")).cast(pa.int64())
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        return pc.round(pc.multiply(values.cast(pa.float64()), 100.0)).cast(pa.int64())
    return values.cast(pa.string())


def _sum(values: pa.Array) -> int:
    if pa.types.is_string(values.type):
        return int(pc.sum(pc.equal(values, "Y")).as_py())
    return int(pc.sum(values.cast(pa.decimal128(38))).as_py())


if __name__ == "__main__":
    main(*sys.argv[1:])
