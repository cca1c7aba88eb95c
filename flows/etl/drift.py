"""A file's columns against its contract's: which is which, and what the contract says of those that differ."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flows.etl import proposal
from flows.etl.contract import Column, ColumnType, Contract
from flows.etl.errors import BadFile
from flows.etl.partition import STYLES, Partition

DELIMITERS = ",;\t|:"
ALIKE = 0.6  # how much of two names must agree for one to look like the other renamed


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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a file itself tells of its columns' types.

    `types` are those of a format that has types; None as one of them is a type that cannot land, and a name that is
    left out holds nothing but nulls and is never added. `samples` are some values of each column of a format without
    types: the lines for a new column guess from them.
    """

    types: Mapping[str, ColumnType | None] | None = None
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def guess(self, names: Sequence[str]) -> dict[str, ColumnType]:
        """Give the types that lines for new columns may say; a name without any is left out."""
        if self.types is not None:
            return {name: kind for name in names if (kind := self.types.get(name))}
        return {name: proposal.type_of(self.samples.get(name, [])) for name in names}

    def can_land(self, name: str) -> bool:
        """Tell whether some column type holds a column's values."""
        return self.types is None or self.types.get(name, "STRING") is not None


NOTHING = Evidence()


@dataclass(frozen=True, slots=True)
class Difference:
    """How a file's columns differ from a contract's, before any policy.

    `there` maps the contract's names to the file's. `missing` leaves out what a file of this period need not have.
    """

    there: dict[str, str]
    missing: list[Column]
    new: list[str]
    twice: list[str]


def compare(found: Sequence[str], contract: Contract, partition: Partition) -> Difference:
    """Compare a file's column names with the contract's, without case and without space around them."""
    wanted = {name.lower(): column for column in contract.columns for name in (column.name, *column.aliases)}
    ignored = {name.strip().lower() for name in contract.drift.ignore}
    written = {name: name.strip().lower() for name in found}
    there = {wanted[name].name: original for original, name in written.items() if name in wanted}
    return Difference(
        there,
        missing=[
            column
            for column in contract.columns
            if column.name not in there and not _is_too_early(column, contract, partition)
        ],
        new=[name for name in found if written[name] not in wanted and written[name] not in ignored],
        twice=_twice(found, wanted),
    )


def match(
    found: Sequence[str],
    contract: Contract,
    partition: Partition,
    url: str,
    evidence: Evidence = NOTHING,
) -> Matched:
    """Match a file's column names with the contract's, and do as the contract says with those that differ.

    Args:
        found: The names as the file writes them.
        contract: What is expected.
        partition: The file's period, for columns that files have only `since` some period.
        url: The file, for messages.
        evidence: What the file tells of its columns' types.

    Raises:
        BadFile: a column is there twice, missing or new, and the contract does not allow it; the message has the lines
            to write into the contract.
    """
    difference = compare(found, contract, partition)
    wrong = [f"{name!r} is there twice" for name in difference.twice]
    wrong += [f"{column.name!r} is missing{why}" for column, why in _not_allowed(difference.missing, contract)]
    if contract.drift.new_column == "fail":
        wrong += [f"{name!r} is not in the contract" for name in difference.new]
    added: list[Column] = []
    if contract.drift.new_column == "add":
        added, refused = _added(difference.new, contract, evidence)
        wrong += refused
    if wrong:
        lines = lines_for(difference, contract, partition, evidence)
        raise BadFile(_say(wrong, difference, lines, contract, url))
    names = tuple(difference.there.get(column.name) for column in contract.columns)
    return Matched(tuple(contract.columns), names, tuple(added))


def lines_for(
    difference: Difference, contract: Contract, partition: Partition, evidence: Evidence = NOTHING
) -> list[str]:
    """Give the lines that would make a contract fit a file, each with where it goes.

    Args:
        difference: What differs.
        contract: What the lines are for.
        partition: The file's period, `since` which new columns are known to be there.
        evidence: What the file tells of its columns' types.
    """
    if delimiter := _other_delimiter(difference, contract):
        return [f"[dialect] delimiter = {proposal.text(delimiter)}"]
    kinds = evidence.guess(difference.new)
    renames = _renames(difference, kinds)
    columns = [old.model_copy(update={"aliases": [*old.aliases, name]}) for name, old in renames.items()]
    taken = {column.name.lower() for column in contract.columns} | {(partition.column or "").lower()}
    since = str(partition) if partition.start and str(partition) != contract.first_partition else None
    new = [name for name in difference.new if name not in renames]
    for name in new:
        if evidence.can_land(name):
            column = proposal.column_of(name, kinds.get(name, "STRING"), since, taken)
            taken.add(column.name.lower())
            columns.append(column)
    gone = [column for column in difference.missing if column not in renames.values()]
    columns += [column.model_copy(update={"nullable": True}) for column in gone if not column.nullable]
    lines = [f"columns: {proposal.line(column)}" for column in columns]
    if not all(map(evidence.can_land, new)):
        lines.append('[drift] new_column = "ignore"')
    elif new and contract.drift.new_column == "fail":
        lines.append('[drift] new_column = "ignore", or "add"')
    if gone and contract.drift.missing_column == "fail":
        lines.append('[drift] missing_column = "null"')
    return lines


