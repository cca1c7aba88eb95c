"""CSV: records cut at their boundaries, parsed block by block into the contract's types.

pyarrow reads a block at once where every value is written as it knows it. A block in which it fails, or in which it
would silently read something else than the contract means, is read again as text, record by record.
"""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator
from typing import IO

import pyarrow as pa
import pyarrow.csv

from flows.etl import arrow, drift
from flows.etl.contract import Contract, Dialect
from flows.etl.errors import BadFile, Unequal
from flows.etl.formats import strptime, text
from flows.etl.formats.batch import BadRow, Batch
from flows.etl.formats.places import Places
from flows.etl.formats.records import BOM, Block, Records, Span
from flows.etl.partition import Partition

COLUMNS = 10_000  # in a table of BigQuery's: https://cloud.google.com/bigquery/quotas#standard_tables
SAMPLE_BYTES = 16 << 10  # of the first records, to guess a new column's type from
CONVERSION = re.compile(r"In CSV column #(\d+):")
HEXADECIMAL = re.compile(rb"0[xX]")
LARGE_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{2}")


class CsvReader:
    """The records of one CSV file, typed.

    Raises:
        BadFile: a column is missing, unknown or twice in the header.
    """

    def __init__(self, stream: IO[bytes], contract: Contract, partition: Partition, url: str) -> None:
        self._dialect, self._url = contract.dialect, url
        self._records = Records(stream, contract.dialect, url)
        self._names = header_names(self._records.header, contract, url)
        evidence = drift.Evidence(samples=_samples(self._names, self._records, contract.dialect))
        self._matched = drift.match(self._names, contract, partition, url, evidence)
        landing = self._matched.landing
        sources = [*self._matched.names, *(column.name for column in self._matched.added)]
        if not any(name is not None for name in sources):
            raise BadFile(
                f"{url}: found none of the columns of the contract {contract.name} in the header, expected some; check"
                " the contract's delimiter, nothing was written"
            )
        # columns go by their position in the file: names may be anything
        self._at = [None if name is None else self._names.index(name) for name in sources]
        # columns that pyarrow reads as text, as it does not know how they are written
        self._failed: re.Match[str] | None = None  # what pyarrow last failed on
        self._as_text = {
            column.name for column in landing if strptime.fitting(contract.dialect.timestamp_formats, column.type)
        }

    @property
    def matched(self) -> drift.Matched:
        """The file's columns, as the contract reads them."""
        return self._matched

    @property
    def total(self) -> int:
        """The records given out so far, counted from the bytes."""
        return self._records.total

    def __iter__(self) -> Iterator[Batch]:
        for block in self._records:
            yield self._at_once(block) or self._by_record(block)

    def _at_once(self, block: Block) -> Batch | None:
        """Read a block by pyarrow; None if it cannot, or may read something else than what is written."""
        data = _utf8(block.data, self._dialect)
        if data is None or block.stray or b"\0" in data or len(data) > text.FIELD_BYTES:
            return None
        self._avoid_misreading(data)
        try:
            found = self._read(data, self._as_text)
        except pa.ArrowInvalid as error:
            self._failed = CONVERSION.match(str(error))
            return None
        self._failed = None
        if found.num_rows != block.records:
            return None
        values = []
        for column, at in zip(self._matched.landing, self._at, strict=True):
            if at is None:
                values.append(pa.nulls(block.records, arrow.ARROW[column.type]))
                continue
            read = found.column(str(at))
            if column.name in self._as_text:
                read, bad = text.parse(read.combine_chunks(), column, self._dialect)
                if bad:
                    return None
            elif not text.holds(read, column.type):
                return None
            values.append(read)
        return Batch(self._table(values), [], Places(self._records, block, self._dialect.encoding).of)

    def _avoid_misreading(self, data: bytes) -> None:
        """Have columns read as text where pyarrow would give another number than the one that is written.

        It reads hexadecimal numbers, `0xFFFFFFFFFFFFFFFF` as -1, and makes other decimals of `1e31` and `1.0000e-44`.
        """
        for kind, marks, pattern in (("INT64", b"xX", HEXADECIMAL), ("NUMERIC", b"eE", LARGE_EXPONENT)):
            columns = {column.name for column in self._matched.landing if column.type == kind} - self._as_text
            if columns and (marks[:1] in data or marks[1:] in data) and pattern.search(data):
                self._as_text |= columns

    def _by_record(self, block: Block) -> Batch:
        """Read a block as text; what does not fit becomes a bad row."""
        places = Places(self._records, block, self._dialect.encoding)
        bad: dict[int, BadRow] = {}  # by the record's position in the block
        whole: list[int] = []
        texts: list[bytes] = []
        for position, span in enumerate(places.spans):
            raw = block.data[span.start : span.end]
            if reason := _fault(raw, span, self._dialect):
                bad[position] = BadRow(places.of(position), None, reason)
            else:
                whole.append(position)
                texts.append(_utf8(raw, self._dialect) or b"")
        misshapen: dict[int, int] = {}  # by the row's number in what is read, the fields that it has

        def note(row: pyarrow.csv.InvalidRow) -> str:
            misshapen[row.number - 1] = row.actual_columns
            return "skip"

        found = self._read(b"\n".join(texts), {column.name for column in self._matched.landing}, note)
        for row, fields in misshapen.items():
            reason = f"found {fields} fields, expected {len(self._names)}"
            bad[whole[row]] = BadRow(places.of(whole[row]), None, reason)
        rows = [position for row, position in enumerate(whole) if row not in misshapen]
        if found.num_rows != len(rows):
            raise Unequal(
                f"{self._url}: lines {block.line} and on: found {found.num_rows} rows by the parser, expected"
                f" {len(rows)}, which is what the bytes hold; check the contract's dialect, nothing was written"
            )
        values = self._parsed(found, rows, places, bad)
        fits = pa.array([position not in bad for position in rows], pa.bool_())
        kept = [position for position in rows if position not in bad]
        table = self._table(values).filter(fits)
        return Batch(table, [bad[position] for position in sorted(bad)], lambda row: places.of(kept[row]))

    def _parsed(self, found: pa.Table, rows: list[int], places: Places, bad: dict[int, BadRow]) -> list[pa.Array]:
        """Read each column's texts; a row's first bad value is noted in *bad*."""
        values = []
        for column, at in zip(self._matched.landing, self._at, strict=True):
            if at is None:
                values.append(pa.nulls(len(rows), arrow.ARROW[column.type]))
                continue
            texts = found.column(str(at)).combine_chunks()
            read, wrong = text.parse(texts, column, self._dialect)
            for row, reason in wrong.items():
                bad.setdefault(rows[row], BadRow(places.of(rows[row]), column.name, reason))
            if not wrong and self._failed and int(self._failed[1]) == at:
                self._as_text.add(column.name)  # or each block would be read twice
            values.append(read)
        return values

    def _table(self, values: list[pa.Array]) -> pa.Table:
        schema = pa.schema([pa.field(column.name, arrow.ARROW[column.type]) for column in self._matched.landing])
        return pa.Table.from_arrays(values, schema=schema)

    def _read(
        self, data: bytes, as_text: Collection[str], note: Callable[[pyarrow.csv.InvalidRow], str] | None = None
    ) -> pa.Table:
        types = {
            str(at): pa.string() if column.name in as_text else arrow.ARROW[column.type]
            for column, at in zip(self._matched.landing, self._at, strict=True)
            if at is not None
        }
        if data.startswith(BOM):
            data = b"\n" + data  # or pyarrow takes the mark off, also in the middle of a file
        if not data.endswith(b"\n"):
            data += b"\n"  # or it takes an empty last field for a quoted one, where the field before it is quoted
        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # one thread: parallel reading loses the number of a misshapen row
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False,
                column_names=[str(at) for at in range(len(self._names))],
                block_size=len(data) + 1,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=self._dialect.quote or False,
                newlines_in_values=True,
                invalid_row_handler=note,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False,  # _utf8 has
                column_types=types,
                include_columns=list(types),
                null_values=self._dialect.null_values,
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                decimal_point=self._dialect.decimal,
                timestamp_parsers=[pyarrow.csv.ISO8601],
            ),
            memory_pool=arrow.pool(),
        )


