"""Where the records of a block stand in their file, looked for only when somebody asks."""

from functools import cached_property

from flows.etl.formats.batch import Place
from flows.etl.formats.records import Block, Records, Span

RAW_CHARACTERS = 1_000  # of a bad record that are kept for people
RAW_BYTES = 4 * RAW_CHARACTERS  # which hold as many, in UTF-8


class Places:
    """The places of one block's records."""

    def __init__(self, records: Records, block: Block, encoding: str) -> None:
        self._records, self._block, self._encoding = records, block, encoding

    @cached_property
    def spans(self) -> list[Span]:
        """Where each record lies in the block's data."""
        return self._records.spans(self._block)

    def of(self, position: int) -> Place:
        """Give the place of the record at a position in the block."""
        block, span = self._block, self.spans[position]
        raw = block.data[span.start : min(span.end, span.start + RAW_BYTES)]
        shown = raw.decode(self._encoding, errors="backslashreplace")[:RAW_CHARACTERS]
        return Place(block.first + position, block.line + block.data.count(b"\n", 0, span.start), shown)
