"""An environment of its own for the rival that is in no lock of ours, made once from `benchmarks/rivals.lock`."""

import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "rivals.lock"


def interpreter(folder: Path) -> Path:
    """Give the environment's Python; what is there is kept while the lock stays as it is."""
    python, known = folder / "bin" / "python", folder / "rivals.lock"
    if not known.exists() or known.read_bytes() != LOCK.read_bytes():
        print("installing dlt into an environment of its own, once", flush=True)
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        pip = [*uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK)]
        subprocess.run(pip, check=True)
        shutil.copyfile(LOCK, known)
    return python
