"""How each format's bytes become typed batches: one module a format."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from flows.etl.contract import Contract
from flows.etl.fetch import Tail
from flows.etl.formats import parquet
from flows.etl.formats.batch import Reader
from flows.etl.formats.csv import CsvReader
from flows.etl.formats.jsonl import JsonlReader
from flows.etl.partition import Partition


@contextmanager
def read(
    stream: IO[bytes], contract: Contract, partition: Partition, url: str, tail: Tail | None = None
) -> Iterator[Reader]:
    """Give the reader of a contract's format for a file's decompressed bytes, whose end may be known beforehand.

    Raises:
        BadFile: the file's columns are not those of the contract, or it is no file of this format.
        Transient: the end that was known is not that of these bytes.
    """
    match contract.format:
        case "csv":
            yield CsvReader(stream, contract, partition, url)
        case "jsonl":
            yield JsonlReader(stream, contract, partition, url)
        case "parquet":
            with parquet.opened(stream, contract, partition, url, tail) as reader:
                yield reader
