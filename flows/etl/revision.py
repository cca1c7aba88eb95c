"""Whether this code may land over what landed before: never in turn with a newer contract, or newer code."""

import re
from typing import Protocol

from flows.etl.contract import Contract
from flows.etl.errors import Outdated


class Landed(Protocol):
    """What landed before, and under which contract."""

    @property
    def partition(self) -> str:
        """The period."""

    @property
    def n(self) -> int:
        """Its number in the log, or in the ledger."""

    @property
    def contract_revision(self) -> int:
        """The contract's revision."""

    @property
    def contract_fingerprint(self) -> str:
        """The contract's fingerprint."""


def check_revision(contract: Contract, newest: Landed) -> None:
    """Refuse to land in turn with newer code or a newer contract, and a changed contract that does not say so.

    Raises:
        Outdated: what landed last is newer, or of another content under the same revision.
    """
    converter, content, *runs = contract.fingerprint.split("-")
    landed, landed_content, *ran = newest.contract_fingerprint.split("-")
    where = f"{contract.name} {newest.partition}"
    if newest.contract_revision > contract.revision or int(landed) > int(converter):
        raise Outdated(
            f"{where}: found claim {newest.n} by revision {newest.contract_revision} (converter {landed}), expected"
            f" none newer than this code's revision {contract.revision} (converter {converter}); update this code,"
            " nothing was claimed"
        )
    if newest.contract_revision == contract.revision and content != landed_content:
        raise Outdated(
            f"{where}: found another content of the contract under the same revision {contract.revision}, expected a"
            " raised `revision` with each change of columns, format, dialect or clean hook; raise it, nothing was"
            " claimed"
        )
    if newest.contract_revision == contract.revision and _release(ran) > _release(runs):
        raise Outdated(
            f"{where}: found claim {newest.n} cleaned with {ran[0]}, expected none newer than this environment's"
            f" {runs[0]}; update this environment, or raise `revision` to go back; nothing was claimed"
        )


def _release(runs: list[str]) -> list[int]:
    """Read the version of what runs a clean hook, `pandas3_1_1`; release candidates count as their release."""
    return [int(number) for number in re.findall(r"\d+", "".join(runs))[:3]]
