"""Where one partition's file is asked for, and with what: the same for every destination."""

from collections.abc import Mapping

from flows.etl.address import origin, shown
from flows.etl.contract import Contract
from flows.etl.partition import Partition
from flows.etl.reach import Reach
from flows.etl.request import NO_HEADERS
from flows.etl.source import Source


class Errand:
    """A partition to bring, by a record that has these fields.

    `override` is an address to read in place of the contract's. `rows_before` is how many rows the period before has,
    where a check asks for it and the ledger knows.
    `headers` are the contract's, for its own address: they hold secrets, as the addresses' queries may.
    `trusted` are addresses by whoever runs this process: their hosts may be anywhere.
    """

    __slots__ = ()

    contract: Contract
    partition: Partition
    published_at: str
    override: str | None
    rows_before: int | None
    headers: Mapping[str, str]
    trusted: tuple[str, ...]

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
    def reach(self) -> Reach:
        """Where a request for `published_at` may go."""
        return Reach.of(self.published_at, self.contract.allowed_networks, self.trusted)

    @property
    def address_reach(self) -> Reach:
        """Where a request for `address` may go."""
        return Reach.of(self.address, self.contract.allowed_networks, self.trusted)

    @property
    def where(self) -> str:
        """The address as people see it."""
        return shown(self.address)

    @property
    def source(self) -> Source:
        """The file to bring."""
        return Source(
            self.contract, self.partition, self.address, self.address_headers, self.rows_before, self.address_reach
        )

    def __str__(self) -> str:
        return f"{self.contract.name} {self.partition}"
