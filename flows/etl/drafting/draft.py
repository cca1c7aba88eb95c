"""From an address to a contract's file and its fixture: one look at the publisher's file, and nothing written."""

import datetime as dt
import socket
import tomllib
from dataclasses import dataclass
from urllib.parse import urlsplit

from flows.etl.address import literal, parse, shown
from flows.etl.contract import Column, Contract, Drift
from flows.etl.contract.reading import CONTRACT_NAME
from flows.etl.drafting import expectations, head, opening, period, remarks, writing
from flows.etl.drafting.head import Head
from flows.etl.drafting.opening import Beginning
from flows.etl.drafting.period import Dated
from flows.etl.drafting.remarks import Look
from flows.etl.errors import BadFile, ContractError
from flows.etl.partition import Partition
from flows.etl.reach import PUBLIC, Beyond, Reach

FIXTURE_ROWS = 20
EXPIRES_AFTER_DAYS = 400  # of hours: a table holds 10,000 partitions


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed contract: its file's text, and its fixture, both to be written or shown by others."""

    contract: Contract
    period: Partition
    text: str
    fixture: bytes
    rows: int
    bytes_read: int
    size: int | None

    @property
    def fixture_name(self) -> str:
        """Name the fixture as tests/contracts wants it."""
        return f"{self.contract.name}_{self.period}.{self.contract.format}"

    @property
    def reviews(self) -> int:
        """Tell how many places a person should look at."""
        return self.text.count(writing.REVIEW)


def name_for(address: str, publisher: str | None, name: str | None, now: dt.datetime) -> str:
    """Give the name that a contract for a file will have; nobody is asked for that.

    Raises:
        ContractError, SourceError: the name or the address is none.
    """
    return _understood(address, publisher, name, now)[2]


def draft(address: str, publisher: str | None, name: str | None, rows: int, now: dt.datetime) -> Draft:
    """Look at a publisher's file and propose a contract for it, and for the files of other periods.

    Args:
        address: One file's; `{publisher}` in it is filled in. A query goes with the request and into no text.
        publisher: What the setting LANDFALL_PUBLISHER says.
        name: The contract's; None: made of the address.
        rows: How many are looked at, at most.
        now: A period that has not begun by then (UTC) is none.

    Raises:
        ContractError: the name is none, or none can be made.
        SourceError, BadFile, Transient: as for a landing; or the file cannot land, whatever its contract says.
    """
    full, dated, known_as = _understood(address, publisher, name, now)
    begun = opening.read(full, Reach.of(full, (), [each for each in (full, publisher) if each]), rows)
    found = head.of(begun, rows, shown(full))
    wanted = _contract(known_as, dated, found, begun)
    if not wanted.source.startswith("{publisher}"):
        wanted = wanted.model_copy(update={"allowed_networks": _networks(full)})
    plain = wanted.model_copy(update={"compression": "none"})
    table, bad = head.read(found.file(range(found.rows)), plain, dated.period, shown(full))
    agreed = wanted.model_copy(update={"checks": expectations.checks(table, wanted.columns, dated.period)})
    text = writing.text(agreed, remarks.of(agreed, Look(shown(full), dated, begun, found, table, bad)))
    if Contract.model_validate({**tomllib.loads(text), "name": known_as}) != agreed:
        raise ContractError(
            f"{known_as}: found another contract in its text than was meant, expected the same; this is a defect,"
            " nothing was written"
        )
    unfit = {each.place.record for each in bad}
    if len(unfit) == found.rows:
        raise BadFile(
            f"{shown(full)}: found no row that fits its own columns ({bad[0]}), expected some; nothing was written"
        )
    good = [row for row in range(found.rows) if row + 1 not in unfit]
    return Draft(agreed, dated.period, text, found.file(good[:FIXTURE_ROWS]), found.rows, begun.bytes_read, begun.size)


def _understood(address: str, publisher: str | None, name: str | None, now: dt.datetime) -> tuple[str, Dated, str]:
    """Give the file's address, its contract's without the period, and the contract's name."""
    full = address.replace("{publisher}", (publisher or "{publisher}").rstrip("/"))
    _check_address(full)
    dated = period.find(_template(full, publisher), now)
    return full, dated, _name(name, dated.template)


def _check_address(full: str) -> None:
    if "{publisher}" in full:
        raise ContractError(
            f"{shown(full)}: no publisher is set, expected its address; set LANDFALL_PUBLISHER (on a laptop: make env),"
            " nothing was written"
        )
    parse(full, full)
    if "{" in full or "}" in full:
        raise ContractError(
            f"{shown(full)}: found a placeholder, expected the address of one file; write a period in its place, and"
            " the placeholder will be made of it, nothing was written"
        )


def _template(full: str, publisher: str | None) -> str:
    plain = full.partition("#")[0].partition("?")[0]
    start = f"{publisher.rstrip('/')}/" if publisher else None
    return f"{{publisher}}/{plain.removeprefix(start)}" if start and plain.startswith(start) else plain


def _name(given: str | None, template: str) -> str:
    name = period.name_of(template) if given is None else given
    if not CONTRACT_NAME.fullmatch(name):
        found = "no name in the address" if given is None and not name else f"the name {name!r}"
        raise ContractError(
            f"contract: found {found}, expected up to 63 lower case letters, digits and underscores, a letter first;"
            " give one with --name, nothing was written"
        )
    return name


def _networks(address: str) -> list[str]:
    """Name the networks that a contract must allow for its own file: the host's addresses that are not public."""
    host = urlsplit(address).hostname or ""
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:  # for a proxy to resolve
        return []
    found = set()
    for *_, place in answers:
        known = literal(str(place[0]).partition("%")[0])
        if known is None:
            continue
        try:
            PUBLIC.check(host, known)
        except Beyond:
            found.add(f"{known}/{known.max_prefixlen}")
    return sorted(found)


def _contract(name: str, dated: Dated, found: Head, begun: Beginning) -> Contract:
    grain = dated.period.grain
    return Contract(
        name=name,
        revision=1,
        description="TODO: what a row is, and who publishes it",
        owner="TODO",
        source=dated.template,
        format=found.format,
        compression=begun.compression,
        partition=grain,
        first_partition=None if grain == "none" else str(dated.period),
        expires_after_days=EXPIRES_AFTER_DAYS if grain == "hour" else None,
        dialect=found.dialect,
        columns=[_described(column) for column in head.named(found.seen, dated.period)],
        drift=Drift(
            ignore=[each.name for each in found.seen if each.kind is None],
            missing_column="null" if found.sparse else "fail",
        ),
    )


def _described(column: Column) -> Column:
    match column.type:
        case "DATETIME":
            return column.model_copy(update={"description": "TODO: the local time of where?"})
        case "TIMESTAMP":
            return column.model_copy(update={"description": "TODO: when what happened"})
        case _:
            return column
