"""Land many partitions as Cloud Run jobs on this machine, with Prefect on SQLite and on Postgres, and compare.

make scale, or python -m benchmarks.scale [--partitions 500] [--at-once 20] [--databases SQLite,Postgres]

Prints a table; a run of 500 writes it into docs/scale.md, between its markers.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.scale.page import PAGE, write
from benchmarks.scale.simulation import Outcome, simulate

WHOLE = 500  # partitions: what the page shows


def main() -> int:
    """Simulate, print and write; 1 if a row was lost or doubled, or a run did not complete."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partitions", type=int, default=WHOLE, help="(default: %(default)s)")
    parser.add_argument("--at-once", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--databases", default="SQLite,Postgres", help="(default: %(default)s)")
    options = parser.parse_args()
    outcomes: list[Outcome] = []
    for database in options.databases.split(","):
        with tempfile.TemporaryDirectory(prefix="landfall-scale-") as scratch:
            Path(scratch).chmod(0o711)  # Postgres runs as another user, in a folder below
            outcomes.append(simulate(Path(scratch), database, options.partitions, options.at_once))
        print(f"{outcomes[-1].database}: {outcomes[-1].last_line}", flush=True)
    text = write(outcomes, options.at_once)
    print(text)
    if options.partitions == WHOLE and len(outcomes) > 1:
        before, begin, rest = PAGE.read_text(encoding="utf-8").partition("<!-- figures: generated -->\n")
        _, end, after = rest.partition("<!-- figures: end -->")
        PAGE.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")
    wrong = [f"{each.database}: {word}" for each in outcomes for word in each.verdict.wrong]
    print("\n".join(wrong), file=sys.stderr)
    return 0 if all(each.holds for each in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
