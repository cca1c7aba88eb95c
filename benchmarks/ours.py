"""One run of Landfall's conversion, web to bucket: what `conversion.py` starts and measures.

Usage: python -m benchmarks.ours ADDRESS, with STORAGE_EMULATOR_HOST set; prints the object's name.
"""

import sys
from pathlib import Path

from benchmarks.lake import bucket
from flows.etl import contract, lake
from flows.etl.reach import Reach
from flows.etl.source import Source

CONTRACTS = Path(__file__).parent / "contracts"


def main(address: str) -> None:
    """Bring the file at *address* into the bucket `lake`."""
    yellow = contract.read(CONTRACTS, "yellow")
    reach = Reach.of(address, (), [address])
    upload = lake.bring(bucket(), Source(yellow, yellow.period("2021-01"), address, reach=reach))
    print(upload.lake_object.uri.removeprefix("gs://lake/"))


if __name__ == "__main__":
    main(sys.argv[1])
