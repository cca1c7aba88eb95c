"""What a person should know and decide about a proposed contract: a head proves little."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from flows.etl.contract import Contract
from flows.etl.drafting import expectations
from flows.etl.drafting.head import Head
from flows.etl.drafting.opening import Beginning
from flows.etl.drafting.period import Dated
from flows.etl.drafting.writing import Remarks
from flows.etl.formats.batch import BadRow

BAD_ROWS = 3  # that are shown


@dataclass(frozen=True, slots=True)
class Look:
    """All that was seen of a file: `table` holds the rows that fit the proposed contract, `bad` are the others."""

    where: str
    dated: Dated
    begun: Beginning
    head: Head
    table: pa.Table
    bad: Sequence[BadRow]

    @property
    def rows(self) -> str:
        """Say what was looked at."""
        return f"{'all' if self.total == self.head.rows else 'the first'} {self.head.rows:,} rows"

    @property
    def total(self) -> int | None:
        """Tell how many rows the file has, if that is known."""
        if self.begun.rows is not None:
            return self.begun.rows
        return self.head.rows if self.head.whole else None


def of(agreed: Contract, look: Look) -> Remarks:
    """Say what a look at the head tells beside the contract, and what it cannot tell."""
    landing = [each for each in look.head.seen if each.kind]
    return Remarks(
        head=[
            f"Proposed by `landfall new contract` from {look.rows} of {look.where}",
            "A head proves little: see to what is marked with the word review, and take the marks out.",
        ],
        of_key=_of_keys(agreed, look),
        of_column={column.name: each.notes for column, each in zip(agreed.columns, landing, strict=True)},
        columns=[*_nullable(agreed, look), *_misfits(look)],
        clustering=expectations.keys(look.table, agreed.columns),
        bounds=expectations.bounds(look.table, agreed.columns),
    )


def _of_keys(agreed: Contract, look: Look) -> dict[str, list[str]]:
    counted = f"more than {look.head.rows:,}" if look.total is None else f"{look.total:,}"
    left_out = [f"left out: {each.name!r}, {each.notes[0]}" for each in look.head.seen if each.kind is None]
    query = (
        "the query of the address was left out, as it may be a signature; if it is none and names the file, write it"
    )
    first = "the period of the file that was looked at; the first that the publisher serves, and is each file"
    return {
        "description": ["shown in BigQuery as the table's"],
        "owner": ["who answers for it"],
        "source": look.dated.notes + ([query] if look.where.endswith("?...") else []),
        "format": look.head.notes,
        "allowed_networks": ["where this file came from, which is no public address"],
        "first_partition": [f"{first} {'an' if agreed.partition == 'hour' else 'a'} {agreed.partition}?"],
        "expires_after_days": ["BigQuery drops an hour that is older; 416 days at most, and older files cannot land"],
        "drift.ignore": left_out,
        "drift.missing_column": ["not every line has every key, so a file may lack one in all of its first lines"],
        "checks.row_count": [f"this file has {counted} rows; how few would be too few?"],
    }


def _nullable(agreed: Contract, look: Look) -> list[str]:
    full = expectations.without_null(look.table, agreed.columns)
    if not full:
        return []
    names = "all columns" if len(full) == len(agreed.columns) else ", ".join(full)
    return [f"no null in {look.rows}, so perhaps `nullable = false`, which refuses a file with one: {names}"]


def _misfits(look: Look) -> list[str]:
    if not look.bad:
        return []
    some = (f"row {each.place.record}, {each.column or 'as a whole'}: {each.reason}" for each in look.bad[:BAD_ROWS])
    said = f"{len(look.bad):,} of {look.rows} do not fit, and the file is refused for them"
    return [f"{said}; max_rows under [quarantine] puts such rows aside ({'; '.join(some)})"]
