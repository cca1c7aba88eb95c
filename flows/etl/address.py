"""Addresses: what one must be like, what of it people may see, and who may see what is sent to it."""

import re
from urllib.parse import SplitResult, urlsplit

from flows.etl.errors import SourceError


def parse(address: str, where: str) -> SplitResult:
    """Take an address apart.

    Raises:
        SourceError: it is none, of another scheme than http and https, or has a password in it.
    """
    visible = shown(address)
    try:
        parts = urlsplit(address)
        _ = parts.port  # read from the text only now
    except ValueError:  # whose text may hold a password
        raise SourceError(f"{shown(where)}: found {visible!r}, expected an address; nothing was written") from None
    if parts.username is not None or parts.password is not None:
        raise SourceError(
            f"{shown(where)}: found a name or password in the address, expected neither, as addresses are logged; put"
            " it into a Prefect Secret block and name that under [headers], nothing was written"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceError(
            f"{where}: found the address {visible!r}, expected one that begins with http:// or https://; nothing was"
            " written"
        )
    return parts


def origin(address: str) -> tuple[str, str | None, int | None]:
    """Give scheme, host and port: what two addresses share if one may see the other's headers."""
    parts = parse(address, address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def shown(address: str) -> str:
    """Give an address to people: a query may be a signature, and what stands before @ a password."""
    return re.sub(r"//[^/?#]*@", "//", address).partition("?")[0].partition("#")[0]
