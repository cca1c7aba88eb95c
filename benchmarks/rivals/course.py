"""One run of the course's flow, web to bucket, without its Prefect decorators: what `contestants.py` names.

As in https://github.com/DataTalksClub/data-engineering-zoomcamp, week 2 of 2023: the whole file becomes a frame, its
two times are parsed, it is written to a local Parquet file, and that is uploaded.

Usage: python -m benchmarks.rivals.course ADDRESS FOLDER CODEC, with STORAGE_EMULATOR_HOST set; prints the object's
name.
"""

import sys
from pathlib import Path
from typing import Literal, cast

import pandas as pd

from benchmarks.lake import bucket

Codec = Literal["gzip", "zstd"]


def main(address: str, folder: Path, codec: Codec) -> None:
    """Bring the file at *address* into the bucket `lake`, by way of a file in *folder*."""
    frame = pd.read_csv(address)
    for name in ("tpep_pickup_datetime", "tpep_dropoff_datetime"):
        frame[name] = pd.to_datetime(frame[name])
    path = folder / f"course_{codec}.parquet"
    frame.to_parquet(path, compression=codec)
    bucket().blob(f"course/{path.name}").upload_from_filename(path)
    print(f"course/{path.name}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), cast(Codec, sys.argv[3]))
