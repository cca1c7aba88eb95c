"""The local cloud's storage with a bucket `lake`, in a process of its own: its work is nobody's CPU time.

Usage: python -m benchmarks.storage_server FOLDER; prints its address and serves until its input ends.
"""

import sys
from pathlib import Path

import requests

from localcloud.storage import serve


def main(folder: Path) -> None:
    """Serve *folder* until standard input ends, as it does when whoever started this is gone."""
    server = serve(folder)
    requests.post(f"{server.url}/storage/v1/b", json={"name": "lake"}, timeout=10).raise_for_status()
    print(server.url, flush=True)
    sys.stdin.read()
    server.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
