"""What is in a Parquet output, as far as all contestants must agree: rows, and for each column nulls, sum and a hash.

Usage: python -m benchmarks.digest PREFIX NAMES, with STORAGE_EMULATOR_HOST set: of the objects that begin with PREFIX,
in order, the columns whose names NAMES holds, parted by commas. Prints JSON.

One row group is in memory. Values become whole numbers first, for they have other types elsewhere (pandas has no column
of integers with nulls): microseconds, or hundredths; and texts, of which this data has Y and N.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from benchmarks.lake import bucket

TEXTS = pa.array(["N", "Y"])
NULL = -(1 << 62)  # in the hash


def main(prefix: str, names: list[str]) -> None:
    """Print what the objects hold, one behind the other."""
    rows = 0
    columns: dict[str, dict[str, Any]] = {name: {"nulls": 0, "sum": 0, "hash": hashlib.sha256()} for name in names}
    objects = sorted(blob.name for blob in bucket().list_blobs(prefix=prefix) if blob.name.endswith(".parquet"))
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(objects):
            path = Path(folder) / f"{number}.parquet"
            bucket().blob(name).download_to_filename(path)
            with pyarrow.parquet.ParquetFile(path) as file:
                rows += file.metadata.num_rows
                theirs = {_folded(each): each for each in file.schema_arrow.names}
                for batch in file.iter_batches(columns=[theirs[_folded(each)] for each in names]):
                    for column, found in columns.items():
                        _add(batch.column(theirs[_folded(column)]), found)
            path.unlink()
    said = {name: found | {"hash": found["hash"].hexdigest()} for name, found in columns.items()}
    print(json.dumps({"rows": rows, "columns": said}))


def _folded(name: str) -> str:
    """Leave out what dlt changes: it makes `vendor_id` of `VendorID`."""
    return name.lower().replace("_", "")


def _add(values: pa.Array, found: dict[str, Any]) -> None:
    exact = _exact(values)
    found["nulls"] += exact.null_count
    found["sum"] += int(pc.sum(exact.cast(pa.decimal128(38))).as_py() or 0)
    found["hash"].update(memoryview(pa.concat_arrays([exact.fill_null(NULL)]).buffers()[1])[: 8 * len(exact)])


def _exact(values: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(values.type):
        return values.cast(pa.timestamp("us")).cast(pa.int64())
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        return pc.round(pc.multiply(values.cast(pa.float64()), 100.0)).cast(pa.int64())
    texts = values.cast(pa.string())
    return pc.if_else(texts.is_null(), None, pc.index_in(texts, TEXTS).cast(pa.int64()).fill_null(len(TEXTS)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].split(","))
