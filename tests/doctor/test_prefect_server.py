"""Prefect's API: the local cloud's, one that refuses, one that is something else, and none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import prefect
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL, temporary_settings

from flows.doctor import prefect_server
from flows.doctor.finding import Finding, ok, warning
from flows.doctor.seen import Seen

SECRET = "ann:hunter2-of-the-server"  # noqa: S105 - of nothing


def asked(tmp_path: Path, url: str | None, auth_string: str | None) -> tuple[Finding, Seen]:
    seen = Seen(tmp_path, tmp_path, {})
    given = {PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: auth_string, PREFECT_API_KEY: None}
    with temporary_settings(given), seen.closing:
        return prefect_server.prefect(seen), seen


def test_the_server_and_the_client_are_named(tmp_path: Path, cloud: Mapping[str, str]) -> None:
    url, ours = cloud["PREFECT_API_URL"], prefect.__version__
    found, seen = asked(tmp_path, url, cloud["PREFECT_API_AUTH_STRING"])
    assert found == ok(f"{url} is Prefect {ours}, the client {ours}")
    assert seen.hidden == {cloud["PREFECT_API_AUTH_STRING"]}


def test_a_wrong_auth_string_is_a_problem_and_is_not_shown(tmp_path: Path, cloud: Mapping[str, str]) -> None:
    found, _ = asked(tmp_path, cloud["PREFECT_API_URL"], SECRET)
    assert (found.verdict, found.found) == ("problem", f"{cloud['PREFECT_API_URL']} refuses the credentials (401)")
    assert "PREFECT_API_AUTH_STRING" in found.what_to_do
    assert "hunter2" not in repr(found)


@contextmanager
def somebody(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        """Answers everything alike."""

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_what_is_no_prefect_api_is_not_taken_for_one(tmp_path: Path) -> None:
    complete = "is the address complete, up to /api? export PREFECT_API_URL=<address>/api"
    with somebody(200, b"<html>") as url:
        found, _ = asked(tmp_path, url, None)
        assert (found.found, found.what_to_do) == (f"{url} answers, but not as Prefect's API does", complete)
    with somebody(404, b"{}") as url:
        found, _ = asked(tmp_path, url, None)
        assert (found.found, found.what_to_do) == (f"{url} answers 404: it is not Prefect's API", complete)
    with somebody(500, b"{}") as url:
        found, _ = asked(tmp_path, url, None)
        assert (found.verdict, found.found) == ("problem", f"{url} answers 500")


def test_an_address_where_nobody_listens_says_how_to_start_one(tmp_path: Path) -> None:
    found, _ = asked(tmp_path, "http://ann:hunter2@127.0.0.1:1/api", None)
    assert (found.verdict, found.what_to_do) == ("problem", 'make up && eval "$(make -s env)"')
    assert found.found.startswith("http://127.0.0.1:1/api does not answer: ")


def test_without_an_address_no_server_is_started(tmp_path: Path) -> None:
    found, _ = asked(tmp_path, None, None)
    assert (found.verdict, found.found) == (
        "problem",
        "PREFECT_API_URL: found nothing, expected the address of a Prefect server's API",
    )


def test_versions_that_differ_in_the_first_two_numbers_are_a_warning() -> None:
    ours = prefect.__version__
    assert prefect_server.agree("https://p", "2.20.1") == warning(
        f"https://p is Prefect 2.20.1, the client {ours}: neither was tested with the other",
        f"bring the server to {ours}: python -m pip install prefect=={ours} where it runs",
    )
    assert prefect_server.agree("https://p", ".".join([*ours.split(".")[:2], "99"])).verdict == "ok"
    assert prefect_server.agree("https://p", None).verdict == "ok"
