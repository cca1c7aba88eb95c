"""One file to bring: which contract and period it is of, and where it is read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.etl.contract import Contract
from flows.etl.partition import Partition


@dataclass(frozen=True, slots=True)
class Source:
    """A file at its address; `headers` go with the request, and hold secrets: they are never shown.

    `rows_before` is how many rows the period before has, as the ledger says; None if it does not.
    """

    contract: Contract
    partition: Partition
    address: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    rows_before: int | None = None

    def __str__(self) -> str:
        return f"{self.contract.name} {self.partition}"
