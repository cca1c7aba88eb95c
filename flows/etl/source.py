"""One file to bring: which contract and period it is of, and where it is read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.etl.address import shown
from flows.etl.contract import Contract
from flows.etl.partition import Partition
from flows.etl.reach import PUBLIC, Reach


@dataclass(frozen=True, slots=True)
class Source:
    """A file at its address; `headers` go with the request, and hold secrets: they are never shown.

    Nor is the address, whose query may be a signature: people and records see `where`. `reach` is where the request
    may go.
    `rows_before` is how many rows the period before has, as the ledger says; None if it does not.
    """

    contract: Contract
    partition: Partition
    address: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    rows_before: int | None = None
    reach: Reach = PUBLIC

    @property
    def where(self) -> str:
        """The address as people see it."""
        return shown(self.address)

    def __str__(self) -> str:
        return f"{self.contract.name} {self.partition}"
