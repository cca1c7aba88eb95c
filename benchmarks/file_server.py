"""Serve a folder's files as TLC's publisher does: with validators, and parts of them to whoever asks for parts.

Usage: python -m benchmarks.file_server FOLDER; prints its address, and serves until it is ended.
"""

import socket
import sys

import uvicorn
from starlette.staticfiles import StaticFiles


def main() -> None:
    """Serve."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        app = StaticFiles(directory=sys.argv[1], follow_symlink=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
