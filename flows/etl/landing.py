"""One landing: what a stage needs to know of the partition that it brings to the table."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from google.cloud import storage

from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.errand import Errand
from flows.etl.partition import Partition


@dataclass(frozen=True, slots=True)
class Landing(Errand):
    """A partition on its way to bucket and table.

    `settled` is the last claim's number in the ledger, -1 without one: all up to it has ended. `as_of` asks for an
    older claim's content, by its number or by a time, in place of what the publisher serves.
    """

    destination: Destination
    contract: Contract
    partition: Partition
    published_at: str = field(repr=False)
    override: str | None = field(repr=False)
    settled: int
    flow_run_id: str | None
    rows_before: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    trusted: tuple[str, ...] = field(default=(), repr=False)
    as_of: int | dt.datetime | None = None

    @property
    def bucket(self) -> storage.Bucket:
        """The lake's bucket."""
        return self.destination.bucket