def _not_allowed(missing: list[Column], contract: Contract) -> list[tuple[Column, str]]:
    if contract.drift.missing_column == "fail":
        return [(column, "") for column in missing]
    return [(column, " and not nullable") for column in missing if not column.nullable]


def _is_too_early(column: Column, contract: Contract, partition: Partition) -> bool:
    return column.since is not None and partition < Partition.parse(contract.partition, column.since)


def _twice(found: Sequence[str], wanted: Mapping[str, Column]) -> list[str]:
    """Name what two of a file's columns stand for; aliases of one column count as the same name."""
    meant = [wanted[name].name if name in wanted else name for name in (each.strip().lower() for each in found)]
    return [name for name in dict.fromkeys(meant) if meant.count(name) > 1]


def _added(new: list[str], contract: Contract, evidence: Evidence) -> tuple[list[Column], list[str]]:
    """Make columns of those that the contract lacks, and say of which that cannot be done.

    Text has no type of its own, so it lands as STRING: a type guessed from one file would not hold for the next.
    """
    added: list[Column] = []
    refused = []
    taken = {name.lower() for column in contract.columns for name in (column.name, *column.aliases)}
    if contract.partition != "none":
        taken.add(STYLES[contract.partition].column)
    for name in new:
        if evidence.types is not None and name not in evidence.types:
            continue
        kind = "STRING" if evidence.types is None else evidence.types[name]
        column = proposal.column_of(name, kind or "STRING", None, taken)
        if kind is None:
            refused.append(f"{name!r} is new, and of a type that cannot be added")
        elif column.name != name:
            refused.append(f"{name!r} is new, and no name that can be added to the table")
        else:
            added.append(column)
    return added, refused


def _other_delimiter(difference: Difference, contract: Contract) -> str | None:
    """Tell which delimiter the header has, where it looks like one single column."""
    if len(difference.new) != 1 or difference.there or len(contract.columns) == 1 or contract.format != "csv":
        return None
    (header,) = difference.new
    pieces = {mark: len(header.split(mark)) for mark in DELIMITERS if mark != contract.dialect.delimiter}
    best = max(pieces, key=lambda mark: pieces[mark])
    return best if pieces[best] > 1 else None


def _renames(difference: Difference, kinds: Mapping[str, ColumnType]) -> dict[str, Column]:
    """Pair new names with the missing columns that they look like, the most alike first, each once."""
    scored = sorted(
        (
            (_likeness(name, old.name), number, name, old)
            for number, old in enumerate(difference.missing)
            for name in difference.new
            if kinds.get(name, old.type) in (old.type, "STRING")
            or {kinds[name], old.type} <= {"INT64", "FLOAT64", "NUMERIC"}
        ),
        key=lambda each: (-each[0], each[1], each[2]),
    )
    pairs: dict[str, Column] = {}
    for likeness, _, name, old in scored:
        if likeness >= ALIKE and name not in pairs and old not in pairs.values():
            pairs[name] = old
    return pairs


def _likeness(one: str, other: str) -> float:
    """Compare two names by letters and digits alone: 0 nothing alike, 1 the same."""
    left, right = (re.sub(r"[^a-z0-9]", "", name.lower()) for name in (one, other))
    return difflib.SequenceMatcher(None, left, right, autojunk=False).ratio()


def _say(wrong: list[str], difference: Difference, lines: list[str], contract: Contract, url: str) -> str:
    found = f"{url}: found columns that are not those of the contract {contract.name}: {', '.join(wrong)};"
    if difference.twice:
        return f"{found} expected each once; ask the publisher, nothing was written"
    ask = "if the file is right, write"
    if len(difference.missing) > 1 and len(difference.new) > 1:
        ask = "is it a file of another data set? check the contract's source; if it is right, write"
    return (
        f"{found} expected {_names(contract)}; {ask} into {contract.name}.toml and raise its revision:\n  "
        + "\n  ".join(lines)
        + "\nnothing was written"
    )


def _names(contract: Contract) -> str:
    """Name the contract's columns, or count them where they are many."""
    names = [column.name for column in contract.columns]
    return ", ".join(names) if len(names) <= 5 else f"its {len(names)} columns"
