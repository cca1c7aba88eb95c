"""Which addresses a request may reach: the public internet, and what a contract or the operator allows beyond it.

A name is judged by the addresses that it resolves to when the connection is made, and the connection goes to the very
address that was judged: asked a second time, a name may mean something else. Through a proxy the name is the proxy's to
resolve; what the name itself tells is judged here all the same.
"""

import functools
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from flows.etl.address import hostname, literal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# what tells a machine its own secrets: Google's, AWS' (also for containers), Oracle's, Azure's, Alibaba's
METADATA = frozenset(
    ipaddress.ip_address(each)
    for each in (
        *("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200"),
        *("fd20:ce::254", "fd00:ec2::254", "fd00:c1::a9fe:a9fe"),
    )
)
# https://www.iana.org/assignments/ipv6-address-space: all that was ever given to the public. Within it, 6to4 carries an
# IPv4 address, and the others are documentation's; later releases of Python know them
UNICAST = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC = tuple(ipaddress.ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20"))
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the IPv4 internet, seen from a network without IPv4
# names that mean something inside a machine or a cloud's network
INSIDE = ("localhost", "internal", "local", "metadata")


class Beyond(Exception):
    """An address that is out of reach; whoever asked says where, and makes an error of it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a request may go besides public addresses: into networks, and to one trusted host.

    Metadata services are within nobody's reach.
    """

    networks: tuple[Network, ...] = ()
    trusted: str | None = None

    @classmethod
    def of(cls, address: str, networks: Iterable[str], trusted: Iterable[str]) -> "Reach":
        """Give the reach of a request that begins at *address*, with all that it is redirected to.

        Args:
            address: Where the request begins.
            networks: The contract's, as CIDR.
            trusted: Addresses by whoever runs this process: the setting's, and one from the command line. Their hosts
                may be anywhere, but only for a request that begins there: no other publisher can redirect to them.
        """
        begins = hostname(address)
        own = begins if begins is not None and begins in map(hostname, trusted) else None
        return cls(tuple(ipaddress.ip_network(each) for each in networks), own)

    def check(self, host: str, address: Address) -> None:
        """Refuse an address that is not to be connected to.

        Raises:
            Beyond: it says why.
        """
        meant = _meant(address)
        if meant in METADATA:
            raise Beyond(
                f"found the host {host} at {address}, a cloud's metadata service, expected a publisher; no contract"
                " can allow it"
            )
        if host == self.trusted or _is_public(meant) or any(meant in network for network in self.networks):
            return
        raise Beyond(
            f"found the host {host} at {address}, which is no public address, expected one; if the file is meant to"
            " come from there, name its network in the contract's allowed_networks"
        )

    def check_name(self, host: str) -> None:
        """Refuse a host as far as its name tells: it is for a proxy to resolve.

        Raises:
            Beyond: it is an address out of reach, or a name of what lies inside a machine or network.
        """
        if (address := literal(host)) is not None:
            self.check(host, address)
        elif host != self.trusted and host.rstrip(".").rpartition(".")[2] in INSIDE:
            raise Beyond(f"found the host {host}, which is inside this machine or network, expected a public one")


PUBLIC = Reach()


class Guard(HTTPAdapter):
    """Makes connections within a reach and no others."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        super().__init__()

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *given: Any, **named: Any
    ) -> HTTPConnectionPool:
        """Give a pool whose connections know their reach; requests names this method as the one to override."""
        pool = super().get_connection_with_tls_context(request, *given, **named)
        if pool.proxy is None:
            made_as = _TlsConnection if pool.scheme == "https" else _Connection
            pool.ConnectionCls = cast(Any, functools.partial(made_as, reach=self._reach))
        else:
            self._reach.check_name(pool.host.lower())
        return pool


class _Connection(HTTPConnection):
    """A connection to an address that was judged."""

    def __init__(self, *given: Any, reach: Reach, **named: Any) -> None:
        super().__init__(*given, **named)
        self._reach = reach

    def _new_conn(self) -> socket.socket:
        name, beyond, failed = self._dns_host, None, None
        for address in self._resolve():
            try:
                self._reach.check(name.lower(), address)
                self._dns_host = str(address)  # what urllib3 connects to; the name comes back for TLS and for Host
                return super()._new_conn()
            except Beyond as error:
                beyond = error
            except (NewConnectionError, ConnectTimeoutError) as error:
                failed = error
            finally:
                self._dns_host = name
        raise failed or beyond or NewConnectionError(self, f"{name} has no address")

    def _resolve(self) -> list[Address]:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:  # UnicodeError: a label that is empty or too long
            why = error if isinstance(error, socket.gaierror) else socket.gaierror(f"{error}")
            raise NameResolutionError(self.host, self, why) from error
        # an address with a zone (fe80::1%eth0) is link-local, whatever its zone
        return [ipaddress.ip_address(str(where[0]).partition("%")[0]) for *_, where in found]


class _TlsConnection(_Connection, HTTPSConnection):
    """The same, encrypted."""


def _meant(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return ipaddress.IPv4Address(address.packed[-4:])
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in other for other in NOT_PUBLIC)
