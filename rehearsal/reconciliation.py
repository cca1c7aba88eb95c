"""The reconciliation: for each partition what the publisher serves, what the ledger says, what the table holds."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One partition as four witnesses saw it: the publisher's file, the ledger, the table, and Prefect."""

    contract: str
    partition: str
    published: int
    """Records in the publisher's file, counted by the rehearsal."""
    source: int
    quarantined: int
    lake: int
    ledger: int
    """Rows in the warehouse, as the ledger says."""
    counted: int
    """Rows in the warehouse, counted in the table now."""
    execution: str
    state: str
    peak_mib: float

    def wrong(self) -> list[str]:
        """Name what does not agree."""
        where = f"{self.contract} {self.partition}"
        found = []
        if self.source != self.published:
            found.append(f"{where}: the ledger has {self.source} source rows, the publisher's file {self.published}")
        if self.source != self.lake + self.quarantined:
            found.append(
                f"{where}: {self.source} source rows are not {self.lake} in the lake + {self.quarantined} quarantined"
            )
        if not self.lake == self.ledger == self.counted:
            found.append(
                f"{where}: {self.lake} rows in the lake, {self.ledger} loaded says the ledger, {self.counted} counted"
            )
        if self.state != "COMPLETED":
            found.append(f"{where}: Prefect says {self.state}, expected COMPLETED")
        return found


_HEADER = (
    "contract",
    "partition",
    "source",
    "quarantined",
    "lake",
    "warehouse",
    "Prefect",
    "peak MiB",
    "Cloud Run execution",
)
_NUMBERS = frozenset({2, 3, 4, 5, 7})


def wrong(lines: Sequence[Line]) -> list[str]:
    """Name what does not agree within a line, and executions that served more than one."""
    executions = [line.execution for line in lines]
    shared = sorted({name for name in executions if executions.count(name) > 1})
    return [
        *(each for line in lines for each in line.wrong()),
        *(f"{name}: ran more than one partition" for name in shared),
    ]


def table(lines: Sequence[Line]) -> str:
    """Write the lines below each other, and their sums."""
    rows = [
        _HEADER,
        *(
            (
                line.contract,
                line.partition,
                f"{line.source:,}",
                f"{line.quarantined:,}",
                f"{line.lake:,}",
                f"{line.counted:,}",
                line.state,
                f"{line.peak_mib:.0f}",
                line.execution,
            )
            for line in lines
        ),
        (
            "sum",
            "",
            f"{sum(line.source for line in lines):,}",
            f"{sum(line.quarantined for line in lines):,}",
            f"{sum(line.lake for line in lines):,}",
            f"{sum(line.counted for line in lines):,}",
            "",
            "",
            "",
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in _NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
