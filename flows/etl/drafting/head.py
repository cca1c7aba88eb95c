"""A file's first rows: its columns, how it is written, and the rows themselves, to be read again as a landing would."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pyarrow as pa
import pyarrow.parquet

from flows.etl import convert, formats, proposal
from flows.etl.contract import Column, Contract, Dialect
from flows.etl.contract import Quarantine as Threshold
from flows.etl.drafting import columns, dialect
from flows.etl.drafting.columns import Seen
from flows.etl.drafting.opening import Beginning
from flows.etl.errors import BadFile
from flows.etl.formats.batch import BadRow
from flows.etl.formats.csv import fields, header_names
from flows.etl.formats.jsonl import LINES
from flows.etl.formats.records import Records
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine

SNAPSHOT = Partition("none", None)


@dataclass(frozen=True, slots=True)
class Head:
    """A file's first rows, as text or as a table.

    `sparse`: some line of JSON lacks a key that others have. `whole`: these are all rows that the file has.
    """

    format: Literal["csv", "jsonl", "parquet"]
    dialect: Dialect
    seen: list[Seen]
    header: bytes | None = None
    records: list[bytes] = field(default_factory=list)
    table: pa.Table | None = None
    notes: list[str] = field(default_factory=list)
    sparse: bool = False
    whole: bool = False

    @property
    def rows(self) -> int:
        """How many rows these are."""
        return len(self.records) if self.table is None else int(self.table.num_rows)

    def file(self, rows: Sequence[int]) -> bytes:
        """Write some of the rows, by their positions, as a file of their own; not compressed."""
        if self.table is not None:
            sink = io.BytesIO()
            pyarrow.parquet.write_table(self.table.take(pa.array(rows, pa.int64())), sink)
            return sink.getvalue()
        lines = [] if self.header is None else [self.header]
        return b"\n".join([*lines, *(self.records[row] for row in rows), b""])


def of(begun: Beginning, rows: int, where: str) -> Head:
    """Tell how a file is written, and its columns.

    Raises:
        BadFile: it cannot land, whatever its contract says.
    """
    if begun.table is not None:
        return _of_parquet(begun.table, where)
    written = dialect.detect(begun.text, where, whole=begun.whole)
    header, records, whole = _cut(begun, LINES if written.format == "jsonl" else written.dialect, rows, where)
    if not records:
        raise BadFile(f"{where}: found no rows, expected some to tell types from; nothing was written")
    if written.format == "jsonl":
        seen, every = columns.of_json(records, where)
        sparse = not every
        return Head("jsonl", written.dialect, _checked(seen, where), None, records, sparse=sparse, whole=whole)
    return replace(_of_csv(header, records, written, where), whole=whole)


def read(data: bytes, agreed: Contract, period: Partition, where: str) -> tuple[pa.Table, list[BadRow]]:
    """Read a file as a landing would, checks and clean hook left out: the rows that fit, and those that do not."""
    noted = _Noted(where)
    with formats.read(io.BytesIO(data), agreed, period, where) as reader:
        return pa.concat_tables(convert.tables(reader, agreed, period, noted)), noted.bad


class _Noted(Quarantine):
    """A quarantine that keeps what is put into it, and has no end."""

    def __init__(self, where: str) -> None:
        super().__init__(Threshold(max_rows=2**62), where)
        self.bad: list[BadRow] = []

    def add(self, bad: list[BadRow]) -> None:
        """Keep rows that do not fit."""
        self.bad += bad


def named(seen: Sequence[Seen], period: Partition) -> list[Column]:
    """Make columns of those that can land: under the file's names, or close to them where BigQuery refuses those."""
    own = {each.name.strip().lower() for each in seen}
    added = {period.column} if period.column else set()
    found: list[Column] = []
    for each in seen:
        if each.kind is None:
            continue
        taken = (own - {each.name.strip().lower()}) | added | {column.name.lower() for column in found}
        column = proposal.column_of(each.name, each.kind, None, taken)
        found.append(column.model_copy(update={"nullable": not each.always}))
    return found


