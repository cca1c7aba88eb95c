"""Bad rows of a file: counted against the contract's threshold, and put aside in the lake.

They go to an object of their own, `quarantine/<contract>/<partition>/<unique>.jsonl.gz`, one JSON object a row, as they
are found. Like the lake object it is a resumable upload: it appears only when the whole landing holds.
"""

import json
import logging
import zlib
from collections.abc import Iterable
from decimal import Decimal

import pyarrow as pa
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import TransportError
from google.cloud import storage

from flows.etl import lake_object
from flows.etl.contract import Quarantine as Threshold
from flows.etl.errors import NETWORK, BadFile
from flows.etl.formats.batch import BadRow
from flows.etl.lake_object import LakeObject
from flows.etl.upload import ResumableUpload

SHOWN = 5  # bad rows that a refusal tells of
GZIP = 31  # zlib's window bits for gzip; its header holds no time, so that equal rows give equal bytes

log = logging.getLogger(__name__)


class Quarantine:
    """The bad rows of one file, written to *blob* from the first one on; without any, nothing is written.

    Without a blob they are counted and not kept: for a look at a file that is not to land.

    Raises:
        BadFile: there are more than the contract allows.
        Transient: storage did not take them; nothing is visible.
    """

    def __init__(self, threshold: Threshold, url: str, blob: storage.Blob | None = None) -> None:
        self.rows = 0
        self._threshold, self._url, self._blob = threshold, url, blob
        self._first: list[BadRow] = []
        self._sink: ResumableUpload | None = None
        self._gzip = zlib.compressobj(wbits=GZIP)
        self._finished: LakeObject | None = None

    def add(self, bad: list[BadRow]) -> None:
        """Put a batch's bad rows aside, in the order of the file."""
        self.rows += len(bad)
        self._first += bad[: SHOWN - len(self._first)]
        if self.rows > self._threshold.max_rows:
            raise self._refusal(f"so far, expected at most {self._threshold.max_rows} (quarantine.max_rows)")
        if self._blob is not None:
            for row in bad:
                self._write(row, self._blob)

    def unfit(self, table: pa.Table) -> Iterable[tuple[int, str, str]]:  # noqa: ARG002 - for who writes elsewhere
        """Find rows that the destination cannot hold: position, column and reason of each. The lake holds all."""
        return ()

    def check(self, total: int) -> None:
        """Hold the bad rows against all *total* records of the file.

        Raises:
            BadFile: their share is greater than the contract allows, or they are all.
        """
        if self.rows > Decimal(str(self._threshold.max_fraction)) * total:
            share = f"{100 * self._threshold.max_fraction:.4g} % of them (quarantine.max_fraction)"
            raise self._refusal(f"among {total} records, expected at most {share}")
        if self.rows and self.rows == total:
            raise self._refusal(f"among {total} records, expected some that fit")

    def finish(self) -> LakeObject | None:
        """Make the object visible, whole; None if there is no bad row."""
        if self._sink:
            self._sink.write(self._gzip.flush())
            generation = self._sink.finish()
            self._finished = LakeObject(self._sink.name, generation, self._sink.crc32c)
        return self._finished

    def remove(self, bucket: storage.Bucket) -> None:
        """Leave nothing behind of a landing that does not hold, as far as storage can be reached.

        What stays is named by no claim, and what the landing failed of is told, not this.
        """
        if self._finished is None:
            if self._sink:
                self._sink.cancel()
            return
        try:
            lake_object.drop(bucket, self._finished)
        except (GoogleAPIError, TransportError, *NETWORK) as error:
            log.warning("%s: not removed (%s); no claim names it", self._finished.uri, error)

    def _write(self, row: BadRow, blob: storage.Blob) -> None:
        if self._sink is None:
            self._sink = ResumableUpload(blob, "application/gzip")
        entry = {
            "file": self._url,
            "record": row.place.record,
            "line": row.place.line,
            "column": row.column,
            "reason": row.reason,
            "raw": row.place.raw,
        }
        self._sink.write(self._gzip.compress(json.dumps(entry).encode() + b"\n"))

    def _refusal(self, how: str) -> BadFile:
        first = "; ".join(str(row) for row in self._first)
        if not self._threshold.max_rows:
            return BadFile(f"{self._url}: {self._first[0]}; correct the file or the contract; nothing was written")
        return BadFile(
            f"{self._url}: found {self.rows} bad rows {how}: {first}"
            f"{'; ...' if self.rows > len(self._first) else ''}; correct the file, the contract or its threshold;"
            " nothing was written"
        )
