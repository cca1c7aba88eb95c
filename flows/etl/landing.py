"""One landing: what a stage needs to know of the partition that it brings to the table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.cloud import storage

from flows.etl.address import origin
from flows.etl.contract import Contract
from flows.etl.destination import Destination
from flows.etl.partition import Partition
from flows.etl.request import NO_HEADERS
from flows.etl.source import Source


@dataclass(frozen=True, slots=True)
class Landing:
    """A partition on its way.

    `settled` is the last claim's number in the ledger, -1 without one: all up to it has ended. `override` is an
    address to read in place of the contract's. `rows_before` is how many rows the period before has, where a check
    asks for it and the ledger knows.
    `headers` are the contract's, for its own address: they hold secrets.
    """

    destination: Destination
    contract: Contract
    partition: Partition
    published_at: str
    override: str | None
    settled: int
    flow_run_id: str | None
    rows_before: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """Where the file is read from."""
        return self.override or self.published_at

    @property
    def address_headers(self) -> Mapping[str, str]:
        """What goes with a request for `address`: another host than the contract's is not shown the contract's secrets.

        Raises:
            SourceError: one of the addresses is none.
        """
        if not self.headers or origin(self.address) == origin(self.published_at):
            return self.headers
        return NO_HEADERS

    @property
    def source(self) -> Source:
        """The file to bring."""
        return Source(self.contract, self.partition, self.address, self.address_headers, self.rows_before)

    @property
    def bucket(self) -> storage.Bucket:
        """The lake's bucket."""
        return self.destination.bucket

    def __str__(self) -> str:
        return f"{self.contract.name} {self.partition}"
