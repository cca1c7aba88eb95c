"""Bad rows of a file: counted against the contract's threshold, and put aside in the lake."""

from flows.etl.contract import Quarantine as Threshold
from flows.etl.errors import BadFile
from flows.etl.formats.batch import BadRow


class Quarantine:
    """The bad rows of one file.

    Raises:
        BadFile: there are more than the contract allows.
    """

    def __init__(self, threshold: Threshold, url: str) -> None:
        self.rows = 0
        self._threshold, self._url = threshold, url

    def add(self, bad: list[BadRow]) -> None:
        """Put rows aside."""
        self.rows += len(bad)
        if self.rows > self._threshold.max_rows:
            raise BadFile(f"{self._url}: {bad[0]}; correct the file or the contract; nothing was written")
