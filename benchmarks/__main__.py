"""Measure, and write docs/performance.md: all parts, or some.

Usage: python -m benchmarks [--only PART,...] [--quick]. With --quick a part makes few runs of small inputs, prints and
writes nothing: to see whether it works at all.
"""

import argparse
import subprocess
import sys
import time

from benchmarks.page import PARTS


def main() -> int:
    """Run the parts one after the other; 1 if one of them found a target missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help="the parts to run (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="few runs of small inputs; nothing is written")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"found {', '.join(sorted(unknown))}, expected some of {', '.join(PARTS)}; nothing was measured")
    worst = 0
    for part in parts:
        started = time.monotonic()
        # each in a process of its own, that imports what it measures and nothing of the others
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{part}", *(["--quick"] if options.quick else [])], check=False
        )
        print(f"{part}: {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
        worst = max(worst, done.returncode)
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
