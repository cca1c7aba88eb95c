"""Counting the rows that each check is about: batch by batch on their way to the lake, or in the table by one query."""

import pyarrow as pa

from flows.etl.checks.against import Parameter, against
from flows.etl.contract import Contract
from flows.etl.partition import Partition


class Counts:
    """What a contract's checks count over the rows that land: a few numbers, whatever the file's size."""

    def __init__(self, contract: Contract, partition: Partition) -> None:
        self.rows = 0
        self.found = [0] * len(contract.checks)
        names = [column.name for column in contract.columns]
        self._against = [
            (number, names.index(rows.column.name), rows)
            for number, check in enumerate(contract.checks)
            if (rows := against(check, contract.columns, partition))
        ]

    def add(self, table: pa.Table) -> None:
        """Count in a table with the contract's columns in order."""
        self.rows += table.num_rows
        for number, position, rows in self._against:
            self.found[number] += rows.count(table.column(position))


def aggregates(contract: Contract, partition: Partition) -> tuple[list[str], list[Parameter]]:
    """Give each check's count as an aggregate in GoogleSQL, and the parameters of all.

    A check that is about the number of rows alone counts nothing.
    """
    counts, parameters = list[str](), list[Parameter]()
    for number, check in enumerate(contract.checks):
        rows = against(check, contract.columns, partition)
        condition, own = rows.sql(f"check_{number}") if rows else ("FALSE", [])
        counts.append(f"COUNT(CASE WHEN {condition} THEN 1 END)")  # COUNTIF of no rows is not 0 everywhere
        parameters += own
    return counts, parameters
