"""Addresses: what one must be like, what of it people may see, and who may see what is sent to it."""

import hashlib
import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from flows.etl.errors import SourceError

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# what a resolver takes for a number: 127.1, 0x7f000001, 017700000001, 2130706433
NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def parse(address: str, where: str) -> SplitResult:
    """Take an address apart.

    Raises:
        SourceError: it is none, is not encrypted and leaves this machine, or has a password in it.
    """
    visible = shown(address)
    try:
        parts = urlsplit(CONTROL.sub(" ", address))  # else it leaves them out, where others would not
        _ = parts.port  # read from the text only now
    except ValueError:  # whose text may hold a password, as may what cannot be taken apart
        raise SourceError(f"{shown(where)}: found no address, expected an address; nothing was written") from None
    if parts.username is not None or parts.password is not None:
        raise SourceError(
            f"{shown(where)}: found a name or password in the address, expected neither, as addresses are logged; put"
            " it into a Prefect Secret block and name that under [headers], nothing was written"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or not _is_host(parts.hostname):
        raise SourceError(
            f"{shown(where)}: found the address {visible!r}, expected one that begins with https:// and a host's name"
            " or its usual number; nothing was written"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SourceError(
            f"{shown(where)}: found the address {visible!r} without encryption, expected https:// (http:// is for this"
            " machine alone); nothing was written"
        )
    return parts


def origin(address: str) -> tuple[str, str | None, int | None]:
    """Give scheme, host and port: what two addresses share if one may see the other's headers."""
    parts = parse(address, address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def hostname(address: str) -> str | None:
    """Give an address' host in lower case; None if it is no address."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read a host that is written as an IP address; None if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its very name."""
    found = literal(host)
    return host == "localhost" if found is None else found.is_loopback


def _is_host(host: str) -> bool:
    """Tell a host's name, or an IP address as everybody writes it, from what resolvers and parsers read differently."""
    if re.search(r"[ %\\]", host):
        return False
    return literal(host) is not None or (":" not in host and not NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]))


def shown(address: str) -> str:
    """Give an address to people: a query may be a signature, and what stands before @ a password.

    `?...` says that there was a query.
    """
    place, query, _ = re.sub(r"//[^/?#]*@", "//", printable(address)).partition("#")[0].partition("?")
    return f"{place}?..." if query else place


def printable(text: str) -> str:
    """Write a stranger's control characters as escapes: a terminal would obey them, and a log would begin a line."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def identity(address: str) -> str:
    """Give what two addresses share if they are the same: the address, or a hash in place of its query."""
    if shown(address) == address:
        return address
    return f"{shown(address)} sha256:{hashlib.sha256(address.encode()).hexdigest()[:32]}"
