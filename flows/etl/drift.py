"""A file's columns against its contract's: which is which, and what the contract says of those that differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.etl.contract import Column, ColumnType, Contract
from flows.etl.errors import BadFile
from flows.etl.partition import Partition


@dataclass(frozen=True, slots=True)
class Matched:
    """A file's columns, as its contract reads them.

    `names` gives for each of the contract's columns, in order, the file's own name; None: the file has none, and the
    column holds null. `added` are columns that the contract lacks and that land all the same, under the file's names.
    """

    columns: tuple[Column, ...]
    names: tuple[str | None, ...]
    added: tuple[Column, ...] = ()

    @property
    def landing(self) -> tuple[Column, ...]:
        """All columns that land, the added ones last."""
        return self.columns + self.added


def match(
    found: Sequence[str],
    contract: Contract,
    partition: Partition,
    url: str,
    types: Mapping[str, ColumnType | None] | None = None,
) -> Matched:
    """Match a file's column names with the contract's, without case.

    Args:
        found: The names as the file writes them.
        contract: What is expected.
        partition: The file's period, for columns that files have only `since` some period.
        url: The file, for messages.
        types: The file's own types by name, of formats that have them; None: a type that cannot land.

    Raises:
        BadFile: a column is there twice, missing or new, and the contract does not allow it; the message has the lines
            to write into the contract.
    """
    wanted = {name.lower(): column for column in contract.columns for name in (column.name, *column.aliases)}
    written = {name: name.strip().lower() for name in found}
    there = {wanted[name].name: original for original, name in written.items() if name in wanted}
    new = [name for name in found if written[name] not in wanted]
    missing = [
        column
        for column in contract.columns
        if column.name not in there and not _is_too_early(column, contract, partition)
    ]
    wrong = _twice(found, wanted)
    if contract.drift.missing_column == "fail":
        wrong += [f"{column.name!r} is missing" for column in missing]
    if contract.drift.new_column == "fail":
        wrong += [f"{name!r} is not in the contract" for name in new]
    if wrong:
        raise BadFile(_say(wrong, new, missing, contract, url, types or {}))
    added = tuple(_added(name, types, url) for name in new) if contract.drift.new_column == "add" else ()
    return Matched(tuple(contract.columns), tuple(there.get(column.name) for column in contract.columns), added)


def _is_too_early(column: Column, contract: Contract, partition: Partition) -> bool:
    return column.since is not None and partition < Partition.parse(contract.partition, column.since)


def _twice(found: Sequence[str], wanted: Mapping[str, Column]) -> list[str]:
    """Name what two of a file's columns stand for; aliases of one column count as the same name."""
    meant = [wanted[name].name if name in wanted else name for name in (each.strip().lower() for each in found)]
    return [f"{name!r} is there twice" for name in dict.fromkeys(meant) if meant.count(name) > 1]


def _added(name: str, types: Mapping[str, ColumnType | None] | None, url: str) -> Column:
    """Make a column of one that the contract lacks; text has no type of its own, so it lands as STRING."""
    raise NotImplementedError(url)


def _say(
    wrong: list[str],
    new: list[str],
    missing: list[Column],
    contract: Contract,
    url: str,
    types: Mapping[str, ColumnType | None],
) -> str:
    return (
        f"{url}: the header's columns are not those of the contract {contract.name}: {', '.join(wrong)};"
        " check the contract's columns and delimiter, nothing was written"
    )
