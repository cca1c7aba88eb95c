"""Rehearse the whole path on this machine: `make rehearse`, or python -m rehearsal."""

# ruff: noqa: T201  # the command says what it does

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from localcloud.signals import raise_interrupted
from rehearsal.commands import Shell, surroundings
from rehearsal.frame import Verdict, rehearse
from rehearsal.processes import adopt_orphans
from rehearsal.steps import Rehearsal

ROOT = Path(__file__).parents[1]
NOT_PROVEN = (
    "that a real project's IAM, quotas and limits allow it, that the image builds and starts, what it costs, how Google"
    " Cloud behaves where its documents say nothing"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, and return the exit code."""
    options = _parser().parse_args(arguments)
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"{folder}: another rehearsal is at work there; wait for its end, or take another folder with --folder",
                file=sys.stderr,
            )
            return 1
        raise_interrupted()
        adopt_orphans()
        return _rehearse(folder)


def _rehearse(folder: Path) -> int:
    data, logs = folder / "cloud", folder / "logs"
    _clear(data, logs)
    made = Rehearsal(Shell(ROOT, surroundings(os.environ), logs), data)
    verdict = Verdict(made.proven, NOT_PROVEN)
    code = rehearse(made.steps(), made.end(), verdict, _say, in_ci=os.environ.get("CI", "") not in {"", "false"})
    if not code:
        shutil.rmtree(data)
    return code


def _clear(data: Path, logs: Path) -> None:
    """Stop and remove what a killed rehearsal left."""
    if data.exists():
        subprocess.run(
            [sys.executable, "-m", "localcloud", "down", f"--data={data}"], cwd=ROOT, check=False, capture_output=True
        )
    for each in (data, logs):
        shutil.rmtree(each, ignore_errors=True)


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description="Do on this machine what Landfall does on Google Cloud, from the infrastructure to landed rows.",
    )
    parser.add_argument(
        "--folder",
        type=lambda text: Path(text).resolve(),
        default=ROOT / ".rehearsal",
        help="for its cloud, which is removed afterwards, and its logs, which stay (default: .rehearsal)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
