"""What a person reads when Prefect's server does not do its part, at the end of a real process."""

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import foreseen

ROOT = Path(__file__).parents[1]
BY_HAND = ["flows/web_to_bigquery.py", "flights", "2013-01"]
COMMAND = ["-m", "flows.cli", "history", "flights"]


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers everything with the server's status."""

    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[401, 500])
def refusing(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.status = request.param  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield request.param, f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def end(arguments: list[str], url: str) -> tuple[int, str]:
    """Run with Prefect's API at an address, without patience; gives the exit code and the last line of stderr."""
    impatient = {"PREFECT_CLIENT_MAX_RETRIES": "0", "LANDFALL_ENVIRONMENT": "local", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **impatient, "PREFECT_API_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(("arguments", "code"), [(BY_HAND, 1), (COMMAND, 2)])
def test_a_prefect_server_that_does_not_answer_is_one_line(arguments: list[str], code: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api"
        said = (
            f"Prefect: found no answer at {url}, expected its API; start the server (on a laptop: `make up`), or"
            " correct PREFECT_API_URL, and run it again: it goes on"
        )
        assert end(arguments, url) == (code, said)


def test_a_prefect_server_that_refuses_is_one_line(refusing: tuple[int, str]) -> None:
    status, url = refusing
    code, line = end(COMMAND, url)
    assert (code, line.startswith(f"Prefect: {url} answered {status} ")) == (2, True), line
    assert ("PREFECT_API_AUTH_STRING" in line) == (status == 401)


def test_what_nobody_foresaw_is_no_line() -> None:
    assert foreseen.line(RuntimeError("dictionary changed size during iteration")) is None
