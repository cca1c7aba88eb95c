"""One run of Landfall's conversion, web to bucket: what `contestants.py` names.

Usage: python -m benchmarks.ours ADDRESS CONTRACTS NAME, with STORAGE_EMULATOR_HOST set; prints the object's name.
"""

import sys
from pathlib import Path

from benchmarks.lake import bucket
from flows.etl import contract, lake
from flows.etl.reach import Reach
from flows.etl.source import Source


def main(address: str, contracts: Path, name: str) -> None:
    """Bring the file at *address* into the bucket `lake`, under a contract of the folder *contracts*."""
    yellow = contract.read(contracts, name)
    reach = Reach.of(address, (), [address])
    upload = lake.bring(bucket(), Source(yellow, yellow.period("2021-01"), address, reach=reach))
    print(upload.lake_object.uri.removeprefix("gs://lake/"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
