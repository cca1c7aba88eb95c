import hashlib
from collections.abc import Iterator

import pytest

from flows.etl.errors import LandfallError, SourceError, Transient, is_transient
from flows.etl.fetch import Validators, download, look
from tests.publisher import File, Publisher


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as serving:
        yield serving


def test_a_body_is_counted_and_hashed_as_it_passes(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello " * 100_000)
    with download(f"{publisher.url}/f") as body:
        read = b"".join(iter(lambda: body.read(1000), b""))
        assert read == b"hello " * 100_000
        assert body.bytes_read == 600_000
        assert body.sha256 == hashlib.sha256(read).hexdigest()


def test_a_look_and_a_download_say_the_same_of_a_file(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    with download(f"{publisher.url}/f") as body:
        assert look(f"{publisher.url}/f") == body.validators
    assert body.validators == Validators(body.validators.etag, "Tue, 13 May 2014 16:53:20 GMT", 5)
    assert publisher.requests == [("GET", "/f"), ("HEAD", "/f")]


def test_a_length_alone_does_not_stand_for_the_content() -> None:
    assert not Validators(None, None, 5).tell
    assert Validators('"a"', None, None).tell
    assert Validators(None, "Tue, 13 May 2014 16:53:20 GMT", None).tell


def test_a_publisher_without_head_is_asked_with_get(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    inner = publisher.files["/f"]
    publisher.head_status = 405
    assert look(f"{publisher.url}/f").length == len(inner.body)
    assert publisher.requests == [("HEAD", "/f"), ("GET", "/f")]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_publisher_is_passing_trouble(publisher: Publisher, status: int) -> None:
    publisher.files["/f"] = File(b"", status=status)
    with pytest.raises(Transient, match=rf"/f: found {status} .*, expected 200; .*nothing was written") as refused:
        look(f"{publisher.url}/f")
    assert is_transient(refused.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_a_publisher_that_refuses_is_terminal(publisher: Publisher, status: int) -> None:
    publisher.files["/f"] = File(b"", status=status)
    with (
        pytest.raises(SourceError, match=rf"/f: found {status} .*, expected 200; .*nothing was written") as refused,
        download(f"{publisher.url}/f"),
    ):
        pass
    assert not is_transient(refused.value)


def test_redirects_are_followed_but_not_for_ever(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    publisher.files["/moved"] = File(b"", status=302, headers={"Location": "/f"})
    publisher.files["/loop"] = File(b"", status=302, headers={"Location": "/loop"})
    assert look(f"{publisher.url}/moved").length == 5
    with pytest.raises(SourceError, match=r"/loop: Exceeded 5 redirects"):
        look(f"{publisher.url}/loop")


def test_a_body_shorter_than_announced_is_passing_trouble(publisher: Publisher) -> None:
    publisher.files["/f"] = File(b"hello", announced=9)
    with download(f"{publisher.url}/f") as body:
        assert body.read(5) == b"hello"
        with pytest.raises(Transient, match=r"/f: the body broke off after 5 bytes .*, expected 9; nothing was"):
            body.read(100)


def test_nobody_there_is_passing_trouble() -> None:
    with Publisher() as gone:
        address = f"{gone.url}/f"
    with pytest.raises(Transient, match=r"/f: no answer"):
        look(address)


def test_an_address_that_is_none_is_terminal() -> None:
    with pytest.raises(LandfallError) as refused:
        look("flights.csv")
    assert not is_transient(refused.value)
