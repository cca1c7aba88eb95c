"""One run of Polars: `scan_csv(...).sink_parquet(...)`, its streaming engine, with the types given.

It reads the web by ranges, which our publisher does not serve: so the file comes by way of the disk, and goes so too.
https://docs.pola.rs/user-guide/concepts/streaming/

Usage: python -m benchmarks.rivals.polars_sink ADDRESS FOLDER, with STORAGE_EMULATOR_HOST set; prints the object's name.
"""

import json
import sys
from pathlib import Path

import polars as pl

from benchmarks.rivals.by_way_of_disk import fetched, uploaded

KINDS = {"i": pl.Int64(), "f": pl.Float64(), "s": pl.String(), "t": pl.Datetime("us")}


def main(address: str, folder: Path) -> None:
    """Bring the file at *address* into the bucket `lake`, by way of files in *folder*."""
    given = json.loads((folder / "types.json").read_text(encoding="utf-8"))
    made = folder / "polars.parquet"
    frame = pl.scan_csv(fetched(address, folder), schema={name: KINDS[kind] for name, kind in given.items()})
    frame.sink_parquet(made, compression="zstd", compression_level=1)
    print(uploaded(made, "polars/yellow.parquet"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
