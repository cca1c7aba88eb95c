"""What the local cloud opens to others: nothing."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

import psutil

from localcloud.state import Record
from tests.localcloud.supervisor.laptop import Laptop


def test_the_cloud_listens_on_loopback_alone_and_only_at_the_addresses_that_it_names(running: Laptop) -> None:
    assert listening(running.records()) == named(running.records())


def listening(records: list[Record]) -> set[tuple[str, int]]:
    """Return where the services listen, with all processes that they started."""
    return {
        (socket.laddr.ip, socket.laddr.port)
        for process in processes(records)
        for socket in process.net_connections("all")
        if socket.status == psutil.CONN_LISTEN
    }


def named(records: list[Record]) -> set[tuple[str, int]]:
    """Return where the pid files say that the services listen; it is on loopback."""
    urls = [urlsplit(address) for record in records for address in record.addresses.values()]
    found = {(url.hostname or "", url.port or 0) for url in urls}
    assert all(ip_address(host).is_loopback for host, _ in found)
    return found


def processes(records: list[Record]) -> Iterator[psutil.Process]:
    for record in records:
        leader = psutil.Process(record.identity.pid)
        yield leader
        yield from leader.children(recursive=True)
