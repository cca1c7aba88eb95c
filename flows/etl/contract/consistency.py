"""Whether a contract's parts go together: what no part can tell by itself."""

import re
from typing import TYPE_CHECKING

from flows.etl.address import parse
from flows.etl.contract.checks import Change, InPeriod, OnColumn
from flows.etl.contract.column import RESERVED
from flows.etl.contract.dialect import Dialect
from flows.etl.errors import SourceError
from flows.etl.partition import STYLES, Partition

if TYPE_CHECKING:
    from flows.etl.contract.contract import Contract

PARTITIONS = 10_000  # in one table: https://cloud.google.com/bigquery/quotas#partitioned_tables
# what a request says of itself and of its body: a contract cannot mean these
OWN_HEADERS = ("accept-encoding", "connection", "content-length", "expect", "host", "range", "te", "transfer-encoding")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def check(contract: "Contract") -> None:
    """Hold the parts of a contract against each other.

    Raises:
        ValueError: two of them do not go together; the message begins with the place.
    """
    known = [column.name.lower() for column in contract.columns]
    for name in known:
        if known.count(name) > 1:
            raise ValueError(f"columns: {name!r} is there twice (BigQuery compares names without case)")
        if name.startswith(RESERVED):
            raise ValueError(f"columns: {name!r} begins with a prefix that BigQuery reserves")
    for what, name in _named_columns(contract):
        if name.lower() not in known:
            raise ValueError(f"{what}: {name!r} is not a column of this contract")
    _check_aliases(contract)
    _check_checks(contract)
    _check_source(contract)
    _check_headers(contract)
    _check_format(contract)
    _check_periods(contract, known)


def _named_columns(contract: "Contract") -> list[tuple[str, str]]:
    """List the places that name a column, and what they name."""
    return [("clustering", name) for name in contract.clustering] + [
        (f"checks.{number}.column", each.column)
        for number, each in enumerate(contract.checks)
        if isinstance(each, OnColumn)
    ]


def _check_aliases(contract: "Contract") -> None:
    taken: dict[str, str] = {}
    left_out = {name.lower() for name in contract.drift.ignore}
    for column in contract.columns:
        for name in (column.name, *column.aliases):
            if name.lower() in left_out:
                raise ValueError(f"drift.ignore: {name!r} is a column of this contract, expected none")
            if (other := taken.setdefault(name.lower(), column.name)) != column.name:
                raise ValueError(f"columns: {name!r} names both {other!r} and {column.name!r}")


def _check_checks(contract: "Contract") -> None:
    types = {column.name.lower(): column.type for column in contract.columns}
    for number, each in enumerate(contract.checks):
        if isinstance(each, InPeriod | Change) and contract.partition == "none":
            raise ValueError(f"checks.{number}: found {each.check!r}, expected none: a snapshot has no period")
        if isinstance(each, OnColumn):
            try:
                each.suit(types[each.column.lower()])
            except ValueError as error:
                raise ValueError(f"checks.{number} ({each.check} of {each.column}): {error}") from error


def _check_source(contract: "Contract") -> None:
    """Read the address with its placeholders filled in as any could be."""
    filled = PLACEHOLDER.sub("1", contract.source.replace("{publisher}", "https://publisher"))
    try:
        parse(filled, "source")
    except SourceError as error:
        raise ValueError(
            str(error).removesuffix("; nothing was written").removesuffix(", nothing was written")
        ) from None


def _check_headers(contract: "Contract") -> None:
    names = [name.lower() for name in contract.headers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"headers: {name!r} is there twice (header names compare without case)")
        if name in OWN_HEADERS or name.startswith("if-"):
            raise ValueError(f"headers: found {name!r}, expected none that Landfall sets itself")


def _check_format(contract: "Contract") -> None:
    if contract.format == "parquet" and contract.compression != "none":
        raise ValueError(
            f"compression: found {contract.compression!r} with parquet, expected none: a Parquet file is compressed"
            " inside"
        )
    if contract.format == "parquet" and contract.dialect != Dialect():
        raise ValueError("dialect: found one with parquet, expected none: it says how text is written")


def _check_periods(contract: "Contract", columns: list[str]) -> None:
    needed = frozenset() if contract.partition == "none" else STYLES[contract.partition].placeholders
    found = set(PLACEHOLDER.findall(contract.source)) - {"publisher"}
    if missing := sorted(needed - found):
        raise ValueError(f"source: no {{{missing[0]}}} in the address, which a partition by {contract.partition} needs")
    if unknown := sorted(found - needed):
        raise ValueError(f"source: {{{unknown[0]}}} cannot be filled in for a partition by {contract.partition}")
    since = [column.since for column in contract.columns if column.since]
    if contract.partition == "none":
        named = (
            contract.first_partition,
            contract.last_partition,
            contract.expires_after_days,
            contract.published_after_days,
        )
        if any(named) or since:
            raise ValueError("first_partition: a snapshot has no periods, and none that expires or begins")
        return
    for text in since:
        Partition.parse(contract.partition, text)
    if contract.partition == "hour" and (contract.expires_after_days or PARTITIONS) * 24 >= PARTITIONS:
        raise ValueError(
            f"expires_after_days: found {contract.expires_after_days or 'none'}, expected one for a partition by hour:"
            f" a table holds {PARTITIONS:,} partitions, which is {PARTITIONS // 24} days"
        )
    if STYLES[contract.partition].column in columns:
        raise ValueError(f"columns: {STYLES[contract.partition].column!r} is the column that Landfall adds")
    if contract.first_partition is None:
        raise ValueError("first_partition: missing, expected the first period that the publisher serves")
    first = Partition.parse(contract.partition, contract.first_partition)
    if contract.last_partition and Partition.parse(contract.partition, contract.last_partition) < first:
        raise ValueError(f"last_partition: {contract.last_partition} lies before {contract.first_partition}")
