"""Where a request may go: nothing is sent, and no connection made, to an address that is out of reach."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from flows.etl.errors import SourceError, Transient, is_transient
from flows.etl.fetch import download, look
from flows.etl.reach import Beyond, Reach
from tests.publisher import File, Publisher

HERE = Reach(trusted="127.0.0.1")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as serving:
        yield serving


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that is connected to; none off this machine is."""
    seen: list[str] = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        seen.append(address[0])
        assert ipaddress.ip_address(address[0]).is_loopback
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    return seen


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names resolve to: an answer for each time that one is asked, the last for ever."""
    told: dict[str, list[list[str]]] = {}
    resolve = socket.getaddrinfo

    def answer(host: str, port: int, *given: Any, **named: Any) -> list[Any]:
        if host not in told:
            return resolve(host, port, *given, **named)
        found = told[host].pop(0) if len(told[host]) > 1 else told[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return told


def read_all(address: str) -> None:
    with download(address, reach=HERE) as body:
        while body.read(5):
            pass


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "0.0.0.0"),  # noqa: S104
        *("100.64.0.1", "192.0.0.8", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("169.254.1.1", "[fe80::1]", "[::]", "[::1]", "[fd00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]"),
        *("[::ffff:10.0.0.1]", "[::ffff:7f00:1]", "[::10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]"),
        *("[64:ff9b:1::808:808]", "[3fff::1]"),
    ],
)
def test_an_address_that_is_not_public_is_refused_before_a_connection(host: str, connected: list[str]) -> None:
    with pytest.raises(SourceError) as refused:
        look(f"https://{host}:8443/f?token=hidden")
    assert re.fullmatch(
        rf"https://{re.escape(host)}:8443/f\?\.\.\.: found the host \S+ at \S+, which is no public address, expected"
        r" one; if the file is meant to come from there, name its network in the contract's allowed_networks; nothing"
        r" was sent there and nothing was written",
        str(refused.value),
    )
    assert not is_transient(refused.value)
    assert connected == []


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd20:ce::254]", "[fd00:ec2::254]"),
        *("168.63.129.16", "100.100.100.200", "169.254.170.2", "metadata.google.internal"),
    ],
)
def test_no_contract_and_no_setting_allows_a_metadata_service(
    host: str, connected: list[str], names: dict[str, list[list[str]]]
) -> None:
    names["metadata.google.internal"] = [["169.254.169.254"]]
    everywhere = Reach.of(f"https://{host}/", ["0.0.0.0/0", "::/0"], [f"https://{host}"])
    with pytest.raises(SourceError, match="a cloud's metadata service, expected a publisher; no contract can allow it"):
        look(f"https://{host}/computeMetadata/v1/", reach=everywhere)
    assert connected == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_a_public_address_is_within_reach(address: str) -> None:
    Reach().check("publisher.test", ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["2130706433", "127.1", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "017700000001", "0", "1.2.3", "127.0.0.1.",
     "127.0.0.01", "127%2e0.0.1", "[fe80::1%25eth0]", "good.test\\@10.0.0.1", "good.test\t", "1.2.3.0x7f"],
)  # fmt: skip
def test_a_host_that_resolvers_and_parsers_read_differently_is_none(host: str, connected: list[str]) -> None:
    with pytest.raises(SourceError, match=r"found (the address|no address|a name or password)"):
        look(f"https://{host}/f")
    assert connected == []


@pytest.mark.parametrize("address", ["http://example.org/f", "http://10.0.0.1/f", "http://localhost.example.org/f"])
def test_http_without_encryption_does_not_leave_this_machine(address: str, connected: list[str]) -> None:
    everywhere = Reach.of(address, ["0.0.0.0/0"], [address])
    with pytest.raises(SourceError, match=r"without encryption, expected https:// \(http:// is for this machine alone"):
        look(address, reach=everywhere)
    assert connected == []


def test_a_name_is_asked_once_and_the_connection_goes_to_the_address_that_was_judged(
    publisher: Publisher, connected: list[str], names: dict[str, list[list[str]]]
) -> None:
    """DNS rebinding: the second answer, by which another client would connect, is what the first one hid."""
    publisher.serve("/f", b"secret of this machine")
    names["localhost"] = [["127.0.0.2"], ["127.0.0.1"]]
    address = publisher.url.replace("127.0.0.1", "localhost") + "/f"
    with pytest.raises(Transient, match="no answer"):
        look(address, reach=Reach.of(address, ["127.0.0.2/32"], []))
    assert (connected, publisher.requests, len(names["localhost"])) == (["127.0.0.2"], [], 1)


def test_of_a_hosts_addresses_only_those_within_reach_are_tried(
    publisher: Publisher, connected: list[str], names: dict[str, list[list[str]]]
) -> None:
    publisher.serve("/f", b"hello")
    names["localhost"] = [["10.0.0.1", "169.254.169.254", "127.0.0.1"]]
    address = publisher.url.replace("127.0.0.1", "localhost") + "/f"
    assert look(address, reach=Reach.of(address, ["127.0.0.0/8"], [])).length == 5
    assert connected == ["127.0.0.1"]
    assert publisher.headers[0]["Host"] == address.split("/")[2]


def test_a_host_that_is_no_name_is_passing_trouble_and_says_so(names: dict[str, list[list[str]]]) -> None:
    names["nowhere.test"] = [[]]
    with pytest.raises(Transient, match=r"no answer \(.*has no address"):
        look("https://nowhere.test/f")
    with pytest.raises(Transient, match=r"no answer \(Failed to resolve|no answer \(.*resolve"):
        look(f"https://{'a' * 64}.test/f")


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("https://169.254.169.254/latest/meta-data/", "a cloud's metadata service"),
        ("https://10.1.2.3/f?signature=hidden", "at 10.1.2.3, which is no public address"),
        ("https://inside.test/f", "found the host inside.test at 10.1.2.3, which is no public address"),
        ("http://localhost:1/f", "found the host localhost at 127.0.0.1, which is no public address"),
        ("http://10.1.2.3/f", "without encryption"),
    ],
)
def test_each_redirect_is_judged_like_the_first_address(
    publisher: Publisher, connected: list[str], names: dict[str, list[list[str]]], target: str, why: str
) -> None:
    names |= {"inside.test": [["10.1.2.3"]], "localhost": [["127.0.0.1"]]}
    publisher.redirect("/on", target)
    with pytest.raises(SourceError) as refused:
        look(publisher.redirect("/f", "/on"), reach=HERE)
    assert str(refused.value).startswith(f"{publisher.url}/f: ")
    assert why in str(refused.value)
    assert "hidden" not in str(refused.value)
    assert set(connected) == {"127.0.0.1"}
    assert publisher.requests == [("HEAD", "/f"), ("HEAD", "/on")]


def test_a_contract_allows_networks_and_no_more(publisher: Publisher) -> None:
    publisher.serve("/f", b"hello")
    address = f"{publisher.url}/f"
    assert look(address, reach=Reach.of(address, ["127.0.0.0/30"], [])).length == 5
    for networks in (["127.0.0.2/31"], ["10.0.0.0/8", "::1/128"], []):
        with pytest.raises(SourceError, match="which is no public address"):
            look(address, reach=Reach.of(address, networks, []))
    assert len(publisher.requests) == 1


def test_only_a_request_that_begins_at_the_settings_host_trusts_it(publisher: Publisher) -> None:
    setting = publisher.url.replace("127.0.0.1", "LocalHost")
    assert Reach.of("http://localhost:9/f", [], [setting]) == Reach(trusted="localhost")
    assert Reach.of("https://publisher.test/f", [], [setting]) == Reach()
    assert Reach.of("https://publisher.test/f", [], []) == Reach()
    with pytest.raises(Beyond):
        Reach().check("localhost", ipaddress.ip_address("127.0.0.1"))


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "127.0.0.1", "[::1]", "localhost", "deep.localhost", "metadata.google.internal", "printer.local"],
)
def test_a_proxy_is_not_asked_for_what_is_out_of_reach_by_its_name(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, connected: list[str], host: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", publisher.url)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(SourceError, match=r"found the host .*expected"):
        look(f"https://{host}/f")
    assert connected == []


def test_a_proxy_resolves_names_and_is_where_their_rules_are(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, connected: list[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", publisher.url)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(Transient, match="Tunnel connection failed"):
        look("https://publisher.test/f")
    assert connected == ["127.0.0.1"]


@pytest.mark.parametrize("status", [200, 401, 404, 503])
def test_a_query_is_sent_and_never_shown(publisher: Publisher, status: int) -> None:
    publisher.files["/f"] = File(b"hello", status=status, announced=9)
    signed = f"{publisher.url}/f?X-Goog-Signature=hidden#hidden"
    with pytest.raises((SourceError, Transient)) as refused:
        read_all(signed)
    assert str(refused.value).startswith(f"{publisher.url}/f?...: ")
    assert "hidden" not in str(refused.value)
    assert publisher.queries == ["X-Goog-Signature=hidden"]
