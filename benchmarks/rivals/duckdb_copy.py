"""One run of DuckDB: `COPY (FROM read_csv(...)) TO ... (FORMAT parquet)`, with the types given.

Its httpfs, which reads from the web and writes to buckets, is an extension that it downloads and no package has: so the
file comes and goes by way of the disk. Rows keep their order, as with every other contestant.
https://duckdb.org/docs/stable/guides/performance/file_formats

Usage: python -m benchmarks.rivals.duckdb_copy ADDRESS FOLDER, with STORAGE_EMULATOR_HOST set; prints the object's name.
"""

import json
import sys
from pathlib import Path

import duckdb

from benchmarks.rivals.by_way_of_disk import fetched, uploaded

KINDS = {"i": "BIGINT", "f": "DOUBLE", "s": "VARCHAR", "t": "TIMESTAMP"}


def main(address: str, folder: Path) -> None:
    """Bring the file at *address* into the bucket `lake`, by way of files in *folder*."""
    given = json.loads((folder / "types.json").read_text(encoding="utf-8"))
    columns = ", ".join(f"'{name}': '{KINDS[kind]}'" for name, kind in given.items())
    made = folder / "duckdb.parquet"
    source = fetched(address, folder)
    reading = f"read_csv('{source}', header = true, auto_detect = false, delim = ',', columns = {{{columns}}})"
    duckdb.execute(f"COPY (FROM {reading}) TO '{made}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    print(uploaded(made, "duckdb/yellow.parquet"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
