"""CSV: records cut at their boundaries, parsed block by block into the contract's types."""

import csv
import re
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.csv

from flows.etl import arrow, drift
from flows.etl.contract import Contract
from flows.etl.errors import BadFile
from flows.etl.formats.batch import BadRow, Batch, Place
from flows.etl.formats.records import Block, Records
from flows.etl.partition import Partition

VALUE = re.compile(
    r"In CSV column #(\d+): Row #(\d+): (?:CSV conversion error to .+: )?(?:invalid value )?(.*)", re.DOTALL
)
SHAPE = re.compile(r"CSV parse error: Row #(\d+): Expected (\d+) columns, got (\d+)")


class CsvReader:
    """The records of one CSV file, typed.

    Raises:
        BadFile: a column is missing, unknown or twice in the header.
    """

    def __init__(self, stream: IO[bytes], contract: Contract, partition: Partition, url: str) -> None:
        self._contract, self._url = contract, url
        self._records = Records(stream, contract.dialect.delimiter, url)
        self._names = _names(self._records.header, contract, url)
        self._matched = drift.match(self._names, contract, partition, url)

    @property
    def matched(self) -> drift.Matched:
        """The file's columns, as the contract reads them."""
        return self._matched

    @property
    def total(self) -> int:
        """The records given out so far, counted from the bytes."""
        return self._records.total

    def __iter__(self) -> Iterator[Batch]:
        landing = self.matched.landing
        names = [*self.matched.names, *(column.name for column in self.matched.added)]
        options = pyarrow.csv.ConvertOptions(
            column_types={
                name: arrow.ARROW[column.type] for name, column in zip(names, landing, strict=True) if name is not None
            },
            include_columns=[name for name in names if name is not None],
            null_values=self._contract.dialect.null_values,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            timestamp_parsers=[pyarrow.csv.ISO8601],
        )
        for block in self._records:
            yield self._batch(block, options)

    def _batch(self, block: Block, options: pyarrow.csv.ConvertOptions) -> Batch:
        try:
            table = self._parse(block, options)
        except pa.ArrowInvalid as error:
            raise BadFile(_say(str(error), block, self._names, self._url)) from error

        def place(position: int) -> Place:
            return Place(block.first + position, None, "")

        return Batch(table, list[BadRow](), place)

    def _parse(self, block: Block, options: pyarrow.csv.ConvertOptions) -> pa.Table:
        return pyarrow.csv.read_csv(
            pa.BufferReader(block.data),
            # one thread: parallel conversion loses the row number of an error
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=self._names, block_size=len(block.data) + 1
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=self._contract.dialect.delimiter, newlines_in_values=True),
            convert_options=options,
            memory_pool=arrow.pool(),
        )


def _names(line: bytes, contract: Contract, url: str) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8-sig")], delimiter=contract.dialect.delimiter))
    except UnicodeDecodeError as error:
        raise BadFile(f"{url}: the header is not UTF-8 ({error}); nothing was written") from error


def _say(message: str, block: Block, names: list[str], url: str) -> str:
    """Word pyarrow's finding: its row numbers count from 1 in the block."""
    if found := VALUE.match(message):
        number = block.first + int(found[2]) - 1
        return (
            f"{url}: row {number}, column {names[int(found[1])]}: found {found[3]};"
            " correct the file or the contract's type, nothing was written"
        )
    if found := SHAPE.match(message):
        return (
            f"{url}: row {block.first + int(found[1]) - 1}: found {found[3]} fields, expected {found[2]};"
            " correct the file or the contract's delimiter, nothing was written"
        )
    return f"{url}: records {block.first} to {block.first + block.records - 1}: {message}; nothing was written"
