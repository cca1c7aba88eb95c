"""One landing: what a stage needs to know of the partition that it brings to the table."""

from dataclasses import dataclass

from google.cloud import storage

from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.partition import Partition
from flows.etl.source import Source


@dataclass(frozen=True, slots=True)
class Landing:
    """A partition on its way.

    `settled` is the last claim's number in the ledger, -1 without one: all up to it has ended. `override` is an
    address to read in place of the contract's. `rows_before` is how many rows the period before has, where a check
    asks for it and the ledger knows.
    """

    destination: Destination
    contract: Contract
    partition: Partition
    published_at: str
    override: str | None
    settled: int
    flow_run_id: str | None
    rows_before: int | None = None

    @property
    def address(self) -> str:
        """Where the file is read from."""
        return self.override or self.published_at

    @property
    def source(self) -> Source:
        """The file to bring."""
        return Source(self.contract, self.partition, self.address, rows_before=self.rows_before)

    @property
    def bucket(self) -> storage.Bucket:
        """The lake's bucket."""
        return self.destination.bucket

    def __str__(self) -> str:
        return f"{self.contract.name} {self.partition}"
