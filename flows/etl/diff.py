"""A contract beside a real file: which columns differ, and the lines that would make the contract fit."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from flows.etl import drift, head, proposal
from flows.etl.contract import Column, ColumnType, Contract, Dialect
from flows.etl.drift import Difference
from flows.etl.formats import casting, text
from flows.etl.head import Head
from flows.etl.partition import Partition
from flows.etl.source import Source

POLICIES = {"fail": "new: refuses the file", "ignore": "new: left out", "add": "new: added to the table"}


@dataclass(frozen=True, slots=True)
class Line:
    """One column: what the contract says, what the file has, and what becomes of it; empty: nothing to do."""

    column: str
    contract: str
    file: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All columns, the lines to write into the contract, and what a look at the file's head cannot tell."""

    columns: list[Line]
    lines: list[str]
    notes: list[str]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs, or nothing that the contract does not expect of this period."""
        return not any(line.what_to_do for line in self.columns)


def compare(source: Source) -> Comparison:
    """Read a file's head and compare it with its contract.

    Raises:
        SourceError, BadFile, Transient: the file cannot be read.
    """
    return compare_head(head.read(source), source.contract, source.partition)


def compare_head(found: Head, contract: Contract, partition: Partition) -> Comparison:
    """Compare what a file shows with its contract."""
    difference = drift.compare(found.names, contract, partition)
    columns = list(_known(found, contract, difference))
    kinds = found.evidence.guess(difference.new)
    columns += [
        Line(name, "", _shown(found, name, kinds.get(name)), POLICIES[contract.drift.new_column])
        for name in difference.new
    ]
    columns += [Line(name, "", "there twice", "refuses the file") for name in difference.twice]
    lines = drift.lines_for(difference, contract, partition, found.evidence)
    for column in contract.columns:
        name = difference.there.get(column.name)
        if name is not None and _misfit(found, name, column, contract.dialect):
            kind = found.evidence.guess([name]).get(name)
            if kind:
                lines.append(f"columns: {proposal.line(column.model_copy(update={'type': kind}))}")
    return Comparison(columns, lines, _notes(found))


def _known(found: Head, contract: Contract, difference: Difference) -> Iterator[Line]:
    for column in contract.columns:
        name = difference.there.get(column.name)
        declared = column.type if column.nullable else f"{column.type}, not null"
        if name is None:
            missing = column in difference.missing
            to_null = contract.drift.missing_column == "null" and column.nullable
            what = ("missing: null" if to_null else "missing: refuses the file") if missing else ""
            yield Line(column.name, declared, "" if missing else f"from {column.since} on", what)
            continue
        guess = found.evidence.guess([name]).get(name)
        shown = _shown(found, name, guess)
        if name.strip() != column.name:
            shown += f", as {name!r}"
        yield Line(column.name, declared, shown, _misfit(found, name, column, contract.dialect))


def _shown(found: Head, name: str, kind: ColumnType | None) -> str:
    """Show a column's type: the file's own, or what its values look like."""
    if found.types is not None:
        return str(found.types[name])
    return f"like {kind}" if any(value is not None for value in found.values.get(name, [])) else "no value"


def _misfit(found: Head, name: str, column: Column, dialect: Dialect) -> str:
    """Say why a column's values cannot be those of the contract's; empty if they can."""
    if found.types is not None:
        kind = found.types[name]
        fits = pa.types.is_null(kind) or casting.can_become(kind, column.type)
        return "" if fits else "another type: refuses the file"
    _, bad = text.parse(pa.array(found.values.get(name, []), pa.string()), column, dialect)
    return f"{bad[min(bad)]}: {len(bad)} bad of {found.rows} rows" if bad else ""


def _notes(found: Head) -> list[str]:
    if found.types is None:
        return [f"types of text are guesses from the first {found.rows} rows; later rows may hold other values"]
    return ["types are the file's own; values that do not fit (a fraction in an INT64) show when the file lands"]
