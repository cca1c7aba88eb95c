"""One landing in Postgres: what `postgres.py` starts and measures.

Usage: python -m benchmarks.into_postgres JSON, of libpq's keywords, the publisher's address and a revision of the
contract; prints the number of rows.
"""

import json
import sys
from pathlib import Path

from flows.etl import contract
from flows.etl.partition import Partition
from flows.etl.postgres.database import Database
from flows.etl.postgres.landed import Landing
from flows.etl.postgres.landing import land

CONTRACTS = Path(__file__).parent / "contracts"


def main(given: str) -> None:
    """Land January 2021."""
    address, publisher, revision = json.loads(given)
    # that a column of no file is ignored changes no row, and makes it another contract, which lands again
    update = {"revision": revision, "drift": contract.Drift(ignore=["nothing"] * (revision - 1))}
    yellow = contract.read(CONTRACTS, "yellow").model_copy(update=update)
    month = Partition.parse("month", "2021-01")
    landing = Landing(
        Database(address, "benchmark"),
        yellow,
        month,
        yellow.address(month, publisher),
        None,
        -1,
        None,
        trusted=(publisher,),
    )
    row, _ = land(landing)
    print(row.warehouse_rows)


if __name__ == "__main__":
    main(sys.argv[1])