def header_names(header: bytes | None, contract: Contract, url: str) -> list[str]:
    """Read the header's names; a file without header has the contract's columns, in order."""
    if header is None:
        return [column.name for column in contract.columns]
    dialect = contract.dialect
    try:
        (names,) = fields(header.decode(dialect.encoding), dialect)
    except UnicodeDecodeError as error:
        raise BadFile(
            f"{url}: the header is not {dialect.encoding} ({error}), expected the contract's encoding; nothing was"
            " written"
        ) from error
    except csv.Error as error:
        raise BadFile(f"{url}: the header cannot be read ({error}), expected names; nothing was written") from error
    if len(names) > COLUMNS:
        raise BadFile(
            f"{url}: found {len(names):,} columns, expected at most {COLUMNS:,}, which is what BigQuery holds; nothing"
            " was written"
        )
    return names


def _utf8(data: bytes, dialect: Dialect) -> bytes | None:
    """Give the text's bytes in UTF-8; None if they are not in the dialect's encoding."""
    if data.isascii():
        return data
    try:
        decoded = data.decode(dialect.encoding)
    except UnicodeDecodeError:
        return None
    return data if dialect.encoding == "utf-8" else decoded.encode()


def _fault(raw: bytes, span: Span, dialect: Dialect) -> str | None:
    """Say what is wrong with a record as such."""
    if span.stray:
        return "found a carriage return alone, expected lines that end with a line feed, or with both"
    if b"\0" in raw:
        return "found a NUL byte, expected text"
    if _utf8(raw, dialect) is None:
        return f"found bytes that are not {dialect.encoding}, expected text in the contract's encoding"
    return None


def _samples(names: list[str], records: Records, dialect: Dialect) -> dict[str, list[str]]:
    """Give some values of each column, for the lines that a new column would need in the contract."""
    samples: dict[str, list[str]] = {name: [] for name in names}
    for row in fields(records.peek(SAMPLE_BYTES).decode(dialect.encoding, errors="replace"), dialect):
        if len(row) == len(names):
            for name, value in zip(names, row, strict=True):
                if value not in dialect.null_values:
                    samples[name].append(value)
    return samples


def fields(lines: str, dialect: Dialect) -> Iterator[list[str]]:
    """Part whole lines into fields by Python's own reader, slowly: for a header, and for a look at the first rows."""
    return csv.reader(
        io.StringIO(lines, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
