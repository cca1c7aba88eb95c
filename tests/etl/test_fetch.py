"""What a publisher may answer, and what becomes of each answer."""

import datetime as dt
import functools
import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from flows.etl import fetch, request
from flows.etl.errors import ComeBackLater, LandfallError, SourceError, Transient, is_transient
from flows.etl.fetch import Announced, Validators
from flows.etl.reach import Reach
from flows.etl.request import retry_after_s
from tests.publisher import File, Publisher

SECRET = {"Authorization": "Bearer s3cr3t-value"}
HERE = Reach(trusted="127.0.0.1")
look = functools.partial(fetch.look, reach=HERE)
download = functools.partial(fetch.download, reach=HERE)
NOW = dt.datetime(2021, 3, 15, 12, tzinfo=dt.UTC)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as serving:
        yield serving


@pytest.fixture
def elsewhere() -> Iterator[Publisher]:
    """Another host: a port of its own makes one."""
    with Publisher() as serving:
        yield serving


def body_of(url: str) -> bytes:
    with download(url) as body:
        return b"".join(iter(lambda: body.read(1000), b""))


def test_a_body_is_counted_and_hashed_as_it_passes(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello " * 100_000)
    with download(f"{publisher.url}/f") as body:
        read = b"".join(iter(lambda: body.read(1000), b""))
        assert read == b"hello " * 100_000
        assert body.bytes_read == 600_000
        assert body.sha256 == hashlib.sha256(read).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_a_body_of_few_bytes_is_read_whole(publisher: Publisher, size: int) -> None:
    publisher.serve("/f", b"abc"[:size])
    assert body_of(f"{publisher.url}/f") == b"abc"[:size]


def test_a_look_and_a_download_say_the_same_of_a_file(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    with download(f"{publisher.url}/f") as body:
        assert look(f"{publisher.url}/f") == body.validators
    assert body.validators == Validators(body.validators.etag, "Tue, 13 May 2014 16:53:20 GMT", 5)
    assert publisher.requests == [("GET", "/f"), ("HEAD", "/f")]
    assert all(headers["User-Agent"].startswith("landfall/") for headers in publisher.headers)
    assert all(headers["Accept-Encoding"] == "identity" for headers in publisher.headers)


def test_a_length_alone_does_not_stand_for_the_content() -> None:
    assert not Validators(None, None, 5).tell
    assert Validators('"a"', None, None).tell
    assert Validators(None, "Tue, 13 May 2014 16:53:20 GMT", None).tell


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_publisher_without_head_is_asked_with_get(publisher: Publisher, status: int) -> None:
    publisher.serve("/f", b"hello")
    publisher.head_status = status
    assert look(f"{publisher.url}/f").length == 5
    assert publisher.requests == [("HEAD", "/f"), ("GET", "/f")]


def test_a_publisher_without_head_sends_no_body_for_content_that_is_known(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    publisher.head_status = 405
    address = f"{publisher.url}/f"
    known = look(address)
    publisher.headers.clear()
    assert look(address, known=known) is known  # from a 304, which has no length
    assert publisher.headers[-1]["If-None-Match"] == known.etag
    publisher.serve("/f", b"another")
    assert look(address, known=known) == Validators(look(address).etag, known.last_modified, 7)


def test_a_304_that_nobody_asked_for_is_refused(publisher: Publisher) -> None:
    publisher.files["/f"] = File(b"", status=304)
    with pytest.raises(SourceError, match="found 304 Not Modified, expected 200"):
        look(f"{publisher.url}/f")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_publisher_is_passing_trouble(publisher: Publisher, status: int) -> None:
    publisher.files["/f"] = File(b"", status=status)
    with pytest.raises(Transient, match=rf"/f: found {status} .*, expected 200; .*nothing was written") as refused:
        look(f"{publisher.url}/f")
    assert is_transient(refused.value)


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 404, 410, 418])
def test_a_publisher_that_refuses_is_terminal(publisher: Publisher, status: int) -> None:
    publisher.files["/f"] = File(b"", status=status)
    with (
        pytest.raises(SourceError, match=rf"/f: found {status} .*, expected 200; .*nothing was written") as refused,
        download(f"{publisher.url}/f"),
    ):
        pass
    assert not is_transient(refused.value)


def test_a_publisher_that_wants_credentials_is_answered_with_where_they_go(publisher: Publisher) -> None:
    publisher.files["/f"] = File(b"", status=401)
    with pytest.raises(SourceError, match=r"name a header and its Secret block under \[headers\]"):
        look(f"{publisher.url}/f")


@pytest.mark.parametrize("status", [429, 503])
def test_a_publisher_that_asks_for_a_moment_gets_it(publisher: Publisher, status: int) -> None:
    publisher.serve("/f", b"hello")
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    publisher.files["/f"].first = [(status, {"Retry-After": "0"}), (status, {"Retry-After": soon})]
    assert body_of(f"{publisher.url}/f") == b"hello"
    assert len(publisher.requests) == 3


def test_a_publisher_is_not_waited_for_again_and_again(publisher: Publisher) -> None:
    publisher.files["/f"] = File(b"", status=503, headers={"Retry-After": "0"})
    with pytest.raises(ComeBackLater, match="found 503 Service Unavailable, expected 200; the publisher asks to"):
        look(f"{publisher.url}/f")
    assert len(publisher.requests) == 1 + request.WAITS


def test_a_publisher_that_asks_for_an_hour_is_left_alone_until_then(publisher: Publisher) -> None:
    publisher.files["/f"] = File(b"", status=429, headers={"Retry-After": "3600"})
    started = time.monotonic()
    with pytest.raises(ComeBackLater, match=r"found 429 .* asks to come back at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"):
        look(f"{publisher.url}/f")
    assert time.monotonic() - started < 10
    assert len(publisher.requests) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1\x1d", None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Mon, 15 Mar 2021 12:01:30 GMT", 90.0),
        ("Monday, 15-Mar-21 12:01:30 GMT", 90.0),
        ("Mon, 15 Mar 2021 11:00:00 GMT", 0.0),
        ("Mon Mar 15 12:01:30 2021", 90.0),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("9" * 40, None),
        ("Mon, 99 Mar 2021 12:01:30 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds


def test_a_host_sees_no_more_connections_than_the_limit_and_looks_wait_for_downloads_to_end(
    publisher: Publisher,
) -> None:
    release = threading.Event()
    for number in range(8):
        publisher.files[f"/{number}"] = File(b"hello", held=release)
    publisher.serve("/look", b"")
    with ThreadPoolExecutor(12) as pool:
        downloads = [pool.submit(body_of, f"{publisher.url}/{number}") for number in range(8)]
        while publisher.busy < request.CONNECTIONS:
            time.sleep(0.01)
        looks = [pool.submit(look, f"{publisher.url}/look") for _ in range(4)]
        time.sleep(0.2)
        assert len(publisher.requests) == request.CONNECTIONS
        release.set()
        assert [each.result(10) for each in downloads] == [b"hello"] * 8
        assert [each.result(10).length for each in looks] == [0] * 4
    assert publisher.busiest == request.CONNECTIONS


def test_redirects_are_followed_but_not_for_ever(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    for status in (301, 302, 303, 307, 308):
        assert look(publisher.redirect(f"/{status}", "/f", status)).length == 5
    publisher.redirect("/a", "/b")
    with pytest.raises(SourceError, match=r"/b: found a redirect loop through http.*/b, expected a file"):
        look(publisher.redirect("/b", f"{publisher.url}/a"))
    for number in range(6):
        publisher.redirect(f"/far/{number}", f"/far/{number + 1}")
    publisher.serve("/far/6", b"hello")
    assert look(f"{publisher.url}/far/1").length == 5
    with pytest.raises(SourceError, match="/far/0: found more than 5 redirects, expected a file"):
        look(f"{publisher.url}/far/0")


def test_the_body_of_a_redirect_is_not_waited_for(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    publisher.files["/moved"] = File(b"gone", status=302, headers={"Location": "/f"}, held=threading.Event())
    assert body_of(f"{publisher.url}/moved") == b"hello"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("ftp://example.org/f", "found the address 'ftp://example.org/f', expected one that begins with https://"),
        ("file:///etc/passwd", "found the address 'file:///etc/passwd', expected one that begins with https://"),
        ("//[bad/f", "found a redirect to no address"),
        ("http://host:99999999/", "expected an address"),
        ("http://somebody:hidden@127.0.0.1/f", "found a name or password in the address"),
    ],
)
def test_a_redirect_to_where_nobody_should_go_is_refused(publisher: Publisher, target: str, why: str) -> None:
    with pytest.raises(SourceError) as refused:
        look(publisher.redirect("/f", target))
    assert why in str(refused.value)
    assert str(refused.value).startswith(f"{publisher.url}/f: ")
    assert "hidden" not in str(refused.value)


def test_a_redirect_from_https_to_http_is_refused() -> None:
    answer = requests.Response()
    answer.status_code, answer.headers["Location"] = 302, "http://127.0.0.1/f?signature=hidden"
    with pytest.raises(
        SourceError, match=r"from https to http://127.0.0.1/f\?\.\.\., expected one that stays encrypted"
    ):
        request._target(answer, "https://example.org/f", "https://example.org/f")  # noqa: SLF001 - no TLS server here
    here = "http://127.0.0.1/f"
    answer.headers["Location"] = "https://example.org/f"
    assert request._target(answer, here, here) == "https://example.org/f"  # noqa: SLF001


def test_secret_headers_stay_with_their_host(publisher: Publisher, elsewhere: Publisher) -> None:
    elsewhere.serve("/f", b"hello")
    publisher.serve("/f", b"hello")
    publisher.redirect("/near", "/f")
    elsewhere.redirect("/back", f"{publisher.url}/f")
    publisher.redirect("/far", f"{elsewhere.url}/back?signature=hidden")
    assert look(f"{publisher.url}/near", SECRET).length == 5
    assert [headers.get("Authorization") for headers in publisher.headers] == ["Bearer s3cr3t-value"] * 2
    publisher.headers.clear()
    assert look(f"{publisher.url}/far", SECRET).length == 5
    assert [headers.get("Authorization") for headers in publisher.headers] == ["Bearer s3cr3t-value", None]
    assert [headers.get("Authorization") for headers in elsewhere.headers] == [None]


def test_a_refusal_elsewhere_says_that_the_headers_stayed_behind_and_not_the_signature(
    publisher: Publisher, elsewhere: Publisher
) -> None:
    elsewhere.files["/f"] = File(b"", status=401)
    with pytest.raises(SourceError) as refused:
        look(publisher.redirect("/far", f"{elsewhere.url}/f?signature=hidden"), SECRET)
    assert (
        f"found 401 Unauthorized from {elsewhere.url}/f?..., expected 200; the contract's headers were not sent"
        in str(refused.value)
    )
    assert "hidden" not in str(refused.value)


def test_nobody_there_after_a_redirect_does_not_show_the_signature(publisher: Publisher) -> None:
    with Publisher() as gone:
        address = publisher.redirect("/f", f"{gone.url}/f?signature=hidden")
    with pytest.raises(Transient, match=r"no answer .*, where it redirects to") as refused:
        look(address)
    assert "hidden" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("value", ["key\r\nHost: b", "key\n", "\nkey", " key", "key ", "", "k\u00e9y", "k\0y"])
def test_a_header_value_that_is_none_is_refused_unseen(publisher: Publisher, value: str) -> None:
    with pytest.raises(SourceError, match="found a value for the header X-Key with a line break") as refused:
        look(f"{publisher.url}/f", {"X-Key": value})
    assert publisher.requests == []
    assert "key" not in str(refused.value)


def test_a_netrc_file_does_not_replace_the_contracts_header(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    publisher.serve("/f", b"hello")
    look(f"{publisher.url}/f", SECRET)
    assert publisher.headers[0]["Authorization"] == "Bearer s3cr3t-value"


def test_a_body_shorter_than_announced_is_passing_trouble(publisher: Publisher) -> None:
    publisher.files["/f"] = File(b"hello", announced=9)
    with download(f"{publisher.url}/f") as body:
        assert body.read(5) == b"hello"
        with pytest.raises(Transient, match=r"/f: the body broke off after 5 bytes .*, expected 9; nothing was"):
            body.read(100)


@pytest.mark.parametrize("size", [1, 5, 300_000])
def test_a_body_longer_than_announced_is_passing_trouble(publisher: Publisher, size: int) -> None:
    publisher.files["/f"] = File(b"x" * size, surplus=b" world")
    with pytest.raises(Transient, match=rf"/f: found a body longer than announced, expected {size} bytes"):
        body_of(f"{publisher.url}/f")


def test_chunks_are_read_whole_and_a_break_between_them_is_passing_trouble(publisher: Publisher) -> None:
    publisher.files["/f"] = File(b"hello", chunked=True)
    assert body_of(f"{publisher.url}/f") == b"hello"
    publisher.files["/f"].breaks = True
    with pytest.raises(Transient, match=r"/f: the body broke off after \d bytes .*, expected it whole"):
        body_of(f"{publisher.url}/f")


def test_an_answer_says_whether_its_end_can_be_told(publisher: Publisher) -> None:
    publisher.files["/length"] = File(b"hello", headers={"Content-Type": "text/CSV; charset=utf-8"})
    publisher.files["/chunked"] = File(b"hello", chunked=True)
    publisher.files["/endless"] = File(b"hello", endless=True, headers={"Content-Encoding": "GZIP"})
    found = []
    for path in ("/length", "/chunked", "/endless"):
        with download(publisher.url + path) as body:
            found.append(body.announced)
    assert found == [Announced("text/csv"), Announced(), Announced(content_encoding="gzip", ends=False)]


def test_nobody_there_is_passing_trouble() -> None:
    with Publisher() as gone:
        address = f"{gone.url}/f"
    with pytest.raises(Transient, match=r"/f: no answer \(.*Connection refused\); is the publisher up\?"):
        look(address)


@pytest.mark.parametrize(
    "address", ["flights.csv", "ftp://example.org/f", "http://", "http://u:hidden@h/", "http://h:p/"]
)
def test_an_address_that_is_none_is_terminal(address: str) -> None:
    with pytest.raises(LandfallError, match="nothing was written") as refused:
        look(address)
    assert not is_transient(refused.value)
    assert "hidden" not in str(refused.value)