def _of_parquet(table: pa.Table, where: str) -> Head:
    if not table.num_rows:
        raise BadFile(f"{where}: found a Parquet file without rows, expected some; nothing was written")
    seen = _checked(columns.of_table(table), where)
    return Head("parquet", Dialect(), seen, table=table.replace_schema_metadata(None))


def _of_csv(header: bytes | None, records: list[bytes], written: dialect.Written, where: str) -> Head:
    head = Head("csv", written.dialect, [], header, records, notes=written.notes)
    if header is None:
        names = [f"column_{number + 1}" for number in range(_width(records[0], written.dialect))]
    else:
        names = header_names(header, _all_text([Column(name="text", type="STRING")], written.dialect), where)
    _checked([Seen(name, "STRING") for name in names], where)
    before = _texts(head, names, written.dialect, where)
    candidates, kept = dialect.nulls(before)
    texts = _texts(head, names, written.dialect.model_copy(update={"null_values": candidates}), where)
    # in quotes they are text, and no column may have them without
    gone = {name: _gone(before[name], texts[name]) for name in names}
    nulls = ["", *(each for each in candidates if any(each in some for some in gone.values()))]
    seen = [columns.of_texts(name, texts[name]) for name in names]
    for each in seen:
        if each.name in kept:
            each.notes.append(f"{', '.join(map(repr, kept[each.name]))} is text here, and no null")
        if (
            each.kind == "STRING"
            and any(texts[each.name])
            and (lost := sorted(gone[each.name].difference(dialect.NULLS)))
        ):
            each.notes.append(f"{', '.join(map(repr, lost))} is null here, too, as it is among numbers and times")
    final = written.dialect.model_copy(update={"null_values": nulls})
    return replace(head, dialect=final, seen=seen)


def _gone(before: list[str | None], after: list[str | None]) -> set[str]:
    """Tell which texts have become nulls."""
    return {was for was, now in zip(before, after, strict=True) if was is not None and now is None}


def _width(record: bytes, written: Dialect) -> int:
    try:
        return max(len(row) for row in fields(record.decode(written.encoding, "replace"), written))
    except csv.Error:
        return 1


def _checked(seen: list[Seen], where: str) -> list[Seen]:
    names = [each.name.strip().lower() for each in seen]
    if twice := [each.name for each in seen if names.count(each.name.strip().lower()) > 1]:
        raise BadFile(
            f"{where}: found the columns {', '.join(map(repr, twice[:5]))}, expected each name once (names compare"
            " without case); ask the publisher, nothing was written"
        )
    if not any(each.kind for each in seen):
        raise BadFile(f"{where}: found no column that BigQuery has a type for, expected some; nothing was written")
    return seen


def _cut(begun: Beginning, lines: Dialect, rows: int, where: str) -> tuple[bytes | None, list[bytes], bool]:
    """Part a text's beginning into its header and its first whole records; and tell whether these are all."""
    data = begun.text
    if not begun.whole:
        data = data[: Records(io.BytesIO(data), lines, where).last_end(data)]
        if not data:
            raise BadFile(
                f"{where}: found a line of more than {len(begun.text):,} bytes, expected rows; nothing was written"
            )
    source = Records(io.BytesIO(data), lines, where)
    records: list[bytes] = []
    for block in source:
        records += [block.data[span.start : span.end] for span in source.spans(block)]
        if len(records) > rows:
            break
    return source.header, records[:rows], begun.whole and len(records) <= rows


def _texts(head: Head, names: list[str], written: Dialect, where: str) -> dict[str, list[str | None]]:
    """Read every value as text, as a landing would: what is quoted is no null."""
    wanted = named([Seen(name, "STRING") for name in names], SNAPSHOT)
    table, _ = read(head.file(range(head.rows)), _all_text(wanted, written), SNAPSHOT, where)
    return {name: table.column(column.name).to_pylist() for name, column in zip(names, wanted, strict=True)}


def _all_text(wanted: list[Column], written: Dialect) -> Contract:
    return Contract(
        name="file",
        revision=1,
        description="",
        owner="",
        source="https://publisher",
        format="csv",
        partition="none",
        dialect=written,
        columns=wanted,
    )
