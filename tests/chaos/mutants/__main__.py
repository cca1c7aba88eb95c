"""Break one invariant after the other, and see the fault matrix turn red: `make chaos-mutants`.

First the same scenarios are played on the code as it is: they must hold, or a red matrix would show nothing.
"""

# it says on the terminal what happens

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos.mutants.patches import Mutant, copy, mutants

AT_ONCE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Play each mutant's scenarios on it; 1 if one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants, by name; all if left out")
    parser.add_argument("--no-baseline", action="store_true", help="do not play the scenarios on the code as it is")
    options = parser.parse_args(arguments)
    wanted = [each for each in mutants() if each.name in (options.names or [each.name])]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="landfall-mutants-") as folder:
        if not options.no_baseline:
            names = sorted({name for each in wanted for name in each.noticed_by})
            code, said = play(copy(Path(folder) / "unbroken"), names)
            print(f"unbroken: {said[-1]}", flush=True)
            if code:
                print("\n".join(said))
                return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            survivors = [name for name in pool.map(lambda each: _survivor(each, Path(folder)), wanted) if name]
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{len(wanted)} mutants, {len(wanted) - len(survivors)} noticed, {len(survivors)} survived {survivors or ''}")
    return 1 if survivors else 0


def _survivor(mutant: Mutant, folder: Path) -> str | None:
    tree = copy(folder / mutant.name)
    mutant.apply(tree)
    code, said = play(tree, mutant.noticed_by)
    # what the judge said below a line FAILED: an error of the matrix itself is no notice
    begin = [index for index, line in enumerate(said) if line.startswith("FAILED ")]
    wrong = [said[index + 1].strip() for index in begin]
    noticed = code == 1 and bool(wrong) and not any(line.startswith("Traceback") for line in said)
    print(f"{'noticed ' if noticed else 'SURVIVED'} {mutant.name}: {mutant.why}", flush=True)
    print("\n".join(f"    {line}" for line in (wrong[:1] if noticed else said[-30:])), flush=True)
    return None if noticed else mutant.name


def play(tree: Path, names: Sequence[str]) -> tuple[int, list[str]]:
    """Play scenarios with the code of a tree; gives the exit code and what was said."""
    only = [word for name in names for word in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", "0", "--lanes", "3", *only],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
