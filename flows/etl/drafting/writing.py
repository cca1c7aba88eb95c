"""A proposed contract as the text of its file, with a word wherever a person must look."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.etl import proposal
from flows.etl.address import printable
from flows.etl.contract import Contract

REVIEW = "# review: "
WIDTH = 118
KEYS = (
    "revision",
    "description",
    "owner",
    "source",
    "allowed_networks",
    "format",
    "compression",
    "partition",
    "first_partition",
    "expires_after_days",
)


@dataclass(frozen=True, slots=True)
class Remarks:
    """What stands beside a contract's keys and columns, by their names, and what is no part of it yet.

    `head` says what was looked at. Beside a key or column stands `of_key` or `of_column`; `whole` stands above the
    columns, and `clustering` and `bounds` are what a person may make keys of.
    """

    head: Sequence[str]
    of_key: Mapping[str, Sequence[str]]
    of_column: Mapping[str, Sequence[str]]
    columns: Sequence[str]
    clustering: Sequence[str]
    bounds: Sequence[tuple[str, Any, Any]]


def text(contract: Contract, remarks: Remarks) -> str:
    """Write a contract's file; what has its default is left out."""
    return "\n".join(_lines(contract, remarks)) + "\n"


def _lines(contract: Contract, remarks: Remarks) -> Iterator[str]:
    for each in remarks.head:
        yield from _comment("# ", each)
    said = contract.model_dump(exclude_defaults=True)
    yield from _keys({key: said[key] for key in KEYS if key in said}, remarks.of_key)
    if remarks.clustering:
        yield from _reviews(["what rows are filtered by, besides the period; perhaps"])
        yield f"# clustering = {proposal.value(list(remarks.clustering))}"
    yield from _reviews(remarks.columns)
    yield "columns = ["
    for column in contract.columns:
        yield from (f"    {each}" for each in _reviews(remarks.of_column.get(column.name, ())))
        yield f"    {proposal.line(column)}"
    yield "]"
    for table in ("dialect", "drift"):
        if table in said:
            yield f"\n[{table}]"
            yield from _keys(said[table], {key: remarks.of_key.get(f"{table}.{key}", ()) for key in said[table]})
    for check in contract.checks:
        dumped = check.model_dump(exclude_defaults=True)
        yield "\n[[checks]]"
        yield from _keys(
            {"check": dumped.pop("check"), **dumped}, {"check": remarks.of_key.get(f"checks.{check.check}", ())}
        )
    yield from _bounds(remarks.bounds)


def _keys(said: Mapping[str, object], remarks: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for key, value in said.items():
        yield from _reviews(remarks.get(key, ()))
        yield f"{key} = {proposal.value(value)}"


def _bounds(found: Sequence[tuple[str, Any, Any]]) -> Iterator[str]:
    if not found:
        return
    (name, low, high), *others = found
    yield ""
    yield from _reviews(["the head's numbers lie within these bounds; where some must always hold, make them a check"])
    yield from (
        "# [[checks]]",
        '# check = "range"',
        f"# column = {proposal.text(name)}",
        f"# min = {low}",
        f"# max = {high}",
    )
    if others:
        yield from _comment("# ", "likewise " + ", ".join(f"{name} from {low} to {high}" for name, low, high in others))


def _reviews(said: Sequence[str]) -> Iterator[str]:
    for each in said:
        yield from _comment(REVIEW, each)


def _comment(mark: str, said: str) -> Iterator[str]:
    """Write a comment; what a publisher wrote cannot end it."""
    rest = "#" + " " * (len(mark) - 1)
    lines = textwrap.wrap(printable(said), WIDTH - len(mark), break_long_words=False, break_on_hyphens=False)
    yield from (f"{rest if number else mark}{line}" for number, line in enumerate(lines))
