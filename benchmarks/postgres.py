"""What it costs to land a month of taxi trips in Postgres, once and with five times the rows: does memory stay?

Usage: python -m benchmarks.postgres; prints a table. It starts a Postgres from the binaries that are installed.
Each run is a process of its own; the publisher and Postgres are others, and not counted.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import measure

SCALES = (1, 5)


def main() -> int:
    """Measure a first landing and a replacement at each scale."""
    # imported late: who starts the measured processes must stay small, and only this one starts a server
    from tests.postgres import server  # noqa: PLC0415

    folder = server.binaries()
    if folder is None:
        print("postgres: not found, expected initdb, pg_ctl and postgres; apt-get install postgresql", file=sys.stderr)
        return 1
    print("| Rows | | CPU s | Peak memory MB | Wall s |\n|---:|---|---:|---:|---:|")
    with server.started(folder) as running, tempfile.TemporaryDirectory() as name:
        for scale in SCALES:
            made = Path(name) / "yellow_tripdata_2021-01.csv.gz"
            measure.run("benchmarks.yellow", str(made), str(scale), environment=os.environ)
            server.make_database(running, f"scale{scale}")
            with measure.served("http.server", "0", "-b", "127.0.0.1", "-d", name) as address:
                for number, what in enumerate(("first landing", "replacement")):
                    # another revision reads the same file anew; each scale has a database of its own
                    given = json.dumps([running.address(dbname=f"scale{scale}"), address, number + 1])
                    rows, cost = measure.run("benchmarks.into_postgres", given, environment=os.environ)
                    numbers = f"{cost.cpu_s:.2f} | {cost.peak_mb:.0f} | {cost.wall_s:.1f}"
                    print(f"| {int(rows):,} | {what} | {numbers} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
